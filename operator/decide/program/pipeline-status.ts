import { rfc3339 } from '../../../base/instant.ts';
import type { Pipelines } from '../../../contract/pipelines.ts';
import type { PipelineStatus, RetentionProgramStatus } from '../../../crds/index.ts';
import { type RunObject, seniority } from '../../kube/objects.ts';
import { hasSucceeded, isFinal } from '../run/snapshot.ts';
import { candidatesOf, isCounted } from '../run-result.ts';
import type { Progress } from './slots.ts';

/** How a pipeline was when the program was last looked at, be it by a version that had fields for two of them. */
export function pipelineStatusIn(
  status: RetentionProgramStatus | undefined,
  pipeline: string,
  pipelines: Pipelines,
): Omit<PipelineStatus, 'name'> {
  if (status?.pipelines !== undefined) return status.pipelines.find(({ name }) => name === pipeline) ?? {};
  const { batch, prune, lastRun } = status ?? {};
  const progress = { batch, prune }[pipeline];
  const succeeded = pipelines[pipeline]?.publishes && lastRun?.phase === 'Succeeded';
  return { ...progress, ...(succeeded ? { lastSucceededSlot: lastRun.slot } : {}) };
}

/** How far the schedule of a pipeline was followed; undefined where none was. */
export function progressIn(
  status: RetentionProgramStatus | undefined,
  pipeline: string,
  pipelines: Pipelines,
): Progress | undefined {
  const { schedule, since, lastSlot, skippedSlots } = pipelineStatusIn(status, pipeline, pipelines);
  if (schedule === undefined || since === undefined) return undefined;
  return {
    schedule,
    since,
    ...(lastSlot === undefined ? {} : { lastSlot }),
    ...(skippedSlots === undefined ? {} : { skippedSlots }),
  };
}

/** How a pipeline is; undefined where it has no schedule and never ran. */
export function pipelineStatus(
  pipeline: string,
  {
    before,
    runs,
    pipelines,
    progress,
    next,
    waitsFor,
  }: {
    readonly before: RetentionProgramStatus | undefined;
    /** Of the program. */
    readonly runs: readonly RunObject[];
    readonly pipelines: Pipelines;
    readonly progress: Progress | undefined;
    readonly next: Date | undefined;
    readonly waitsFor: string | undefined;
  },
): PipelineStatus | undefined {
  const counted = runs.filter((run) => run.spec.pipeline === pipeline && isCounted(run));
  const { lastSucceededSlot: known } = pipelineStatusIn(before, pipeline, pipelines);
  const succeeded = newestSlot([known, ...counted.filter(hasSucceeded).map(({ status }) => status?.slot)]);
  const last = lastRun(counted, pipelines);
  if (progress === undefined && succeeded === undefined && last === undefined) return undefined;
  return {
    name: pipeline,
    ...progress,
    ...(next === undefined ? {} : { nextSlot: rfc3339(next) }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(succeeded === undefined ? {} : { lastSucceededSlot: succeeded }),
    ...(last === undefined ? {} : { lastRun: last }),
  };
}

function newestSlot(slots: readonly (string | undefined)[]): string | undefined {
  return slots
    .filter((slot) => slot !== undefined)
    .reduce<string | undefined>(
      (newest, slot) => (newest === undefined || Date.parse(slot) > Date.parse(newest) ? slot : newest),
      undefined,
    );
}

/** The newest by when it was made, of those that have begun, or failed before they could. */
function lastRun(runs: readonly RunObject[], pipelines: Pipelines): PipelineStatus['lastRun'] {
  const slotOf = ({ status, spec }: RunObject) => status?.slot ?? spec.slot;
  const isPast = (run: RunObject) => run.status?.startTime !== undefined || isFinal(run);
  const [newest] = byAge(runs.filter((run) => isPast(run) && slotOf(run) !== undefined));
  const slot = newest && slotOf(newest);
  const { phase, startTime, completionTime, stages } = newest?.status ?? {};
  if (newest === undefined || phase === undefined || slot === undefined) return undefined;
  const candidates = candidatesOf(newest, stages ?? [], pipelines);
  return {
    name: newest.metadata.name,
    slot,
    phase,
    ...(startTime === undefined ? {} : { startTime }),
    ...(completionTime === undefined ? {} : { completionTime }),
    ...(candidates === undefined ? {} : { candidates }),
  };
}

/** Newest first. */
export function byAge(runs: readonly RunObject[]): readonly RunObject[] {
  return runs.toSorted((one, other) => (seniority(one) < seniority(other) ? 1 : -1));
}
