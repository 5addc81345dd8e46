import { oncePer } from '../base/once-per.ts';
import type { Secret } from './credentials.ts';
import type { OwnerKind } from './owner.ts';

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
  /** What it is, for people: completes "What is run: ". */
  readonly description: string;
  /** Whose its runs are. */
  readonly owner: OwnerKind;
  /** Field of the owner's spec with its schedule. */
  readonly schedule: readonly string[];
  /** Where the spec has no schedule for it: it never begins by itself, which is the default, or at the slots of `after`. */
  readonly unscheduled?: 'never' | 'with-after';
  /** Begins a slot only when this pipeline of the same owner has succeeded for it. */
  readonly after?: string;
  /** Whether people hear of what it does: never twice, never late. */
  readonly reachesPeople?: boolean;
  /**
   * What a dry run of it works over: artifacts of its own, which go with it, unless it counts `in-place` what there is and
   * makes nothing.
   */
  readonly dryRun?: 'in-place';
  /** Runs of one owner in the same lane go one after the other; those of different lanes side by side. */
  readonly lane: string;
  /** Whether its result becomes its owner's current one, so that how the owner is goes by its runs. */
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

/** A table of pipelines; of those that are due at once, what stands first goes first. */
export type Pipelines = Readonly<Record<string, PipelineDefinition>>;

const TABLE = {
  batch: {
    description: 'the batch',
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
    description: 'the removal of what the program no longer needs',
    owner: 'program',
    schedule: ['schedules', 'prune'],
    dryRun: 'in-place',
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
} satisfies Pipelines;

export type PipelineName = keyof typeof TABLE;

/**
 * The pipelines, their stages and the tasks of each, in order: the one table that the laptop, the operator and the pods
 * read. What each stage does is code of `jobs/stages.ts`, which the operator never loads.
 */
export const PIPELINES: Readonly<Record<PipelineName, PipelineDefinition>> = TABLE;

const ownedBy = oncePer((pipelines: Pipelines): Readonly<Record<OwnerKind, Pipelines>> => {
  const of = (kind: OwnerKind) => Object.entries(pipelines).filter(([, { owner }]) => owner === kind);
  return { program: Object.fromEntries(of('program')), series: Object.fromEntries(of('series')) };
});

/** Those of a table whose runs are of this kind of owner, in the same order; the same object each time. */
export function pipelinesOf(kind: OwnerKind, pipelines: Pipelines = PIPELINES): Pipelines {
  return ownedBy(pipelines)[kind];
}

/** The pipeline whose result becomes the current one of an owner of a kind; undefined where none does. */
export function publishingOf(kind: OwnerKind, pipelines: Pipelines = PIPELINES): string | undefined {
  return Object.entries(pipelinesOf(kind, pipelines)).find(([, { publishes }]) => publishes)?.[0];
}

/** The pipeline whose result becomes a program's current batch. */
export const PUBLISHING = publishingOf('program') as PipelineName;

/** Whether a stage's work can be divided. */
export function isSharded({ tasks }: StageDefinition): boolean {
  return tasks.some(({ does }) => does === 'shards');
}

/** The secrets that a task of a stage is given: what prepares the system of record needs none. */
export function secretsOf({ secrets = [] }: StageDefinition, { does }: TaskDefinition): readonly Secret[] {
  return does === 'prepare' ? [] : secrets;
}

/** A pipeline of the table by its name; undefined of one that this version does not know. */
export function pipelineOf(name: string, pipelines: Pipelines = PIPELINES): PipelineDefinition | undefined {
  return Object.hasOwn(pipelines, name) ? pipelines[name] : undefined;
}

/** A schedule of an owner's, and the field of its spec that holds it. */
export interface ScheduleField {
  readonly schedule: string;
  readonly field: readonly string[];
}

/** When a pipeline of an owner with this spec begins by itself, be it at the slots of another; undefined where never. */
export function scheduleOf(name: string, spec: object, pipelines: Pipelines = PIPELINES): ScheduleField | undefined {
  const pipeline = pipelineOf(name, pipelines);
  if (pipeline === undefined) return undefined;
  const { schedule: field, unscheduled, after } = pipeline;
  const value = field.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], spec);
  if (typeof value === 'string') return { schedule: value, field };
  return unscheduled === 'with-after' && after !== undefined ? scheduleOf(after, spec, pipelines) : undefined;
}

/** The schedules that a spec itself has, one for each pipeline that it gives one. */
export function schedulesIn(spec: object, pipelines: Pipelines = PIPELINES): readonly ScheduleField[] {
  return Object.entries(pipelines).flatMap(([name, { schedule: own }]) => {
    const found = scheduleOf(name, spec, pipelines);
    return found?.field === own ? [found] : [];
  });
}
