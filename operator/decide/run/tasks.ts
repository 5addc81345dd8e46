import type { Secret } from '../../../contract/credentials.ts';
import { type Pipelines, type StageDefinition, secretsOf } from '../../../contract/pipelines.ts';
import type { RetentionRunStatus } from '../../../crds/index.ts';
import type { RunObject } from '../../kube/objects.ts';

/** Where a run is: a task of a stage. */
export interface Place {
  readonly stage: string;
  readonly task: string;
  /** Whether the stage is done when the task is. */
  readonly endsStage: boolean;
  /** Whether it is several pods, and only there where the work is divided. */
  readonly isSharded: boolean;
  /** Whether it brings the run to where its work can begin. */
  readonly prepares: boolean;
  readonly secrets: readonly Secret[];
}

export type StageStatus = NonNullable<RetentionRunStatus['stages']>[number];

/** The stages of a run's pipeline, by the table; none of one that this version does not know. */
export function stagesOf({
  run,
  pipelines,
}: {
  readonly run: Pick<RunObject, 'spec'>;
  readonly pipelines: Pipelines;
}): readonly StageDefinition[] {
  return pipelines[run.spec.pipeline]?.stages ?? [];
}

/** Every task of a pipeline's stages, in order. */
export function placesOf(stages: readonly StageDefinition[]): readonly Place[] {
  return stages.flatMap((stage) =>
    stage.tasks.map((task, index) => ({
      stage: stage.name,
      task: task.name,
      endsStage: index === stage.tasks.length - 1,
      isSharded: task.does === 'shards',
      prepares: task.does === 'prepare',
      secrets: secretsOf(stage, task),
    })),
  );
}

/** Where the task is that is next for a run with so many shards and these stages; `places.length` after the last. */
export function nextPlace(
  places: readonly Place[],
  from: number,
  shards: number,
  stages: readonly StageStatus[],
): number {
  const done = new Set(stages.filter(({ phase }) => phase === 'Succeeded').map(({ name }) => name));
  // A revision of an older version names no count.
  const isNext = ({ stage, isSharded }: Place) => !done.has(stage) && (shards > 1 || !isSharded);
  const next = places.findIndex((place, index) => index >= from && isNext(place));
  return next === -1 ? places.length : next;
}

/** The newest task whose Job was made, by the status; undefined before the first. */
export function currentStage(stages: readonly StageStatus[] | undefined): StageStatus | undefined {
  return stages?.findLast(({ job }) => job !== undefined);
}

/** The stages of a pipeline, none of them begun. */
export function pendingStages(stages: readonly StageDefinition[]): readonly StageStatus[] {
  return stages.map(({ name }) => ({ name, phase: 'Pending' as const }));
}

/** The stages with one of them changed; one that an older version did not know when the run began is added. */
export function withStage(stages: readonly StageStatus[], changed: StageStatus): readonly StageStatus[] {
  return stages.some(({ name }) => name === changed.name)
    ? stages.map((stage) => (stage.name === changed.name ? changed : stage))
    : [...stages, changed];
}
