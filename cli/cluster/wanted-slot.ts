import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { parseSchedule } from '../../base/schedules/index.ts';
import { pipelineOf, scheduleOf } from '../../contract/pipelines.ts';
import type { RetentionProgramSpec, RetentionRunSpec } from '../../crds/index.ts';
import { givenInstant } from '../given-instant.ts';

/** As far as the clock of the operator may be ahead of ours, and no further, a slot is not yet to come. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * The slot of a run that a person wants: the one given, or the newest of the pipeline's calendar.
 * @throws HF_USAGE for what is no instant, HF_SLOT_IN_FUTURE, HF_SCHEDULE_INVALID where the schedule has had no slot yet,
 *   HF_SLOT_REFUSED for one that people would hear of too late
 */
export function wantedSlot(
  given: string | undefined,
  spec: RetentionProgramSpec,
  pipeline: RetentionRunSpec['pipeline'],
  now: Date,
): Date {
  const schedule = calendarOf(pipeline, spec);
  const newest = parseSchedule(schedule, spec.timeZone).newest(now);
  if (given === undefined) {
    if (newest !== undefined) return newest;
    throw new HoldfastError('HF_SCHEDULE_INVALID', `${schedule} has had no slot yet: give one with --slot`);
  }
  const slot = givenInstant('--slot', given);
  if (slot.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    throw new HoldfastError(
      'HF_SLOT_IN_FUTURE',
      `the slot ${rfc3339(slot)} is yet to come: nothing is known as of then`,
    );
  }
  if (pipelineOf(pipeline)?.reachesPeople !== true || slot.getTime() === newest?.getTime()) return slot;
  throw new HoldfastError(
    'HF_SLOT_REFUSED',
    `${pipeline} reaches people, and so runs only for the newest slot of ${schedule}`,
  );
}

/** The schedule of a pipeline, else of the one that it comes after, else of the batch. */
export function calendarOf(pipeline: string, spec: RetentionProgramSpec): string {
  const own = scheduleOf(pipeline, spec)?.schedule;
  const after = pipelineOf(pipeline)?.after;
  return own ?? (after === undefined ? spec.batchSchedule : calendarOf(after, spec));
}
