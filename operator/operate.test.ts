import { afterEach, expect, test } from '@jest/globals';
import { type FakeKube, fakeKube } from '../test/support/fake-kube.ts';
import { program, STAGE_SETTINGS } from '../test/support/program.ts';
import { type KubeApi, KubeError, type ListOptions, RESOURCES, type Resource } from './kube/api.ts';
import { systemClock } from './kube/clock.ts';
import type { ProgramObject } from './objects.ts';
import { type Operator, operate } from './operate.ts';

const { retentionPrograms } = RESOURCES;

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
  const refusals = Promise.withResolvers<void>();
  const api: KubeApi = {
    ...kube.api,
    async list(resource, options, signal) {
      lists.push(options);
      if (!forbidden(resource, options)) return await kube.api.list(resource, options, signal);
      throw new KubeError(403, 'Forbidden', `${resource.plural}: no`);
    },
  };
  operator = await operate(api, {
    settings: {
      ...STAGE_SETTINGS,
      watchNamespaces: namespaces,
      namespace: 'holdfast',
      lease: 'holdfast',
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
  expect(kube.all(RESOURCES.leases)).toEqual([]);
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
  for (let turns = 0; !log.includes('leading') && turns < 5_000; turns += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect((await fetch(`http://127.0.0.1:${operator.port}/readyz`)).status).toBe(200);
  expect(log[0]).toMatch(/^watching no namespace: /);
  expect(lists).toEqual([]);
  expect(kube.all<ProgramObject>(retentionPrograms)[0]?.status).toBeUndefined();
});
