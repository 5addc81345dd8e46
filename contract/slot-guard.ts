import { HoldfastError } from '../base/errors.ts';
import { rfc3339 } from '../base/instant.ts';
import { parseSchedule } from '../base/schedules/index.ts';
import { CLOCK_SKEW_MS } from './clock-skew.ts';
import { PIPELINES, type Pipelines, pipelineOf } from './pipelines.ts';
import { type ScheduledSpec, slotSchedule } from './slot-schedule.ts';
import type { RunTrigger } from './trigger.ts';

/** A run that is asked for, by a schedule or a person, on a cluster or on a laptop. */
export interface AskedRun {
  readonly pipeline: string;
  readonly trigger: RunTrigger;
  /** The slot that it names, or that of the run that it is another try of. */
  readonly slot: Date | undefined;
  /** When it was asked for. */
  readonly made: Date;
}

/** Why a run may not be of its slot. */
export interface SlotRefusal {
  readonly reason: 'NoSlot' | 'SlotInFuture' | 'OldSlot' | 'SlotDone';
  /** What is in the way, and what to do. */
  readonly message: string;
}

const CODES = {
  NoSlot: 'HF_SCHEDULE_INVALID',
  SlotInFuture: 'HF_SLOT_IN_FUTURE',
  OldSlot: 'HF_SLOT_REFUSED',
  SlotDone: 'HF_SLOT_DONE',
} as const;

/** A refusal as a command, or a task, ends with it. */
export function slotError({ reason, message }: SlotRefusal): HoldfastError {
  return new HoldfastError(CODES[reason], message);
}

/**
 * The instant that a run is as of: its own, or the newest of its calendar when it was made; or why it may not be. What reaches
 * people is of the newest slot only.
 * @param now undefined where the run may be of a slot that is yet to come, since nothing comes of it
 */
export function slotOfRun(
  { pipeline, trigger, slot: said, made }: AskedRun,
  spec: ScheduledSpec,
  now: Date | undefined,
  pipelines: Pipelines = PIPELINES,
): Date | SlotRefusal {
  const schedule = slotSchedule(pipeline, spec, pipelines);
  const calendar = schedule === undefined ? undefined : parseSchedule(schedule, spec.timeZone);
  const slot = said ?? calendar?.newest(now === undefined || made < now ? made : now);
  if (slot === undefined) {
    const why = schedule === undefined ? `${pipeline} has no schedule here` : `${schedule} has had no slot yet`;
    return { reason: 'NoSlot', message: `${why}: give the run a slot` };
  }
  if (now !== undefined && slot.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    return { reason: 'SlotInFuture', message: `the slot ${rfc3339(slot)} is yet to come: nothing is known as of then` };
  }
  if (pipelineOf(pipeline, pipelines)?.reachesPeople !== true) return slot;
  if (trigger === 'backfill') return { reason: 'OldSlot', message: noBackfill(pipeline, pipelines) ?? '' };
  if (calendar === undefined) {
    const message = `${pipeline} reaches people, and so runs only for the newest slot of a schedule: give it one`;
    return { reason: 'NoSlot', message };
  }
  const newest = calendar.newest(made);
  const isOfCalendar = calendar.newest(slot)?.getTime() === slot.getTime();
  if (isOfCalendar && (newest === undefined || slot >= newest)) return slot;
  const only = newest === undefined ? '' : `, which was ${rfc3339(newest)} when the run was made`;
  return {
    reason: 'OldSlot',
    message: `${pipeline} reaches people, and so runs only for the newest slot of ${schedule}${only}; the run's is ${rfc3339(slot)}: make a run without a slot`,
  };
}

/** Why there is no backfill of a pipeline; undefined where there may be. */
export function noBackfill(pipeline: string, pipelines: Pipelines = PIPELINES): string | undefined {
  if (pipelineOf(pipeline, pipelines)?.reachesPeople !== true) return undefined;
  return `${pipeline} reaches people, who are never told of what is past: there is no backfill of it`;
}

/**
 * Why a slot of what reaches people may not be done: people have been told of it, or of a later one. A dry run tells nobody.
 * @param done the newest slot that the pipeline has succeeded for; undefined where there is none
 */
export function slotDone(
  pipeline: string,
  slot: Date,
  done: Date | undefined,
  pipelines: Pipelines = PIPELINES,
): SlotRefusal | undefined {
  if (pipelineOf(pipeline, pipelines)?.reachesPeople !== true || done === undefined || done < slot) return undefined;
  const message = `${pipeline} reaches people, and has succeeded for the slot ${rfc3339(done)}: nobody is told twice, so run it at its next slot`;
  return { reason: 'SlotDone', message };
}
