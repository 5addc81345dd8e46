import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import type { Scenario } from '../scenario.ts';
import { install, makeNamespace, RELEASE, SYSTEM, type World } from '../world.ts';
import { TENANTS } from './tenants.ts';

export const installed: Scenario = {
  name: 'helm install brings the kinds and two replicas, of which one leads',
  always: true,
  async run(world) {
    const { cluster, show } = world;
    for (const namespace of TENANTS) await makeNamespace(cluster, namespace);
    const began = performance.now();
    await install(world, RELEASE, { watchNamespaces: TENANTS });
    show(`from helm install to two ready replicas: ${((performance.now() - began) / 1000).toFixed(1)} s`);
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
