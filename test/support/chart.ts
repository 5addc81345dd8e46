import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ApiRequest } from '../cluster/api-request.ts';

const CHART = join(import.meta.dirname, '..', '..', 'charts', 'holdfast');

/** An image that the chart takes for one that can be pulled. */
const REPOSITORY = 'registry.test/holdfast';

// biome-ignore lint: any object of Kubernetes.
export type KubernetesObject = any;

/** The chart's objects, as helm renders them for a release `holdfast` in `holdfast-system`. */
export function renderChart(helm: string, ...options: readonly string[]): KubernetesObject[] {
  return renderRelease(helm, 'holdfast', ...options);
}

/** The same for a release of another name. */
export function renderRelease(helm: string, release: string, ...options: readonly string[]): KubernetesObject[] {
  const args = ['--set', `image.repository=${REPOSITORY}`, ...options];
  const text = execFileSync(helm, ['template', release, CHART, '--namespace', 'holdfast-system', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // As helm and kubectl read it.
  return parseAllDocuments(text, { version: '1.1' })
    .map((document): KubernetesObject => document.toJS())
    .filter((object) => object !== null);
}

/** What helm says after an install. */
export function releaseNotes(helm: string, ...options: readonly string[]): string {
  const args = ['--namespace', 'holdfast-system', '--dry-run=client', '--set', `image.repository=${REPOSITORY}`];
  return execFileSync(helm, ['install', 'holdfast', CHART, ...args, ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KUBECONFIG: '/dev/null' },
  }).replace(/^[^]*\nNOTES:\n/, '');
}

const IRREGULAR: Readonly<Record<string, string>> = {
  PodDisruptionBudget: 'poddisruptionbudgets',
  NetworkPolicy: 'networkpolicies',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
};

/** Where objects of its kind are made. */
function pathOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = IRREGULAR[kind] ?? `${kind.toLowerCase()}s`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${plural}`;
}

/** What the API server says against each object; a kind of ours is there already, so it is replaced. */
export async function refusals(
  request: ApiRequest,
  objects: readonly KubernetesObject[],
  query: string,
): Promise<string[]> {
  const said: string[] = [];
  for (const object of objects) {
    const definition = object.kind === 'CustomResourceDefinition';
    const { status, body } = definition
      ? await request(
          'PATCH',
          `${pathOf(object)}/${object.metadata.name}?${query}&fieldManager=helm&force=true`,
          JSON.stringify(object),
          'application/apply-patch+yaml',
        )
      : await request('POST', `${pathOf(object)}?${query}`, object);
    if (status > 299) said.push(`${object.kind} ${object.metadata.name}: ${status} ${body.message}`);
  }
  return said;
}
