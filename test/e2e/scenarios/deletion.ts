import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { longProgram, smallProgram } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { conditionOf, openReadyTenant, type Tenant } from '../tenant.ts';
import { install, RELEASE, type World } from '../world.ts';

export const jobTaken: Scenario = {
  name: 'a Job that is not ours and has the name of ours is left alone, and the run says so',
  async run(world) {
    const tenant = await openReadyTenant(world, 'foreign');
    await tenant.apply(smallProgram('foreign'));
    await tenant.makeRun('taken', 'foreign', { suspend: true });
    const name = 'taken-extract-migrate-1';
    await tenant.kubectl('create', 'job', name, '--image=registry.test/absent:1');
    const [before] = await foreignJobs(world);
    await tenant.kubectl('patch', 'rr', 'taken', '--type=merge', '-p', '{"spec":{"suspend":false}}');
    const run = await tenant.ended('taken');
    assert.equal(run.status?.phase, 'Failed');
    assert.equal(conditionOf(run, 'Failed')?.reason, 'NameTaken');
    assert.match(conditionOf(run, 'Failed')?.message ?? '', new RegExp(name));
    assert.match(await tenant.kubectl('describe', 'rr/taken'), new RegExp(`NameTaken.*${name}`));
    const [after, ...others] = await foreignJobs(world);
    assert.deepEqual([after?.metadata.uid, after?.spec, others], [before?.metadata.uid, before?.spec, []]);
    await tenant.kubectl('delete', 'job', name);
    await tenant.makeRun('free', 'foreign');
    assert.equal((await tenant.ended('free')).status?.phase, 'Succeeded');
  },
};

export const deletedMidRun: Scenario = {
  name: 'the Job, the run, or the program is deleted in the middle of a stage: the Job is made again, the rest ends clean',
  async run(world) {
    const tenant = await openReadyTenant(world, 'deletion');
    await tenant.apply(smallProgram('deletion'));
    await using gates = await tenant.startAnew();

    await gates.close('score/score');
    await tenant.makeRun('loses-job', 'deletion');
    await gates.reached('score/score');
    const [lost] = (await tenant.pods('loses-job')).filter(({ status }) => status?.phase === 'Running');
    // Its successor waits for it: never do two do the same task at once.
    await tenant.kubectl('delete', 'job', 'loses-job-score-1', '--wait=false');
    await tenant.kubectl('delete', 'pod', lost?.metadata.name ?? '', '--grace-period=1');
    await gates.open('score/score');
    const again = await tenant.ended('loses-job');
    assert.equal(again.status?.phase, 'Succeeded');
    assert.deepEqual(
      again.status?.stages?.map(({ attempt }) => attempt),
      [1, 1, 2, 1, 1],
    );
    assert.match(await tenant.kubectl('describe', 'rr/loses-job'), /TaskRetried/);

    await gates.close('score/score');
    await tenant.makeRun('goes', 'deletion');
    await gates.reached('score/score');
    await tenant.kubectl('delete', 'rr', 'goes');
    await gates.open('score/score');
    await assertNothingLeft(tenant, 'goes');

    await gates.close('score/score');
    await tenant.makeRun('orphan', 'deletion');
    await gates.reached('score/score');
    await tenant.kubectl('delete', 'rp', 'deletion');
    await gates.open('score/score');
    const orphan = await tenant.ended('orphan');
    assert.equal(orphan.status?.phase, 'Failed');
    assert.equal(conditionOf(orphan, 'Failed')?.reason, 'ProgramDeleted');
    await until(
      'no pod of the run goes on',
      () => tenant.pods('orphan'),
      (pods) => pods.every(({ status }) => /Succeeded|Failed/.test(status?.phase ?? '')),
    );
  },
};

export const namespaceDeleted: Scenario = {
  name: 'with rights in all namespaces, one with a run under way is deleted: it goes, and the operator has nothing to complain about',
  async run(world) {
    await install(world, RELEASE, { watchNamespaces: ['*'] });
    const tenant = await openReadyTenant(world, 'doomed');
    await tenant.apply(longProgram('doomed'));
    await tenant.makeRun('doomed', 'doomed');
    await tenant.works('extract/extract');
    await tenant.kubectl('delete', 'namespace', 'doomed', '--timeout=90s');
    assert.equal(await world.get('/api/v1/namespaces/doomed'), undefined);
  },
};

async function foreignJobs({ get }: World) {
  return (await get('/apis/batch/v1/namespaces/foreign/jobs')).items;
}

async function assertNothingLeft(tenant: Tenant, run: string): Promise<void> {
  await until(
    `no Job and no pod of ${run} is left`,
    async () => [...(await tenant.jobs(run)), ...(await tenant.pods(run))].map(({ metadata }) => metadata.name),
    (names) => names.length === 0,
  );
}
