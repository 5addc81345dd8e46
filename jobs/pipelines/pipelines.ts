import type { Preparation } from '../run/prepare.ts';
import type { ShardedStage, Stage } from '../run/stage.ts';

/** One piece of work: on a cluster a Job. */
export type TaskDefinition = {
  readonly name: string;
  /** What it does, for people. */
  readonly description: string;
} & (
  | {
      readonly does: 'prepare';
      /** Brings the system of record to where the tasks after it need it. */
      readonly load: () => Promise<Preparation>;
    }
  | {
      readonly does: 'work';
      /** Loads the stage's code, and with it the drivers that it needs. */
      readonly load: () => Promise<Stage>;
      /** Where its work can be divided among processes. */
      readonly loadSharded?: () => Promise<ShardedStage>;
    }
);

export interface StageDefinition {
  readonly name: string;
  /** In order. The last one does the stage's work and reports for the stage. */
  readonly tasks: readonly TaskDefinition[];
}

/** A stage of one task, which bears its name. */
function stage(
  name: string,
  description: string,
  load: () => Promise<Stage>,
  loadSharded?: () => Promise<ShardedStage>,
): StageDefinition {
  const sharded = loadSharded === undefined ? {} : { loadSharded };
  return { name, tasks: [{ name, description, does: 'work', load, ...sharded }] };
}

/** The first task of every pipeline. */
const MIGRATE: TaskDefinition = {
  name: 'migrate',
  description: 'brings the database to the schema of this version and gives the run its number',
  does: 'prepare',
  load: async () => (await import('../run/prepare.ts')).prepare,
};

/**
 * The pipelines, their stages and the tasks of each, in order: the one table that the laptop, the operator and the pods
 * read. A task is loaded only where it runs.
 */
export const PIPELINES: { readonly batch: readonly StageDefinition[]; readonly prune: readonly StageDefinition[] } = {
  batch: [
    {
      name: 'extract',
      tasks: [
        MIGRATE,
        {
          name: 'extract',
          description: 'reads the warehouse, completes and checks every row, finds churn signals',
          does: 'work',
          load: async () => (await import('../retention/extract.ts')).extract,
        },
      ],
    },
    stage('filter', 'applies the filter chain in order', async () => (await import('../retention/filter.ts')).filter),
    stage(
      'score',
      'asks the models for churn risk and the most effective offer',
      async () => (await import('../retention/score.ts')).score,
      async () => (await import('../retention/score.ts')).shardedScore,
    ),
    stage(
      'offer',
      'decides offer, variant and holdout for each candidate',
      async () => (await import('../retention/offer.ts')).offer,
    ),
    stage(
      'store',
      'publishes the batch in Postgres, whole or not at all',
      async () => (await import('../retention/store.ts')).store,
    ),
  ],
  prune: [
    {
      name: 'prune',
      tasks: [
        MIGRATE,
        {
          name: 'prune',
          description: 'deletes candidates past their time and the artifacts of old runs',
          does: 'work',
          load: async () => (await import('../retention/prune.ts')).prune,
        },
      ],
    },
  ],
};

export type PipelineName = keyof typeof PIPELINES;

/** Loads the task that does a stage's work: what a laptop runs of it. */
export function loadWork(stage: StageDefinition): Promise<Stage> {
  return workOf(stage).load();
}

/** Whether a stage's work can be divided among processes. */
export function isSharded(stage: StageDefinition): boolean {
  return workOf(stage).loadSharded !== undefined;
}

/** Loads the work of a stage that can be divided. */
export function loadSharded(stage: StageDefinition): Promise<ShardedStage> {
  const { loadSharded: load } = workOf(stage);
  if (load === undefined) throw new TypeError(`The stage ${stage.name} has no shards.`);
  return load();
}

function workOf({ name, tasks }: StageDefinition): Extract<TaskDefinition, { readonly does: 'work' }> {
  const task = tasks.findLast(({ does }) => does === 'work');
  if (task?.does !== 'work') throw new TypeError(`The stage ${name} has no work.`);
  return task;
}
