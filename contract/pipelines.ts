import type { Preparation } from '../jobs/run/prepare.ts';
import type { ShardedStage, Stage } from '../jobs/run/stage.ts';

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
    }
  | {
      /** Its stage's work in shards, side by side, which the task after it gathers. Only where there are several. */
      readonly does: 'shards';
      readonly load: () => Promise<ShardedStage>;
    }
);

export interface StageDefinition {
  readonly name: string;
  /** Earlier stages whose artifacts it reads. */
  readonly reads: readonly string[];
  /** In order. The last one does the stage's work and reports for the stage. */
  readonly tasks: readonly TaskDefinition[];
}

/** A stage of one task, which bears its name. */
function stage(
  name: string,
  reads: readonly string[],
  description: string,
  load: () => Promise<Stage>,
): StageDefinition {
  return { name, reads, tasks: [{ name, description, does: 'work', load }] };
}

/** The first task of every pipeline. */
const MIGRATE: TaskDefinition = {
  name: 'migrate',
  description: 'brings the database to the schema of this version and gives the run its number',
  does: 'prepare',
  load: async () => (await import('../jobs/run/prepare.ts')).prepare,
};

/**
 * The pipelines, their stages and the tasks of each, in order: the one table that the laptop, the operator and the pods
 * read. A task is loaded only where it runs.
 */
export const PIPELINES: { readonly batch: readonly StageDefinition[]; readonly prune: readonly StageDefinition[] } = {
  batch: [
    {
      name: 'extract',
      reads: [],
      tasks: [
        MIGRATE,
        {
          name: 'extract',
          description: 'reads the warehouse, completes and checks every row, finds churn signals',
          does: 'work',
          load: async () => (await import('../jobs/batch/extract.ts')).extract,
        },
      ],
    },
    stage(
      'filter',
      ['extract'],
      'applies the filter chain in order',
      async () => (await import('../jobs/batch/filter.ts')).filter,
    ),
    {
      name: 'score',
      reads: ['filter'],
      tasks: [
        {
          name: 'shards',
          description: 'asks the models about the candidates of one shard',
          does: 'shards',
          load: async () => (await import('../jobs/batch/score.ts')).shardedScore,
        },
        {
          name: 'score',
          description:
            'asks the models for churn risk and the most effective offer, or gathers what its shards were told',
          does: 'work',
          load: async () => (await import('../jobs/batch/score.ts')).score,
        },
      ],
    },
    stage(
      'offer',
      ['score'],
      'decides offer, variant and holdout for each candidate',
      async () => (await import('../jobs/batch/offer.ts')).offer,
    ),
    stage(
      'store',
      ['extract', 'offer'],
      'asks the caps that hold across programs once more, and publishes the batch in Postgres, whole or not at all',
      async () => (await import('../jobs/batch/store.ts')).store,
    ),
  ],
  prune: [
    {
      name: 'prune',
      reads: [],
      tasks: [
        MIGRATE,
        {
          name: 'prune',
          description: 'deletes candidates past their time and the artifacts of old runs',
          does: 'work',
          load: async () => (await import('../jobs/prune/prune.ts')).prune,
        },
      ],
    },
  ],
};

export type PipelineName = keyof typeof PIPELINES;

/** Loads the task that does a stage's work: what a laptop runs of it. */
export function loadWork({ name, tasks }: StageDefinition): Promise<Stage> {
  const task = tasks.findLast(({ does }) => does === 'work');
  if (task?.does !== 'work') throw new TypeError(`The stage ${name} has no work.`);
  return task.load();
}

/** Whether a stage's work can be divided. */
export function isSharded({ tasks }: StageDefinition): boolean {
  return tasks.some(({ does }) => does === 'shards');
}

/** Loads the work of a stage that can be divided. */
export function loadSharded({ name, tasks }: StageDefinition): Promise<ShardedStage> {
  const task = tasks.find(({ does }) => does === 'shards');
  if (task?.does !== 'shards') throw new TypeError(`The stage ${name} has no shards.`);
  return task.load();
}
