import type { Secret } from './credentials.ts';

/** One piece of work: on a cluster a Job. */
export interface TaskDefinition {
  readonly name: string;
  /** What it does, for people. */
  readonly description: string;
  /**
   * `prepare` brings the system of record to where the tasks after it need it; `work` does its stage's work, or gathers
   * what `shards` made of it side by side, which is there only where there are several shards.
   */
  readonly does: 'prepare' | 'work' | 'shards';
}

export interface StageDefinition {
  readonly name: string;
  /** Earlier stages whose artifacts it reads. */
  readonly reads: readonly string[];
  /** What its work is given besides the database; no other stage is. */
  readonly secrets?: readonly Secret[];
  /** In order. The last one does the stage's work and reports for the stage. */
  readonly tasks: readonly TaskDefinition[];
}

/** One way of working for an owner, by stages, at a schedule or when asked. */
export interface PipelineDefinition {
  /** Kind of object that its runs are of. */
  readonly owner: 'program';
  /** Field of the owner's spec with its schedule; where the spec says nothing there, it never begins by itself. */
  readonly schedule: readonly string[];
  /** Runs of one owner in the same lane go one after the other; those of different lanes side by side. */
  readonly lane: string;
  /** Whether its result becomes the current batch, so that how the owner is goes by its runs. */
  readonly publishes: boolean;
  /** In order. */
  readonly stages: readonly StageDefinition[];
}

/** A stage of one task, which bears its name. */
function stage(name: string, reads: readonly string[], description: string): StageDefinition {
  return { name, reads, tasks: [{ name, description, does: 'work' }] };
}

/** The first task of every pipeline. */
const MIGRATE: TaskDefinition = {
  name: 'migrate',
  description: 'brings the database to the schema of this version and gives the run its number',
  does: 'prepare',
};

export type PipelineName = 'batch' | 'prune';

/** A table of pipelines; of those that are due at once, what stands first goes first. */
export type Pipelines = Readonly<Record<string, PipelineDefinition>>;

/**
 * The pipelines, their stages and the tasks of each, in order: the one table that the laptop, the operator and the pods
 * read. What each stage does is code of `jobs/stages.ts`, which the operator never loads.
 */
export const PIPELINES: Readonly<Record<PipelineName, PipelineDefinition>> = {
  batch: {
    owner: 'program',
    schedule: ['batchSchedule'],
    lane: 'batch',
    publishes: true,
    stages: [
      {
        name: 'extract',
        reads: [],
        secrets: ['connections'],
        tasks: [
          MIGRATE,
          {
            name: 'extract',
            description: 'reads the warehouse, completes and checks every row, finds churn signals',
            does: 'work',
          },
        ],
      },
      stage('filter', ['extract'], 'applies the filter chain in order'),
      {
        name: 'score',
        reads: ['filter'],
        secrets: ['modelTokens'],
        tasks: [
          { name: 'shards', description: 'asks the models about the candidates of one shard', does: 'shards' },
          {
            name: 'score',
            description:
              'asks the models for churn risk and the most effective offer, or gathers what its shards were told',
            does: 'work',
          },
        ],
      },
      {
        ...stage('offer', ['score'], 'decides offer, variant and holdout for each candidate'),
        secrets: ['holdoutKey'],
      },
      stage(
        'store',
        ['extract', 'offer'],
        'asks the caps that hold across programs once more, and publishes the batch in Postgres, whole or not at all',
      ),
    ],
  },
  // It must not delete what a batch reads.
  prune: {
    owner: 'program',
    schedule: ['schedules', 'prune'],
    lane: 'batch',
    publishes: false,
    stages: [
      {
        name: 'prune',
        reads: [],
        tasks: [
          MIGRATE,
          {
            name: 'prune',
            description: 'deletes candidates past their time and the artifacts of old runs',
            does: 'work',
          },
        ],
      },
    ],
  },
};

export const PIPELINE_NAMES = Object.keys(PIPELINES) as readonly PipelineName[];

export function isPipeline(name: string | undefined): name is PipelineName {
  return name !== undefined && Object.hasOwn(PIPELINES, name);
}

/** Whether a stage's work can be divided. */
export function isSharded({ tasks }: StageDefinition): boolean {
  return tasks.some(({ does }) => does === 'shards');
}

/** The secrets that a task of a stage is given: what prepares the system of record needs none. */
export function secretsOf({ secrets = [] }: StageDefinition, { does }: TaskDefinition): readonly Secret[] {
  return does === 'prepare' ? [] : secrets;
}

/** The schedule that the spec of an owner gives a pipeline, if it gives one. */
export function scheduleIn(spec: object, { schedule }: PipelineDefinition): string | undefined {
  const value = schedule.reduce<unknown>((part, field) => (part as Record<string, unknown> | undefined)?.[field], spec);
  return typeof value === 'string' ? value : undefined;
}
