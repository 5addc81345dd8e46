import { keyOf, RESOURCES } from '../../../operator/kube/api.ts';
import type { JobObject } from '../../../operator/kube/objects.ts';
import { dueRun, GOOD, olderRun, type Scenario, underWay } from '../scenario.ts';

/** One run of a slot that was due before the operator starts; an older run and its revision are forgotten at its end. */
export const ONE_RUN: Scenario = {
  name: 'one run',
  programs: ['keep'],
  taskMs: 0,
  script: () => GOOD,
  before: olderRun,
  ends: { [dueRun('keep')]: 'Succeeded' },
};

/** The same, slow enough that a process can be started meanwhile. */
export const SLOW_RUN: Scenario = { ...ONE_RUN, name: 'slow run', taskMs: 400 };

/** Somebody deletes the Job of `filter` under way, which is made again as the second attempt. */
export const JOB_DELETED: Scenario = {
  ...ONE_RUN,
  name: 'Job deleted',
  script: () => (job) => (job.task === 'filter' && job.attempt === 1 ? undefined : GOOD(job)),
  meanwhile: async (world) => {
    const job = await underWay(world, 'filter');
    const options = { uid: job.metadata.uid, propagationPolicy: 'Background' } as const;
    await world.client.delete(RESOURCES.jobs, keyOf(job), options);
  },
};

/** Somebody edits the program while `filter` is under way: the run keeps to what it is pinned to. */
export const PROGRAM_EDITED: Scenario = {
  ...ONE_RUN,
  name: 'program edited',
  taskMs: 1_000,
  meanwhile: async (world) => {
    await underWay(world, 'filter');
    await world.client.patch(RESOURCES.retentionPrograms, `${world.namespace}/keep`, {
      spec: { programName: 'Another' },
    });
  },
};

/** Jobs that are done are collected while the run goes on, as those of a long run are when their time is over. */
export const JOBS_COLLECTED: Scenario = {
  ...ONE_RUN,
  name: 'Jobs collected',
  taskMs: 1_000,
  meanwhile: async (world) => {
    const { client, namespace, until } = world;
    await underWay(world, 'offer');
    const done = await until('those before it may go', async () => {
      const { items } = await client.list<JobObject>(RESOURCES.jobs, { namespace });
      const ended = items.filter(({ spec }) => spec?.ttlSecondsAfterFinished !== undefined);
      return ended.length >= JOBS_BEFORE_OFFER ? ended : undefined;
    });
    for (const { metadata } of done) {
      await client.delete(RESOURCES.jobs, keyOf({ metadata }), { uid: metadata.uid, propagationPolicy: 'Background' });
    }
  },
};

const JOBS_BEFORE_OFFER = 4;

const FOUR = ['keep-a', 'keep-b', 'keep-c', 'keep-d'];

/** Four programs at once. */
export const FOUR_RUNS: Scenario = {
  ...SLOW_RUN,
  name: 'four runs',
  programs: FOUR,
  taskMs: 2_000,
  ends: Object.fromEntries(FOUR.map((name) => [dueRun(name), 'Succeeded'])),
};
