import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { parseSchedule } from '../../base/schedules/index.ts';
import { scheduleOf } from '../../contract/pipelines.ts';
import type { RetentionProgramSpec, RetentionRunSpec } from '../../crds/index.ts';
import { givenInstant } from '../given-instant.ts';

/** As far as the clock of the operator may be ahead of ours, and no further, a slot is not yet to come. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * The slot of a run that a person wants: the one given, or the newest of the pipeline's schedule; that of the batch for a
 * pipeline without one.
 * @throws HF_USAGE for what is no instant, HF_SLOT_IN_FUTURE, HF_SCHEDULE_INVALID where the schedule has had no slot yet
 */
export function wantedSlot(
  given: string | undefined,
  spec: RetentionProgramSpec,
  pipeline: RetentionRunSpec['pipeline'],
  now: Date,
): Date {
  if (given !== undefined) {
    const slot = givenInstant('--slot', given);
    if (slot.getTime() <= now.getTime() + CLOCK_SKEW_MS) return slot;
    throw new HoldfastError(
      'HF_SLOT_IN_FUTURE',
      `the slot ${rfc3339(slot)} is yet to come: nothing is known as of then`,
    );
  }
  const schedule = scheduleOf(pipeline, spec)?.schedule ?? spec.batchSchedule;
  const newest = parseSchedule(schedule, spec.timeZone).newest(now);
  if (newest !== undefined) return newest;
  throw new HoldfastError('HF_SCHEDULE_INVALID', `${schedule} has had no slot yet: give one with --slot`);
}
