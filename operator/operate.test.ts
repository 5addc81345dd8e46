import { afterEach, expect, test } from '@jest/globals';
import { type FakeKube, fakeKube } from '../test/support/fake-kube.ts';
import { program, STAGE_SETTINGS } from '../test/support/program.ts';
import { type KubeApi, KubeError, type ListOptions, RESOURCES, type Resource } from './kube/api.ts';
import { systemClock } from './kube/clock.ts';
import type { ProgramObject } from './kube/objects.ts';
import { type Operator, operate } from './operate.ts';

const { retentionPrograms, deployments, leases } = RESOURCES;

let kube: FakeKube;
let operator: Operator;
let lists: ListOptions[] = [];
let log: string[] = [];

afterEach(() => operator.stop());

/** An operator on a cluster where some lists are forbidden. */
async function start(forbidden: (resource: Resource, options: ListOptions) => boolean, namespaces: string[] = ['*']) {
  kube = fakeKube(() => new Date());
  [lists, log] = [[], []];
  kube.put(retentionPrograms, program());
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'holdfast', namespace: 'holdfast' },
  };
  kube.put(deployments, deployment);
  const refusals = Promise.withResolvers<void>();
  const api: KubeApi = {
    ...kube.api,
    async list(resource, options, signal) {
      lists.push(options);
      if (!forbidden(resource, options)) return await kube.api.list(resource, options, signal);
      throw new KubeError(403, 'Forbidden', `${resource.plural}: no`);
    },
    async get(resource, key, signal) {
      if (!forbidden(resource, {})) return await kube.api.get(resource, key, signal);
      throw new KubeError(403, 'Forbidden', `${resource.plural} are forbidden`);
    },
  };
  operator = await operate(api, {
    settings: {
      ...STAGE_SETTINGS,
      watchNamespaces: namespaces,
      namespace: 'holdfast',
      lease: 'holdfast',
      deployment: 'holdfast',
      instance: 'one',
      port: 0,
      kubeconfig: undefined,
    },
    clock: systemClock,
    random: () => 0,
    log: (line) => {
      log.push(line);
      if (line.includes(': no')) refusals.resolve();
    },
  });
  return refusals.promise;
}

test('a replica that may not see everything is not ready, says what it lacks, and does not lead', async () => {
  await start(({ plural }) => plural === 'pods');
  const ready = await fetch(`http://127.0.0.1:${operator.port}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, 'waiting for pods\n']);
  // As many turns as it would take to get the lease.
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(kube.all(leases)).toEqual([]);
});

test('a watched namespace that is gone, and the rights in it, does not stop the others', async () => {
  await start((_, { namespace }) => namespace === 'gone', ['shop', 'gone']);
  const reason = () => kube.all<ProgramObject>(retentionPrograms)[0]?.status?.conditions?.[0]?.reason;
  for (let turns = 0; reason() === undefined && turns < 5_000; turns += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(reason()).toBe('Scheduled');
});

test('an operator that is told no namespace is ready, says so, and looks at nothing', async () => {
  void start(() => false, []);
  await untilItLeads();
  expect((await fetch(`http://127.0.0.1:${operator.port}/readyz`)).status).toBe(200);
  expect(log[0]).toMatch(/^watching no namespace: /);
  expect(lists).toEqual([]);
  expect(kube.all<ProgramObject>(retentionPrograms)[0]?.status).toBeUndefined();
});

async function untilItLeads(): Promise<void> {
  for (let turns = 0; !log.includes('leading') && turns < 5_000; turns += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test('the Lease belongs to the Deployment of the operator, so that it goes with it', async () => {
  void start(() => false);
  await untilItLeads();
  const [deployment] = kube.all(deployments);
  expect(kube.all(leases)[0]?.metadata.ownerReferences).toEqual([
    { apiVersion: 'apps/v1', kind: 'Deployment', name: 'holdfast', uid: deployment?.metadata.uid },
  ]);
});

test('an operator that may not read its Deployment leads all the same, and says what will be left', async () => {
  void start(({ plural }) => plural === 'deployments');
  await untilItLeads();
  expect(kube.all(leases)[0]?.metadata.ownerReferences).toBeUndefined();
  expect(log).toContain(
    'the Lease will outlive the Deployment holdfast/holdfast, which cannot be read: deployments are forbidden',
  );
});
