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

/**
 * The pipelines, their stages and the tasks of each, in order: the one table that the laptop, the operator and the pods
 * read. What each stage does is code of `jobs/stages.ts`, which the operator never loads.
 */
export const PIPELINES: { readonly batch: readonly StageDefinition[]; readonly prune: readonly StageDefinition[] } = {
  batch: [
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
    { ...stage('offer', ['score'], 'decides offer, variant and holdout for each candidate'), secrets: ['holdoutKey'] },
    stage(
      'store',
      ['extract', 'offer'],
      'asks the caps that hold across programs once more, and publishes the batch in Postgres, whole or not at all',
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
        },
      ],
    },
  ],
};

export type PipelineName = keyof typeof PIPELINES;

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
