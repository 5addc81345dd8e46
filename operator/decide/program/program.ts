import { scheduleEnd } from '../../../base/schedules/index.ts';
import { type Pipelines, pipelinesOf } from '../../../contract/pipelines.ts';
import type { PipelineStatus, RetentionProgramStatus } from '../../../crds/index.ts';
import { isOfProgram, type ProgramObject, type RunObject } from '../../kube/objects.ts';
import { storageOf } from '../../objects/storage.ts';
import { type Decision, earlier } from '../action.ts';
import { type Conditions, conditions } from '../conditions.ts';
import type { ConditionReason } from '../reasons.ts';
import { programFault, sizeFault } from '../spec-fault.ts';
import { type Followed, followSchedule, rest } from './follow-schedule.ts';
import { forgetFinishedRuns, forgetRevisions } from './forget.ts';
import { lastOutcome } from './last-outcome.ts';
import { pipelineStatus } from './pipeline-status.ts';
import { type Calendar, calendarsOf } from './slots.ts';
import type { ProgramSnapshot } from './snapshot.ts';

export type ProgramDecision = Decision<RetentionProgramStatus>;

/** What is to be done for a program, and what its status should be. */
export function decideProgram(snapshot: ProgramSnapshot, now: Date): ProgramDecision {
  const { program, pipelines } = snapshot;
  if (program.metadata.deletionTimestamp !== undefined) return { actions: [], status: program.status ?? {} };
  const fault = sizeFault(program);
  if (fault !== undefined) {
    return { actions: [], status: programNotRead(program, fault.reason, fault.message, now) };
  }
  const accepted = accept(snapshot);
  const followed = followAll(snapshot, accepted.runs, now);
  const acceptance = {
    ...accepted,
    ...(accepted.runs ? over(program.spec, now) : {}),
    ...obstacleOf(followed, pipelines),
  };
  const requeueAt = followed.map((one) => one.requeueAt).reduce(earlier, undefined);
  const status: RetentionProgramStatus = {
    observedGeneration: program.metadata.generation ?? 0,
    ...statusOfEach(snapshot, followed),
    conditions: programConditions(snapshot, acceptance, now),
  };
  const forgotten = forgetRevisions(snapshot);
  return {
    actions: [...followed.flatMap(({ actions }) => actions), ...forgetFinishedRuns(snapshot), ...forgotten],
    status,
    ...(requeueAt === undefined ? {} : { requeueAt }),
    // That no run is pinned to them.
    ...(forgotten.length === 0 ? {} : { restsOn: 'all' }),
  };
}

/** The status of a program that cannot be read: as it was, and that nothing comes of it for now. */
export function programNotRead(
  { metadata, status = {} }: ProgramObject,
  reason: ConditionReason,
  message: string,
  now: Date,
): RetentionProgramStatus {
  const { nextSlot: _next, pipelines, ...rest } = status;
  const generation = metadata.generation ?? 0;
  const before = Array.isArray(status.conditions) ? status.conditions : undefined;
  const said = conditions(before, generation, now, [
    { type: 'Ready', status: false, reason, message },
    { type: 'Stalled', status: true, reason, message },
  ]);
  const unscheduled = Array.isArray(pipelines)
    ? pipelines.map(({ nextSlot: _due, waitsFor: _run, ...pipeline }) => pipeline)
    : undefined;
  const known = unscheduled === undefined ? {} : { pipelines: unscheduled };
  return { ...rest, ...known, observedGeneration: generation, conditions: [...said, ...outcomeBefore(before)] };
}

/** In the order of the table. */
function statusOfEach(
  { program, runs, pipelines }: ProgramSnapshot,
  followed: readonly FollowedPipeline[],
): Pick<RetentionProgramStatus, 'pipelines'> {
  const own = runs.filter((run) => isOfProgram(run, program));
  const known: PipelineStatus[] = Object.keys(pipelinesOf('program', pipelines)).flatMap((pipeline) => {
    const { progress, next, waitsFor } = followed.find((one) => one.pipeline === pipeline) ?? {};
    const status = pipelineStatus(pipeline, { before: program.status, runs: own, pipelines, progress, next, waitsFor });
    return status === undefined ? [] : [status];
  });
  return known.length === 0 ? {} : { pipelines: known };
}

/** Of what is in the way of slots, the program says all that keeps one from being run, or what the batch waits for. */
function obstacleOf(followed: readonly FollowedPipeline[], pipelines: Pipelines): Followed['obstacle'] {
  const publishing = followed.find(({ pipeline }) => pipelines[pipeline]?.publishes);
  const unready = followed.flatMap(({ obstacle }) => (obstacle?.ready === false ? [obstacle] : []));
  const [first] = unready;
  if (first === undefined) return publishing?.obstacle;
  return { ...first, message: unready.map(({ message }) => message).join('; ') };
}

type FollowedPipeline = Followed & Pick<Calendar, 'pipeline'>;

/** The schedules one by one, in the order of the table: what is made for one may be what another waits for. */
function followAll(snapshot: ProgramSnapshot, runs: boolean, now: Date): readonly FollowedPipeline[] {
  const { program, pipelines } = snapshot;
  const known = [...snapshot.runs];
  return calendarsOf(program.spec, pipelines).map((calendar) => {
    const { pipeline } = calendar;
    if (!runs) return { pipeline, ...rest(program, pipeline, pipelines, now) };
    const followed = followSchedule({ ...snapshot, runs: known }, calendar, now);
    known.push(...followed.actions.flatMap((action) => (action.do === 'create' ? [action.object as RunObject] : [])));
    return { pipeline, ...followed };
  });
}

interface Acceptance {
  readonly ready: boolean;
  /** Whether slots are followed. */
  readonly runs: boolean;
  readonly reason: ConditionReason;
  readonly message: string;
}

function accept({ program, twins, settings, pipelines }: ProgramSnapshot): Acceptance {
  const { spec } = program;
  const refuse = (reason: ConditionReason, message: string) => ({ ready: false, runs: false, reason, message });
  const fault = programFault(program, settings, pipelines);
  if (fault !== undefined) return refuse(fault.reason, fault.message);
  const [twin] = twins;
  if (twin !== undefined) {
    return refuse('ProgramIdTaken', `spec.programId ${spec.programId} is that of the program ${twin.metadata.name}`);
  }
  const storage = storageOf(spec, settings);
  if ('missing' in storage) {
    return refuse('StorageMissing', `neither spec.${storage.missing} nor the operator's settings name one`);
  }
  if (!spec.enabled) return { ready: true, runs: false, reason: 'Disabled', message: 'spec.enabled is false' };
  return { ready: true, runs: true, reason: 'Scheduled', message: `runs at ${spec.batchSchedule} (${spec.timeZone})` };
}

/** The program stays ready: a run that a person asks for still runs. */
function over(
  { batchSchedule, timeZone }: ProgramObject['spec'],
  now: Date,
): Pick<Acceptance, 'reason' | 'message'> | undefined {
  const end = scheduleEnd(batchSchedule, timeZone, now);
  return end === undefined ? undefined : { reason: 'ScheduleOver', message: `spec.batchSchedule ${end}` };
}

function programConditions(snapshot: ProgramSnapshot, acceptance: Acceptance, now: Date): Conditions {
  const { status, metadata } = snapshot.program;
  const { ready, reason, message } = acceptance;
  const last = lastOutcome(snapshot);
  const said = conditions(status?.conditions, metadata.generation ?? 0, now, [
    { type: 'Ready', status: ready, reason, message },
    { type: 'Stalled', status: !ready, reason, message },
    ...(last === undefined
      ? []
      : [
          {
            type: 'LastRunSucceeded',
            status: last.outcome.status === 'True',
            reason: last.outcome.reason,
            message: `${last.run.metadata.name}: ${last.outcome.message}`,
          },
        ]),
  ]);
  return last === undefined ? [...said, ...outcomeBefore(status?.conditions)] : said;
}

/** How the last run went whose object is gone by now. */
function outcomeBefore(before: Conditions | undefined): Conditions {
  return before?.filter(({ type }) => type === 'LastRunSucceeded') ?? [];
}
