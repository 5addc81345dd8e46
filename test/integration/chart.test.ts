import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';

/*
 * The chart, as helm renders it, given to a real API server, and what the operator may then do there.
 */
const CHART = join(import.meta.dirname, '..', '..', 'charts', 'holdfast');
const OPERATOR = 'system:serviceaccount:holdfast-system:holdfast';

const testOnServer = await testOnControlPlane(['helm']);
let plane: ControlPlane;
let helm: string;

beforeAll(async () => {
  ({ helm } = await findBinaries(['helm']));
  plane = await startControlPlane({ controllerManager: false });
  for (const name of ['holdfast-system', 'watched', 'other']) {
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name } });
  }
}, 120_000);

afterAll(async () => {
  await plane?.stop();
}, 60_000);

// biome-ignore lint: any object of Kubernetes.
type KubernetesObject = any;

function render(...settings: readonly string[]): KubernetesObject[] {
  const args = settings.flatMap((setting) => ['--set', setting]);
  const text = execFileSync(helm, ['template', 'holdfast', CHART, '--namespace', 'holdfast-system', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return parseAllDocuments(text)
    .map((document): KubernetesObject => document.toJS())
    .filter((object) => object !== null);
}

const PLURALS: Readonly<Record<string, string>> = { PodDisruptionBudget: 'poddisruptionbudgets' };

function pathOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${plural}`;
}

/** What the API server says against each object; a kind of ours is there already, so it is replaced. */
async function refusals(objects: readonly KubernetesObject[], query: string): Promise<string[]> {
  const said: string[] = [];
  for (const object of objects) {
    const definition = object.kind === 'CustomResourceDefinition';
    const { status, body } = definition
      ? await plane.request(
          'PATCH',
          `${pathOf(object)}/${object.metadata.name}?${query}&fieldManager=helm&force=true`,
          JSON.stringify(object),
          'application/apply-patch+yaml',
        )
      : await plane.request('POST', `${pathOf(object)}?${query}`, object);
    if (status > 299) said.push(`${object.kind} ${object.metadata.name}: ${status} ${body.message}`);
  }
  return said;
}

async function may(verb: string, resource: string, namespace: string, name?: string): Promise<boolean> {
  const [group, path] = resource.includes('/') ? (resource.split('/', 2) as [string, string]) : ['', resource];
  const [plural, subresource] = path.split(':');
  const { body } = await plane.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: OPERATOR, resourceAttributes: { verb, group, resource: plural, subresource, namespace, name } },
  });
  return body.status.allowed;
}

testOnServer.each([
  ['as it comes', []],
  ['with namespaces to watch', ['watchNamespaces={watched,other}']],
  ['by digest', [`image.digest=sha256:${'0a'.repeat(32)}`]],
  ['without roles for people', ['aggregateRoles=false']],
  ['with one replica and a secret to pull with', ['replicas=1', 'image.pullSecrets={registry}']],
  ['without CRDs and service account', ['crds.install=false', 'serviceAccount.create=false']],
])('%s, the chart is taken by the API server to the last field', async (_, settings) => {
  expect(await refusals(render(...settings), 'dryRun=All&fieldValidation=Strict')).toEqual([]);
});

testOnServer.each([
  ['a misspelt value', 'imagee.tag=1'],
  ['a digest that is none', 'image.digest=sha256:abc'],
  ['text for a number', 'replicas=two'],
  ['a namespace that cannot be', 'watchNamespaces={Tenant_A}'],
])('%s is refused', (_, setting) => {
  expect(() => render(setting)).toThrow('values don');
});

testOnServer('no rule has a wildcard, and none is about secrets', () => {
  for (const object of [...render(), ...render('watchNamespaces={watched}')]) {
    for (const rule of object.rules ?? []) {
      const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs];
      expect(words.filter((word: string) => word.includes('*') || word.startsWith('secrets'))).toEqual([]);
    }
  }
});

testOnServer('the operator may do what it does, in the namespaces that it watches and in no other', async () => {
  expect(await refusals(render('watchNamespaces={watched}'), 'fieldValidation=Strict')).toEqual([]);
  const needed = [
    ['list', 'holdfast.dev/retentionprograms'],
    ['watch', 'holdfast.dev/retentionruns'],
    ['create', 'holdfast.dev/retentionruns'],
    ['patch', 'holdfast.dev/retentionprograms:status'],
    ['patch', 'holdfast.dev/retentionruns:status'],
    ['update', 'holdfast.dev/retentionruns:finalizers'],
    ['create', 'batch/jobs'],
    ['patch', 'batch/jobs'],
    ['delete', 'batch/jobs'],
    ['watch', 'pods'],
    ['create', 'configmaps'],
    ['create', 'events.k8s.io/events'],
    ['list', 'events.k8s.io/events'],
    ['patch', 'events.k8s.io/events'],
  ] as const;
  for (const [verb, resource] of needed) {
    expect([verb, resource, await may(verb, resource, 'watched')]).toEqual([verb, resource, true]);
    expect([verb, resource, await may(verb, resource, 'other')]).toEqual([verb, resource, false]);
  }
  for (const verb of ['get', 'list', 'watch']) expect(await may(verb, 'secrets', 'watched')).toBe(false);
  expect(await may('patch', 'holdfast.dev/retentionruns', 'watched')).toBe(false);
  expect(await may('create', 'pods', 'watched')).toBe(false);
  expect(await may('update', 'coordination.k8s.io/leases', 'holdfast-system', 'holdfast')).toBe(true);
  expect(await may('update', 'coordination.k8s.io/leases', 'holdfast-system', 'of-others')).toBe(false);
});
