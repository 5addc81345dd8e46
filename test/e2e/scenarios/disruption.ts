import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { until } from '../../support/until.ts';
import { TASKS } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { assertOneJobPerTask, weather } from '../storm.ts';
import { SYSTEM, type World } from '../world.ts';
import { leaderOf } from './install.ts';

export const podsDeleted: Scenario = {
  name: 'a pod that is deleted in the middle of a stage, in each of them, costs nothing: the result is that of a calm run',
  async run(world) {
    const { run, tenant } = await weather(world, async (gates, { kubectl }, run) => {
      for (const task of TASKS) await gates.close(task);
      for (const task of TASKS) {
        await gates.reached(task);
        const [stage, name] = task.split('/');
        const selector = `holdfast.dev/run=${run},holdfast.dev/stage=${stage},holdfast.dev/task=${name}`;
        const began = performance.now();
        // The gate lets nothing through, so a task cannot end within its grace period, whatever that is.
        await kubectl('delete', 'pod', `--selector=${selector}`, '--grace-period=1');
        world.show(`the pod of ${task} was gone after ${((performance.now() - began) / 1000).toFixed(1)} s`);
        await gates.left(task);
        await gates.open(task);
      }
    });
    await assertOneJobPerTask(tenant, run.metadata.name);
    for (const job of await tenant.jobs(run.metadata.name)) {
      assert.equal(job.status?.failed, 1, `the Job ${job.metadata.name} lost one pod`);
    }
  },
};

export const leaderDeleted: Scenario = {
  name: 'the leading operator is deleted, then the next one killed, in the middle of a run: another goes on, and no Job is made twice',
  async run(world) {
    const { run, tenant } = await weather(world, async (gates) => {
      await gates.close('filter/filter');
      await gates.close('offer/offer');
      await gates.reached('filter/filter');
      const first = await leaderOf(world);
      await world.cluster.kubectl('delete', 'pod', first, '--namespace', SYSTEM, '--wait=false');
      await gates.open('filter/filter');

      await gates.reached('offer/offer');
      const second = await leaderOf(world);
      assert.notEqual(second, first);
      await killOperator(world, second);
      await gates.open('offer/offer');
    });
    await assertOneJobPerTask(tenant, run.metadata.name);
    assert.equal((await tenant.pods(run.metadata.name)).length, TASKS.length);
    await world.cluster.kubectl('rollout', 'status', 'deployment/holdfast', '--namespace', SYSTEM, '--timeout=60s');
  },
};

export const kubeletRestarted: Scenario = {
  name: 'the node agent is killed and started again in the middle of a run: the pod that ended meanwhile is not run again',
  async run(world) {
    const { run, tenant } = await weather(world, async (gates) => {
      await gates.close('score/score');
      await gates.reached('score/score');
      await Promise.all([world.cluster.restartKubelet(), gates.open('score/score')]);
    });
    await assertOneJobPerTask(tenant, run.metadata.name);
    assert.equal((await tenant.pods(run.metadata.name)).length, TASKS.length);
  },
};

/** SIGKILL: it has no time to hand the lease on. */
async function killOperator(world: World, pod: string): Promise<void> {
  const { metadata } = await world.get(`/api/v1/namespaces/${SYSTEM}/pods/${pod}`);
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [groups, command] = await Promise.all(
      ['cgroup', 'cmdline'].map((file) => readFile(`/proc/${entry}/${file}`, 'utf8').catch(() => '')),
    );
    if (!groups?.includes(metadata.uid) || !command?.includes('operator/main.js')) continue;
    process.kill(Number(entry), 'SIGKILL');
    await until(
      `the operator of ${pod} was restarted`,
      () => world.get(`/api/v1/namespaces/${SYSTEM}/pods/${pod}`),
      (seen) => seen?.status.containerStatuses?.[0]?.restartCount === 1,
    );
    return;
  }
  throw new Error(`no process of ${pod} is found`);
}
