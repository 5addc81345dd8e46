import { parseSchedule, type Schedule } from '../../../base/schedules/index.ts';
import { type Pipelines, pipelinesOf, scheduleOf } from '../../../contract/pipelines.ts';
import type { PipelineStatus, RetentionProgramSpec } from '../../../crds/index.ts';

/** How far a schedule has been followed, as the status keeps it. */
export type Progress = Pick<PipelineStatus, 'lastSlot' | 'skippedSlots'> &
  Required<Pick<PipelineStatus, 'schedule' | 'since'>>;

/** When a pipeline of a program runs. */
export interface Calendar extends Pick<RetentionProgramSpec, 'timeZone' | 'startingDeadlineSeconds'> {
  readonly pipeline: string;
  readonly schedule: string;
}

/** The calendars of a program, in the order of the table: one for each pipeline of programs that it gives a schedule. */
export function calendarsOf(spec: RetentionProgramSpec, pipelines: Pipelines): readonly Calendar[] {
  const { timeZone, startingDeadlineSeconds } = spec;
  return Object.keys(pipelinesOf('program', pipelines)).flatMap((pipeline) => {
    const found = scheduleOf(pipeline, spec, pipelines);
    return found === undefined ? [] : [{ pipeline, schedule: found.schedule, timeZone, startingDeadlineSeconds }];
  });
}

export interface Slots {
  /** The newest slot that is due and still in time. */
  readonly due?: Date;
  /** Slots that passed and are never run, and why. */
  readonly skipped: number;
  /** The newest slot that is now dealt with, unless `due` is. */
  readonly passed?: Date;
  /** The newest of those that are never run. */
  readonly newestSkipped?: Date;
  readonly next?: Date;
  /** When a due slot is no longer in time. */
  readonly deadline?: Date;
}

/** The schedule as the status names it: another one begins anew. */
export function scheduleText({ schedule, timeZone }: Calendar): string {
  return `${schedule} ${timeZone}`;
}

/**
 * What is due. Slots before the schedule took effect, and those already dealt with, are over; of the others only the
 * newest runs, if its starting deadline has not passed.
 * @param made slots, in milliseconds, of which a run was made that the status may not yet know of
 * @throws HF_SCHEDULE_INVALID
 */
export function slotsAt(calendar: Calendar, progress: Progress, now: Date, made: ReadonlySet<number>): Slots {
  const schedule = parseSchedule(calendar.schedule, calendar.timeZone);
  const since = new Date(progress.lastSlot ?? progress.since);
  const from = since > new Date(progress.since) ? since : new Date(progress.since);
  const next = schedule.next(now);
  const known = next === undefined ? {} : { next };
  const newest = schedule.newest(now);
  if (newest === undefined || newest <= from) return { skipped: 0, ...known };
  const deadline = new Date(newest.getTime() + calendar.startingDeadlineSeconds * 1000);
  const isOver = deadline <= now;
  // Those that run are not skipped: the newest, and any that was made and not noted before there was another.
  const over = isOver ? newest : schedule.newest(new Date(newest.getTime() - 1));
  const run = [...made].filter(
    (slot) => slot > from.getTime() && isSlot(schedule, slot) && over && slot <= over.getTime(),
  );
  const skipped = schedule.count(from, newest) - (isOver ? 0 : 1) - run.length;
  const newestSkipped = skipped === 0 ? undefined : newestWithout(schedule, over, made);
  const told = { skipped, ...(newestSkipped === undefined ? {} : { newestSkipped }), ...known };
  return isOver ? { passed: newest, ...told } : { due: newest, deadline, ...told };
}

function isSlot(schedule: Schedule, instant: number): boolean {
  return schedule.newest(new Date(instant))?.getTime() === instant;
}

function newestWithout(schedule: Schedule, slot: Date | undefined, made: ReadonlySet<number>): Date | undefined {
  let newest = slot;
  while (newest !== undefined && made.has(newest.getTime())) newest = schedule.newest(new Date(newest.getTime() - 1));
  return newest;
}
