import { rfc3339 } from '../base/instant.ts';
import { parseSchedule } from '../base/schedules/index.ts';
import { PIPELINES, type Pipelines, pipelineOf, scheduleOf } from './pipelines.ts';
import type { AskedRun } from './slot-guard.ts';
import type { ScheduledSpec } from './slot-schedule.ts';
import type { RunTrigger } from './trigger.ts';

/** A run that has succeeded, and was no dry run. */
export interface SucceededRun {
  readonly pipeline: string;
  readonly slot: Date;
  readonly trigger: RunTrigger;
}

/** What a run waits for; completes "the run begins when". */
export interface AwaitedRun {
  readonly pipeline: string;
  readonly what: string;
}

/**
 * What a run of a slot waits for, whose pipeline comes after another: a run of that one for the newest slot by then, or since,
 * whoever made it. Undefined where it comes after none, or such a run has succeeded.
 * @param succeeded runs of the owner
 */
export function awaitedRun(
  { pipeline, trigger }: Pick<AskedRun, 'pipeline' | 'trigger'>,
  slot: Date,
  spec: ScheduledSpec,
  succeeded: readonly SucceededRun[],
  pipelines: Pipelines = PIPELINES,
): AwaitedRun | undefined {
  const after = pipelineOf(pipeline, pipelines)?.after;
  if (after === undefined) return undefined;
  const first = upstreamSlot(after, spec, slot, pipelines);
  const isDone = succeeded.some(
    (run) =>
      run.pipeline === after &&
      (run.trigger !== 'backfill' || trigger === 'backfill') &&
      run.slot <= slot &&
      (first === undefined || run.slot >= first),
  );
  if (isDone) return undefined;
  const forSlot = first === undefined ? '' : ` for the slot ${rfc3339(first)}`;
  return { pipeline: after, what: `${after} has succeeded${forSlot}` };
}

/** Which slot of a pipeline goes before a slot of one that comes after it: the newest by then; undefined where there is none. */
export function upstreamSlot(
  after: string,
  spec: ScheduledSpec,
  slot: Date,
  pipelines: Pipelines = PIPELINES,
): Date | undefined {
  const schedule = scheduleOf(after, spec, pipelines)?.schedule;
  return schedule === undefined ? undefined : parseSchedule(schedule, spec.timeZone).newest(slot);
}
