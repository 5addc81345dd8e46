import { rfc3339, rfc3339Second } from '../../../base/instant.ts';
import { shareLane } from '../../../contract/lane.ts';
import type { Pipelines } from '../../../contract/pipelines.ts';
import { upstreamSlot } from '../../../contract/upstream.ts';
import { RESOURCES } from '../../kube/api.ts';
import { isOwnedBy, type ProgramObject, type RunObject, seniority } from '../../kube/objects.ts';
import { buildRun } from '../../objects/run.ts';
import { type Action, attemptKey, earlier } from '../action.ts';
import { isBecause } from '../conditions.ts';
import type { ConditionReason } from '../reasons.ts';
import { isFinal, retryAt, waitsForPerson } from '../run/snapshot.ts';
import { steadyPart } from '../steady.ts';
import { pipelineStatusIn, progressIn } from './pipeline-status.ts';
import { type Calendar, type Progress, scheduleText, slotsAt } from './slots.ts';
import type { ProgramSnapshot } from './snapshot.ts';

/** In place of a schedule, while none is followed. */
const OFF = 'off';

export interface Followed {
  readonly actions: readonly Action[];
  /** Why a slot that is due is not run, where the program itself is to say so. */
  readonly obstacle?: { readonly ready?: boolean; readonly reason?: ConditionReason; readonly message: string };
  readonly progress?: Progress;
  readonly next?: Date;
  /** The run that has to end before that of the slot is made. */
  readonly waitsFor?: string;
  readonly requeueAt?: Date;
}

/** Makes the run of the slot that is due; the run's name makes sure that there is one. */
export function followSchedule(snapshot: ProgramSnapshot, calendar: Calendar, now: Date): Followed {
  const { program, runs, attempts, pipelines } = snapshot;
  const made = new Set(
    runs.filter((run) => isOfSchedule(run, calendar, program)).map(({ spec }) => Date.parse(spec.slot ?? '')),
  );
  const before = progressOf(program, calendar, pipelines, now);
  const { due, skipped, passed, newestSkipped, next, deadline } = slotsAt(calendar, before, now, made);
  const upcoming = next === undefined ? {} : { next, requeueAt: next };
  const count = (more: number) => (more === 0 ? {} : { skippedSlots: (before.skippedSlots ?? 0) + more });
  if (due === undefined) {
    if (passed === undefined) return { actions: [], progress: before, ...upcoming };
    return {
      actions: newestSkipped === undefined ? [] : [missed(program, skipped, newestSkipped)],
      progress: { ...before, lastSlot: rfc3339(passed), ...count(skipped) },
      ...upcoming,
    };
  }
  const run = buildRun(program, due, calendar.pipeline);
  const dealtWith = (more: number): Progress => ({ ...before, lastSlot: rfc3339(due), ...count(more) });
  const there = runs.find(({ metadata }) => metadata.name === run.metadata.name);
  const taken = attempts.taken.has(attemptKey(run)) || (there !== undefined && !isOwnedBy(there, program.metadata.uid));
  if (taken) {
    const message = `the slot ${rfc3339(due)} is skipped: a RetentionRun ${run.metadata.name} that is not ours is there`;
    const events = [say(program, 'NameTaken', message)];
    return { actions: events, progress: dealtWith(skipped + 1), ...upcoming };
  }
  if (there !== undefined) {
    // Noted once the run has begun, or waits: so that its beginning and this are one write.
    if (there.status?.phase !== undefined) return { actions: [], progress: dealtWith(skipped), ...upcoming };
    return { actions: [], progress: before, ...upcoming, next: due };
  }
  const refusal = attempts.refused.get(attemptKey(run));
  if (refusal !== undefined) {
    const begin = `the run ${run.metadata.name} of the slot ${rfc3339(due)} is refused: `;
    const message = `${begin}${refusal.message}`;
    const said = program.status?.conditions?.find(({ type, reason }) => type === 'Ready' && reason === 'Refused');
    const isSaid = said?.message.includes(begin) && steadyPart(said.message).includes(steadyPart(refusal.message));
    const topic = `${run.metadata.name} ${steadyPart(refusal.message)}`;
    return {
      actions: isSaid ? [] : [say(program, 'RunRefused', message, topic)],
      progress: before,
      next: due,
      obstacle: { ready: false, reason: 'Refused', message },
      requeueAt: retryAt(now),
    };
  }
  const [other] = runs.filter((one) => goesFirst(one, calendar, due, snapshot)).toSorted(begunFirst);
  if (other !== undefined) {
    // It waits for the other to end, of which we hear, as long as it may.
    const requeueAt = earlier(deadline, next);
    const waitsFor = other.metadata.name;
    const message = `the slot ${rfc3339(due)} waits for the run ${waitsFor} to end`;
    const known = pipelineStatusIn(program.status, calendar.pipeline, pipelines);
    const isSaid = known.waitsFor === waitsFor && known.nextSlot === rfc3339(due);
    return {
      actions: isSaid ? [] : [say(program, 'SlotWaiting', `${calendar.pipeline}: ${message}`)],
      progress: before,
      next: due,
      waitsFor,
      obstacle: { message },
      ...(requeueAt === undefined ? {} : { requeueAt }),
    };
  }
  return {
    actions: [
      ...(newestSkipped === undefined ? [] : [missed(program, skipped, newestSkipped)]),
      { do: 'create', resource: RESOURCES.retentionRuns, object: run },
      say(program, 'RunCreated', `made the run ${run.metadata.name} of the slot ${rfc3339(due)}`),
    ],
    progress: before,
    ...upcoming,
    next: due,
  };
}

/** Whether a run is in the way of a slot that is due, until it has ended. */
function goesFirst(run: RunObject, calendar: Calendar, due: Date, { program, pipelines }: ProgramSnapshot): boolean {
  if (isFinal(run) || waitsForPerson(run) || !shareLane(run.spec.pipeline, calendar.pipeline, pipelines)) return false;
  if (run.spec.trigger === 'backfill' && run.status?.startTime === undefined) return false;
  if (waitsForEarlierBatch(run, calendar, due, program, pipelines)) return false;
  // The new run ends it.
  return !(program.spec.concurrencyPolicy === 'Replace' && isOfSchedule(run, calendar, program));
}

/** Of several that are in the way the one that is at work, or the oldest: the same whenever it is looked at. */
function begunFirst(one: RunObject, other: RunObject): number {
  const hasBegun = ({ status }: RunObject) => Number(status?.startTime !== undefined);
  return hasBegun(other) - hasBegun(one) || (seniority(one) < seniority(other) ? -1 : 1);
}

/** Whether we made the run, at a slot of the pipeline's schedule. */
function isOfSchedule(run: RunObject, { pipeline }: Calendar, { metadata }: ProgramObject): boolean {
  return run.spec.pipeline === pipeline && run.spec.trigger === 'schedule' && isOwnedBy(run, metadata.uid);
}

/** Whether a run waits for a batch that is not that of the slot: it holds no lane, and its batch may never come. */
function waitsForEarlierBatch(
  run: RunObject,
  calendar: Calendar,
  due: Date,
  program: ProgramObject,
  pipelines: Pipelines,
): boolean {
  const { spec, status } = run;
  if (status?.startTime !== undefined || !isBecause(run, 'WaitingForBatch')) return false;
  const { after } = pipelines[calendar.pipeline] ?? {};
  if (spec.pipeline !== calendar.pipeline || after === undefined) return true;
  const newest = upstreamSlot(after, program.spec, due, pipelines);
  return newest === undefined || Date.parse(status?.slot ?? spec.slot ?? '') < newest.getTime();
}

/**
 * No slot is followed. Once the program was turned off, whatever schedule follows is new, so slots of meanwhile are never
 * run; where something is amiss with it, they are run or counted when that is mended. Counts stay.
 */
export function rest(
  { spec, status }: ProgramObject,
  pipeline: Calendar['pipeline'],
  pipelines: Pipelines,
  now: Date,
): Followed {
  const progress = progressIn(status, pipeline, pipelines);
  if (progress === undefined) return { actions: [] };
  if (spec.enabled) return { actions: [], progress };
  const { schedule, skippedSlots } = progress;
  if (schedule === OFF) return { actions: [], progress };
  const count = skippedSlots === undefined ? {} : { skippedSlots };
  return { actions: [], progress: { schedule: OFF, since: rfc3339Second(now), ...count } };
}

/**
 * Where we are in the schedule. One that is new to us, having been edited or enabled, takes effect now: it never runs slots
 * of before. That of a new program takes effect when the program was made.
 */
function progressOf(
  { metadata, status }: ProgramObject,
  calendar: Calendar,
  pipelines: Pipelines,
  now: Date,
): Progress {
  const schedule = scheduleText(calendar);
  const progress = progressIn(status, calendar.pipeline, pipelines);
  if (progress?.schedule === schedule) return progress;
  const isNew = status?.observedGeneration === undefined;
  const since = isNew ? metadata.creationTimestamp : rfc3339Second(now);
  const skippedSlots = progress?.skippedSlots;
  return { schedule, since, ...(skippedSlots === undefined ? {} : { skippedSlots }) };
}

function missed(program: ProgramObject, slots: number, newest: Date): Action {
  const [are, one] = slots === 1 ? ['1 slot', 'was'] : [`${slots} slots`, 'were'];
  return say(program, 'SlotsMissed', `${are} up to ${rfc3339(newest)} ${one} skipped: no run could be started in time`);
}

function say(
  program: ProgramObject,
  reason: Extract<Action, { do: 'event' }>['reason'],
  message: string,
  topic?: string,
): Action {
  return { do: 'event', regarding: program, reason, message, ...(topic === undefined ? {} : { topic }) };
}
