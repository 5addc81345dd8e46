import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { parse } from 'yaml';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type KubernetesObject, renderChart } from '../support/chart.ts';

/*
 * Values that YAML reads as something else, or that are not there: what comes out is what was meant, or a sentence.
 */
const testWithHelm = await testOnControlPlane(['helm']);
let helm: string;
let folder: string;

beforeAll(async () => {
  ({ helm } = await findBinaries(['helm']));
  folder = await mkdtemp(join(tmpdir(), 'holdfast-chart-'));
}, 120_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Everything turned on, so that each value is read. */
const ALL = [
  'watchNamespaces={watched}',
  'serve.enabled=true,serve.serviceMonitor.enabled=true,metrics.serviceMonitor.enabled=true',
  'networkPolicy.enabled=true',
  'crds.install=false',
];
const set = (...settings: readonly string[]) => settings.flatMap((one) => ['--set', one]);

async function renderFile(text: string): Promise<KubernetesObject[]> {
  const file = join(folder, 'values.yaml');
  await writeFile(file, text);
  return renderChart(helm, ...set(...ALL), '--values', file);
}

const operatorOf = (objects: readonly KubernetesObject[]) =>
  objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'holdfast').spec.template;

/** A text as it is written in a file; what it is there, where that is a text at all. */
const WRITTEN: readonly (readonly [string, string | undefined])[] = [
  ['0123456', undefined],
  ['42798', undefined],
  ['12345e2', undefined],
  ['1e3', undefined],
  ['20261128', undefined],
  ['1_000', undefined],
  ['0x1F', undefined],
  ['0o17', undefined],
  ['1.10', undefined],
  ['2.0', undefined],
  ['.5', undefined],
  ['0', undefined],
  ['12345678901234567890', undefined],
  ['"0123456"', '0123456'],
  ['"12345e2"', '12345e2'],
  ['12345e2f', '12345e2f'],
  ['2026-11-28', '2026-11-28'],
  ['v1.10', 'v1.10'],
];

testWithHelm.each(WRITTEN)('the tag %s in a file is what was meant, or refused', async (written, meant) => {
  const rendered = renderFile(`image: { tag: ${written} }`);
  if (meant !== undefined) {
    expect(operatorOf(await rendered).spec.containers[0].image).toBe(`registry.test/holdfast:${meant}`);
  } else {
    await expect(rendered).rejects.toThrow(
      /image\.tag is the number .*Put it in quotes there, or give it by --set-string/,
    );
  }
});

testWithHelm.each(['true', 'yes', 'off'])('the tag %s in a file is refused by a sentence', async (written) => {
  await expect(renderFile(`image: { tag: ${written} }`)).rejects.toThrow('image.tag is true or false');
});

testWithHelm.each([
  'podLabels',
  'podAnnotations',
  'nodeSelector',
  'serviceAccount.annotations',
  'metrics.service.annotations',
  'metrics.serviceMonitor.labels',
  'tasks.labels',
  'tasks.annotations',
  'tasks.nodeSelector',
  'tasks.env',
  'serve.podLabels',
  'serve.podAnnotations',
  'serve.nodeSelector',
  'serve.service.annotations',
  'serve.serviceMonitor.labels',
])('a number under %s is as it was typed with --set, and refused in a file', async (path) => {
  const lines = path.split('.').map((name, depth) => `${'  '.repeat(depth)}${name}:`);
  const nested = (value: string) => `${lines.join('\n')}\n${'  '.repeat(lines.length)}COST: ${value}\n`;
  await expect(renderFile(nested('0012345'))).rejects.toThrow(/COST is the number 5349, .*Put it in quotes/);
  await expect(renderFile(nested('"0012345"'))).resolves.not.toEqual([]);
  const text = JSON.stringify(renderChart(helm, ...set(...ALL, `${path}.COST=1000000`)));
  expect(text).toMatch(/\\?"COST\\?":(\\?")?1000000\b/);
});

/** Every value that the chart has, `serve.service.type` and `serve.service` alike. */
async function paths(): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, '../../charts/holdfast/values.yaml'), 'utf8');
  const within = (value: unknown, path: readonly string[]): string[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([name, inner]) => [[...path, name].join('.'), ...within(inner, [...path, name])])
      : [];
  return within(parse(text), []);
}

testWithHelm(
  'any value may be null, or the schema says which one is missing',
  async () => {
    const said: string[] = [];
    for (const path of await paths()) {
      try {
        renderChart(helm, ...set(...ALL, 'caBundle.configMap=authorities', `${path}=null`));
      } catch (error) {
        const name = path.split('.').at(-1);
        if (!String(error).includes(`missing property '${name}'`)) said.push(`${path}: ${String(error)}`);
      }
    }
    expect(said).toEqual([]);
  },
  120_000,
);

testWithHelm.each([
  ['a number', '0.5', 0.5],
  ['a whole number', '2', 2],
  ['a text', '"0.5"', '0.5'],
  ['thousandths', '500m', '500m'],
])('a limit of processors may be %s', async (_, written, limit) => {
  const objects = await renderFile(`tasks: { limits: { cpu: ${written} } }`);
  const { env } = operatorOf(objects).spec.containers[0];
  const told = env.find(({ name }: KubernetesObject) => name === 'HOLDFAST_TASK_PODS').value;
  expect(JSON.parse(told).limits).toEqual({ cpu: limit });
});

testWithHelm.each([
  ['a limit in words', 'tasks.limits.cpu=two'],
  ['a name that cannot be', 'priorityClassName=High_One'],
  ['a key that cannot be', 'serve.postgres.secretKey=a b'],
  ['a namespace that cannot be', 'serve.namespaces={Shop}'],
])('%s is refused in one line', (_, setting) => {
  try {
    renderChart(helm, ...set(...ALL, setting));
  } catch (error) {
    const lines = String((error as Error & { stderr: Buffer | string }).stderr).split('\n');
    expect(lines.filter((line) => line.trim().startsWith('- at'))).toHaveLength(1);
    return;
  }
  throw new Error('it was taken');
});

testWithHelm.each(['podLabels', 'serve.podLabels', 'metrics.serviceMonitor.labels'])(
  'a label by which pods are found is not given by %s',
  (path) => {
    for (const label of [
      'app\\.kubernetes\\.io/name',
      'app\\.kubernetes\\.io/instance',
      'holdfast\\.dev/release-namespace',
    ]) {
      expect(() => renderChart(helm, ...set(...ALL, `${path}.${label}=x`))).toThrow(
        `at '/${path.replaceAll('.', '/')}`,
      );
    }
  },
);
