import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import type { Scenario } from '../scenario.ts';
import { RELEASE, SYSTEM } from '../world.ts';
import { operatorPods, readerOf } from './install.ts';
import { OPERATOR as ABSENT } from './missing-image.ts';
import { FOREIGN } from './other-platform.ts';

const UNINSTALLED = [ABSENT, FOREIGN];

/** All that an operator that fares well has to say. */
const EXPECTED = [/^listening on port \d+$/, /^watching$/, /^leading$/, /^no longer leading$/, /^stopping: SIGTERM$/];

export const quietLogs: Scenario = {
  name: 'whatever happened so far, no operator has logged anything but its own coming and going',
  run({ operatorLogs }) {
    // One that was uninstalled lost its rights before it could hand its lease on.
    const logs = [...operatorLogs.lines()].filter(
      ([pod]) => !UNINSTALLED.some((release) => pod.startsWith(`${release}-`)),
    );
    const lines = logs.flatMap(([pod, lines]) => lines.map((line) => ({ pod, line })));
    assert.ok(lines.length > 0);
    const unexpected = lines.filter(({ line }) => {
      const [, said = line] = /^\S+Z (.*)$/.exec(line) ?? [];
      return !EXPECTED.some((pattern) => pattern.test(said));
    });
    assert.deepEqual(unexpected, []);
    return Promise.resolve();
  },
};

export const uninstalled: Scenario = {
  name: 'helm uninstall, as the guide prints it, leaves the kinds, the programs and their runs, and nothing of the operator',
  async run(world) {
    const { cluster, get } = world;
    const objects = async () => (await cluster.kubectl('get', 'rp,rr', '-A', '-o', 'name')).trim().split('\n').sort();
    const before = await objects();
    await (await readerOf(world)).types('docs/guides/operations.md', 'uninstall');
    await until(
      'no pod of the operator is left',
      () => operatorPods(world),
      (pods) => pods.length === 0,
    );
    await until(
      'no Lease is left',
      () => get(`/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases`),
      ({ items }) => items.length === 0,
    );
    assert.deepEqual(await objects(), before);
    assert.ok(before.length > 0);
    const label = encodeURIComponent(`app.kubernetes.io/instance=${RELEASE}`);
    const rbac = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'];
    const admission = ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'];
    for (const path of [
      ...rbac.map((resource) => `rbac.authorization.k8s.io/v1/${resource}`),
      ...admission.map((resource) => `admissionregistration.k8s.io/v1/${resource}`),
    ]) {
      const { items } = await get(`/apis/${path}?labelSelector=${label}`);
      assert.deepEqual(items, []);
    }
  },
};
