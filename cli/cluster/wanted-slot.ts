import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { parseSchedule } from '../../base/schedules/index.ts';
import { CLOCK_SKEW_MS } from '../../contract/clock-skew.ts';
import { pipelineOf } from '../../contract/pipelines.ts';
import type { RetentionProgramSpec, RetentionRunSpec } from '../../crds/index.ts';
import { slotSchedule } from '../../crds/slot-schedule.ts';
import { givenInstant } from '../given-instant.ts';

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
  const schedule = slotSchedule(pipeline, spec);
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
