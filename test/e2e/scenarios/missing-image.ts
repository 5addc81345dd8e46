import assert from 'node:assert/strict';
import { join } from 'node:path';
import { run as runProgram } from '../../cluster/command.ts';
import { execution, smallProgram } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { conditionOf, openReadyTenant } from '../tenant.ts';
import { install, SYSTEM } from '../world.ts';

const ABSENT = 'registry.test/absent:1';
/** Release of an operator that is gone at the end. */
export const OPERATOR = 'holdfast-absent';

export const missingImage: Scenario = {
  name: 'an image that cannot be pulled is named; the run ends at its deadline, or goes on when the image is there',
  async run(world) {
    const { cluster } = world;
    const tenant = await openReadyTenant(world, 'stuck');
    // An operator of its own, which runs on a good image and is set to another for the stages.
    await install(world, OPERATOR, { watchNamespaces: ['stuck'], replicas: 1, crds: { install: false } });
    const deployment = `deployment/${OPERATOR}`;
    await cluster.kubectl('set', 'env', deployment, `HOLDFAST_IMAGE=${ABSENT}`, '--namespace', SYSTEM);
    await cluster.kubectl('rollout', 'status', deployment, '--namespace', SYSTEM, '--timeout=120s');

    await tenant.apply(
      smallProgram('impatient', { execution: execution({ deadlineSeconds: 20 }) }),
      smallProgram('patient'),
    );
    await tenant.makeRun('impatient', 'impatient');
    await tenant.makeRun('patient', 'patient');
    const late = await tenant.ended('impatient');
    assert.equal(late.status?.phase, 'Failed');
    assert.equal(conditionOf(late, 'Failed')?.reason, 'DeadlineExceeded');
    assert.match(conditionOf(late, 'Failed')?.message ?? '', new RegExp(`the image ${ABSENT} cannot be pulled`));
    assert.deepEqual(
      (await tenant.pods('impatient')).filter(({ status }) => status?.phase === 'Pending'),
      [],
    );

    const waiting = await tenant.waits('patient', 'ImagePullBackOff');
    assert.match(conditionOf(waiting, 'Reconciling')?.message ?? '', new RegExp(ABSENT));
    const socket = join(cluster.folder, 'containerd', 'containerd.sock');
    const ctr = ['--address', socket, '--namespace', 'k8s.io', 'images', 'tag'];
    await runProgram('ctr', [...ctr, world.image.reference, ABSENT]);
    assert.equal((await tenant.ended('patient')).status?.phase, 'Succeeded');
    await cluster.helm('uninstall', OPERATOR, '--namespace', SYSTEM, '--wait');
  },
};
