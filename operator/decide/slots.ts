import type { RetentionProgramSpec, RetentionProgramStatus } from '../../crds/index.ts';
import { parseSchedule } from '../../jobs/schedules/index.ts';

/** How far the schedule has been followed, as the status keeps it. */
export type Progress = NonNullable<RetentionProgramStatus['batch']>;

export interface Slots {
  /** The newest slot that is due and still in time. */
  readonly due?: Date;
  /** Slots that passed and are never run, and why. */
  readonly skipped: number;
  /** The newest slot that is now dealt with, unless `due` is. */
  readonly passed?: Date;
  readonly next?: Date;
  /** When a due slot is no longer in time. */
  readonly deadline?: Date;
}

/** More missed slots than this are not counted one by one. */
const MOST_COUNTED = 1000;

/** The schedule as the status names it: another one begins anew. */
export function scheduleText({ batchSchedule, timeZone }: RetentionProgramSpec): string {
  return `${batchSchedule} ${timeZone}`;
}

/**
 * What is due. Slots before the schedule took effect, and those already dealt with, are over; of the others only the
 * newest runs, if its starting deadline has not passed.
 * @throws HF_SCHEDULE_INVALID
 */
export function slotsAt(spec: RetentionProgramSpec, progress: Progress, now: Date): Slots {
  const schedule = parseSchedule(spec.batchSchedule, spec.timeZone);
  const since = new Date(progress.lastSlot ?? progress.since);
  const from = since > new Date(progress.since) ? since : new Date(progress.since);
  const next = schedule.next(now);
  const known = next === undefined ? {} : { next };
  const newest = schedule.newest(now);
  if (newest === undefined || newest <= from) return { skipped: 0, ...known };
  const passed = schedule.between(from, now, MOST_COUNTED).length;
  const deadline = new Date(newest.getTime() + spec.startingDeadlineSeconds * 1000);
  if (deadline <= now) return { skipped: passed, passed: newest, ...known };
  return { due: newest, skipped: passed - 1, deadline, ...known };
}
