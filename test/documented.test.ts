import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { VERSION } from '../providers/artifacts/producer.ts';
import { shellBlocks } from './support/documented.ts';

/** Whose lines are tested as they are printed. */
const DOCUMENTS = [
  'README.md',
  ...[
    'api',
    'cluster',
    'data',
    'explain',
    'failed',
    'filters',
    'gitops',
    'list',
    'models',
    'operations',
    'prune',
    'start',
    'transactions',
    'warehouses',
  ].map((name) => `docs/guides/${name}.md`),
];

/** Which test types the lines of a name. */
const TYPED_BY: Readonly<Record<string, string>> = {
  install: 'e2e/scenarios/install.ts',
  diff: 'e2e/scenarios/install.ts',
  upgrade: 'e2e/scenarios/install.ts',
  rollback: 'e2e/scenarios/install.ts',
  look: 'e2e/scenarios/first-run.ts',
  uninstall: 'e2e/scenarios/quiet.ts',
  reinstall: 'e2e/scenarios/reinstall.ts',
  gitops: 'e2e/scenarios/reinstall.ts',
  'files-on-a-claim': 'e2e/scenarios/reinstall.ts',
  'claim-backup': 'e2e/scenarios/reinstall.ts',
  'claim-restore': 'e2e/scenarios/reinstall.ts',
  'remove-all': 'e2e/scenarios/reinstall.ts',
  dump: 'backup.test.ts',
  restore: 'backup.test.ts',
  laptop: 'typed.test.ts',
  serve: 'typed.test.ts',
  ask: 'typed.test.ts',
  tokens: 'typed.test.ts',
};

test.each(DOCUMENTS)('%s: lines for a shell are run by a test, or it says why they are not', async (file) => {
  for (const { line, name, reason } of shellBlocks(file)) {
    const place = `${file}, line ${line}`;
    const claimed = name ?? reason;
    expect([place, claimed ?? 'put <!-- run: NAME --> or <!-- not run: WHY --> in the line before the block']).toEqual([
      place,
      claimed,
    ]);
    if (name === undefined) continue;
    const test = await readFile(join(import.meta.dirname, TYPED_BY[name] ?? 'nothing'), 'utf8').catch(() => '');
    expect([place, test.includes(`'${name}'`)]).toEqual([place, true]);
  }
});

test('the version in the README is that of the image and the chart', async () => {
  const read = (file: string) => readFile(join(import.meta.dirname, '..', file), 'utf8');
  expect(await read('README.md')).toContain(`TAG=${VERSION} `);
  expect(parse(await read('charts/holdfast/Chart.yaml'))).toMatchObject({ version: VERSION, appVersion: VERSION });
});

test('the examples for a cluster are manifests', async () => {
  for (const name of ['artifacts', 'postgres', 'claim-pod']) {
    const text = await readFile(join(import.meta.dirname, `../examples/cluster/${name}.yaml`), 'utf8');
    for (const document of parseAllDocuments(text)) {
      expect(document.errors).toEqual([]);
      expect(document.toJS()).toMatchObject({ apiVersion: expect.any(String), metadata: { name: expect.any(String) } });
    }
  }
});

test.each([
  ['claim-pod', /65532/],
  ['postgres', /: 999$/],
])('without the lines that its head names, %s leaves user and groups to the platform', async (name, lines) => {
  const file = join(import.meta.dirname, `../examples/cluster/${name}.yaml`);
  const text = (await readFile(file, 'utf8')).split('\n');
  const security = (kept: readonly string[]) =>
    parseAllDocuments(kept.join('\n'))
      .map((document) => document.toJS())
      .map(({ spec }) => spec.template?.spec.securityContext ?? spec.securityContext)
      .filter((context) => context !== undefined);
  expect(security(text)).toEqual([expect.objectContaining({ runAsUser: expect.any(Number) })]);
  const [left] = security(text.filter((line) => !lines.test(line)));
  expect(Object.keys(left).filter((field) => /^(runAs(User|Group)|fsGroup)$/.test(field))).toEqual([]);
  expect(left).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(text.join('\n')).toContain(`/${lines.source}/d`);
});
