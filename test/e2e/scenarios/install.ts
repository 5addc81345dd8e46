import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { until } from '../../support/until.ts';
import { openReader, type Reader } from '../reader.ts';
import type { Scenario } from '../scenario.ts';
import { openBareTenant } from '../tenant.ts';
import { install, makeNamespace, RELEASE, restrict, SYSTEM, type World } from '../world.ts';
import { TENANTS } from './tenants.ts';

export const installed: Scenario = {
  name: 'the lines of the README, as printed, bring the operator, a first batch, and its candidates by the API',
  always: true,
  async run(world) {
    const { cluster, show } = world;
    const began = performance.now();
    const said = await (await readerOf(world)).types('README.md', 'install');
    show(`from make image to the first candidates: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    const { items } = JSON.parse(said.slice(said.lastIndexOf('\n{') + 1)) as { items: readonly object[] };
    assert.equal(items.length, 3);
    const { status } = await world.get(`/apis/apps/v1/namespaces/${SYSTEM}/deployments/${RELEASE}`);
    assert.equal(status.readyReplicas, 2);
    const leader = await leaderOf(world);
    const pods = await operatorPods(world);
    assert.equal(pods.length, 2);
    assert.ok(pods.includes(leader), `the leader ${leader} is none of ${pods.join(', ')}`);
    const leading = [...world.operatorLogs.lines()].filter(([, lines]) =>
      lines.some((line) => line.endsWith(' leading')),
    );
    assert.deepEqual(
      leading.map(([pod]) => pod),
      [leader],
    );
    for (const kind of ['retentionprograms', 'retentionruns']) {
      await cluster.kubectl('wait', '--for=condition=Established', `crd/${kind}.holdfast.dev`, '--timeout=30s');
    }
  },
};

export const upgraded: Scenario = {
  name: 'after a run nothing differs from what was written; an upgrade and a roll back go as the guide prints them',
  async run(world) {
    const reader = await readerOf(world);
    for (const name of ['diff', 'upgrade', 'rollback']) await reader.types('docs/guides/operations.md', name);
  },
};

export const widened: Scenario = {
  name: 'the operator is told to watch further namespaces, whose pods must be restricted',
  always: true,
  async run(world) {
    await restrict(world.cluster, 'shop');
    for (const namespace of TENANTS.filter((name) => name !== 'shop')) await makeNamespace(world.cluster, namespace);
    await install(world, RELEASE, { watchNamespaces: TENANTS });
  },
};

const readers = new WeakMap<World, Promise<Reader>>();

/** One who installs, and still has what they set when it comes to the rest. */
export function readerOf(world: World): Promise<Reader> {
  const known = readers.get(world) ?? welcome(world);
  readers.set(world, known);
  return known;
}

async function welcome(world: World): Promise<Reader> {
  const shop = await openBareTenant(world, 'shop');
  const [image = '', tag = ''] = world.image.reference.split(/:(?=[^/]*$)/);
  const token = randomBytes(32).toString('hex');
  return await openReader(world, { IMAGE: image, TAG: tag, TOKEN: token, DATABASE_URL: shop.databaseUrl() });
}

/** Name of the pod that holds the lease, once one does. */
export async function leaderOf(world: World): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/${RELEASE}`;
  const lease = await until(
    'a replica leads',
    () => world.get(path),
    (seen) => Boolean(seen?.spec.holderIdentity),
  );
  return lease.spec.holderIdentity.split('_')[0];
}

export async function operatorPods({ get }: World): Promise<readonly string[]> {
  const { items } = await get(
    `/api/v1/namespaces/${SYSTEM}/pods?labelSelector=app.kubernetes.io%2Finstance%3D${RELEASE}`,
  );
  return items.filter((pod: any) => pod.metadata.deletionTimestamp === undefined).map((pod: any) => pod.metadata.name);
}
