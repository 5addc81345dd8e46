import type { RetentionProgramSpec } from '../../crds/index.ts';
import { type KubeObject, keyOf, RESOURCES } from '../../operator/kube/api.ts';
import type { JobObject, ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { buildRun } from '../../operator/objects/run.ts';
import type { Script } from '../cluster/scripted-kubelet.ts';
import { program } from '../support/program.ts';
import type { World } from './world.ts';

/** What happens in a namespace when nothing goes wrong with the operator. */
export interface Scenario {
  readonly name: string;
  readonly programs: readonly string[];
  /** How long each task takes, in milliseconds. */
  readonly taskMs: number;
  readonly script: Script;
  /** What people do meanwhile. */
  readonly meanwhile?: (world: World) => Promise<void>;
}

/** Every task ends well. */
const GOOD: Script = () => ({ exitCode: 0, message: { rowsIn: 100, rowsOut: 10, counts: { candidates: 10 } } });

/** One run of a slot that was due before the operator starts; an older run and its revision are forgotten at its end. */
export const ONE_RUN: Scenario = { name: 'one run', programs: ['keep'], taskMs: 0, script: GOOD };

/** The same, slow enough that a process can be started meanwhile. */
export const SLOW_RUN: Scenario = { ...ONE_RUN, name: 'slow run', taskMs: 400 };

/** Somebody deletes the Job of `filter` under way, which is made again as the second attempt. */
export const JOB_DELETED: Scenario = {
  ...ONE_RUN,
  name: 'Job deleted',
  script: (job) => (job.task === 'filter' && job.attempt === 1 ? undefined : GOOD(job)),
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

/** The Job of a stage once it runs and the run says so. */
async function underWay({ client, namespace, until }: World, stage: string): Promise<JobObject> {
  return await until(`${stage} is under way`, async () => {
    const { items } = await client.list<RunObject>(RESOURCES.retentionRuns, { namespace });
    const stages = items.flatMap(({ status }) => status?.stages ?? []);
    const job = stages.find(({ name, phase }) => name === stage && phase === 'Running')?.job;
    const found = job === undefined ? undefined : await client.get<JobObject>(RESOURCES.jobs, `${namespace}/${job}`);
    return found?.status?.active === 1 ? found : undefined;
  });
}

/** Four programs at once. */
export const FOUR_RUNS: Scenario = {
  ...SLOW_RUN,
  name: 'four runs',
  programs: ['keep-a', 'keep-b', 'keep-c', 'keep-d'],
  taskMs: 2_000,
};

const DAY_MS = 24 * 3600_000;

/** The slot that is due: the whole hour before the last one, so that the next is most of a day away. */
function dueSlot(now: Date): Date {
  return new Date(Math.floor(now.getTime() / 3600_000 - 1) * 3600_000);
}

/** The same for every namespace of this process, however long it takes. */
const SLOT = dueSlot(new Date());

/** Makes the programs as they are at the moment at which the operator comes to life: one slot is due. */
export async function prepare({ client, namespace }: World, { programs }: Scenario): Promise<void> {
  for (const name of programs) {
    const before = new Date(SLOT.getTime() - DAY_MS);
    const change: Partial<RetentionProgramSpec> = {
      programId: name,
      batchSchedule: `0 ${SLOT.getUTCHours()} * * *`,
      startingDeadlineSeconds: 12 * 3600,
      runHistory: { successful: 1, failed: 1 },
    };
    const wanted = program(change, name);
    const made = await client.create<ProgramObject>(RESOURCES.retentionPrograms, {
      ...wanted,
      metadata: { name, namespace },
    } as ProgramObject);
    await client.applyStatus(RESOURCES.retentionPrograms, {
      ...made,
      status: {
        observedGeneration: 1,
        batch: {
          schedule: `${change.batchSchedule} ${made.spec.timeZone}`,
          since: new Date(SLOT.getTime() - 3 * DAY_MS).toISOString(),
          lastSlot: before.toISOString(),
        },
      },
    });
    await prepareOlder(client, made, before);
  }
}

/** A run of the day before and its revision: they go once there is a newer run. */
async function prepareOlder(client: World['client'], program: ProgramObject, slot: Date): Promise<void> {
  const run = buildRun(program, slot);
  const { labels, ownerReferences, namespace } = run.metadata;
  const revision = `${program.metadata.name}-before`;
  await client.create(RESOURCES.configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: revision, namespace, labels, ownerReferences } as KubeObject['metadata'],
    immutable: true,
    data: {},
  } as KubeObject);
  const made = await client.create<RunObject>(RESOURCES.retentionRuns, run as RunObject);
  const at = slot.toISOString();
  const condition = (type: string, status: 'True' | 'False') => ({
    type,
    status,
    reason: 'Succeeded',
    message: 'every task is done',
    lastTransitionTime: at,
  });
  await client.applyStatus(RESOURCES.retentionRuns, {
    ...made,
    status: {
      observedGeneration: 1,
      phase: 'Succeeded',
      revision,
      slot: at,
      startTime: at,
      completionTime: at,
      conditions: [condition('Complete', 'True'), condition('Failed', 'False')],
    },
  });
}
