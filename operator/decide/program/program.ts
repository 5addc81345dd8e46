import { rfc3339 } from '../../../base/instant.ts';
import { scheduleEnd } from '../../../base/schedules/index.ts';
import type { RetentionProgramStatus } from '../../../crds/index.ts';
import { RESOURCES } from '../../kube/api.ts';
import { isOwnedBy, type ProgramObject, type RunObject, seniority } from '../../kube/objects.ts';
import { buildRevision } from '../../objects/revision.ts';
import { storageOf } from '../../objects/storage.ts';
import { type Action, type Decision, earlier } from '../action.ts';
import { conditions } from '../conditions.ts';
import type { ConditionReason } from '../reasons.ts';
import { isFinal } from '../run/snapshot.ts';
import { candidatesOf, isForPublishing } from '../run-result.ts';
import { programFault, sizeFault } from '../spec-fault.ts';
import { type Followed, followSchedule, rest } from './follow-schedule.ts';
import { type Calendar, calendarsOf, progressIn } from './slots.ts';
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
  const publishing = followed.find(({ pipeline }) => pipelines[pipeline]?.publishes);
  const acceptance = { ...accepted, ...(accepted.runs ? over(program.spec, now) : {}), ...publishing?.obstacle };
  const requeueAt = followed.map((one) => one.requeueAt).reduce(earlier, undefined);
  const progress = followed.flatMap((one) => (one.progress === undefined ? [] : [[one.pipeline, one.progress]]));
  const status: RetentionProgramStatus = {
    observedGeneration: program.metadata.generation ?? 0,
    ...lastRun(snapshot),
    ...(publishing?.next === undefined ? {} : { nextSlot: rfc3339(publishing.next) }),
    ...Object.fromEntries(progress),
    conditions: programConditions(snapshot, acceptance, now),
  };
  return {
    actions: [...followed.flatMap(({ actions }) => actions), ...forgetRuns(snapshot), ...forgetRevisions(snapshot)],
    status,
    ...(requeueAt === undefined ? {} : { requeueAt }),
  };
}

/** The status of a program that cannot be read: as it was, and that nothing comes of it for now. */
export function programNotRead(
  { metadata, status = {} }: ProgramObject,
  reason: ConditionReason,
  message: string,
  now: Date,
): RetentionProgramStatus {
  const { nextSlot: _next, ...rest } = status;
  const generation = metadata.generation ?? 0;
  const before = Array.isArray(status.conditions) ? status.conditions : undefined;
  const outcome = before?.filter(({ type }) => type === 'LastRunSucceeded') ?? [];
  const said = conditions(before, generation, now, [
    { type: 'Ready', status: false, reason, message },
    { type: 'Stalled', status: true, reason, message },
  ]);
  return { ...rest, observedGeneration: generation, conditions: [...said, ...outcome] };
}

/** The schedules one by one, in the order of the table: what is made for one may be what another waits for. */
function followAll(
  snapshot: ProgramSnapshot,
  runs: boolean,
  now: Date,
): readonly (Followed & Pick<Calendar, 'pipeline'>)[] {
  const { program, pipelines } = snapshot;
  const known = [...snapshot.runs];
  return calendarsOf(program.spec, pipelines).map((calendar) => {
    const { pipeline } = calendar;
    if (!runs) return { pipeline, ...rest(program, pipeline, now) };
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

function accept({ program, twins, settings }: ProgramSnapshot): Acceptance {
  const { spec } = program;
  const refuse = (reason: ConditionReason, message: string) => ({ ready: false, runs: false, reason, message });
  const fault = programFault(program, settings);
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

/** Newest first. */
function byAge(runs: readonly RunObject[]): readonly RunObject[] {
  return runs.toSorted((one, other) => (seniority(one) < seniority(other) ? 1 : -1));
}

function lastRun({ runs, pipelines }: ProgramSnapshot): Pick<RetentionProgramStatus, 'lastRun'> {
  const [newest] = byAge(
    runs.filter(
      (run) => isForPublishing(run, pipelines) && run.status?.phase !== undefined && run.status.slot !== undefined,
    ),
  );
  const { phase, slot, startTime, completionTime, stages } = newest?.status ?? {};
  if (newest === undefined || phase === undefined || slot === undefined) return {};
  const candidates = candidatesOf(newest, stages ?? [], pipelines);
  return {
    lastRun: {
      name: newest.metadata.name,
      slot,
      phase,
      ...(startTime === undefined ? {} : { startTime }),
      ...(completionTime === undefined ? {} : { completionTime }),
      ...(candidates === undefined ? {} : { candidates }),
    },
  };
}

function programConditions({ program, runs, pipelines }: ProgramSnapshot, acceptance: Acceptance, now: Date) {
  const { ready, reason, message } = acceptance;
  const [finished] = byAge(runs.filter((run) => isForPublishing(run, pipelines) && isFinal(run)));
  const outcome = finished?.status?.conditions?.find(({ type }) => type === 'Complete');
  return conditions(program.status?.conditions, program.metadata.generation ?? 0, now, [
    { type: 'Ready', status: ready, reason, message },
    { type: 'Stalled', status: !ready, reason, message },
    ...(finished === undefined || outcome === undefined
      ? []
      : [
          {
            type: 'LastRunSucceeded',
            status: outcome.status === 'True',
            reason: outcome.reason,
            message: `${finished.metadata.name}: ${outcome.message}`,
          },
        ]),
  ]);
}

/** Deletes finished runs of the schedules beyond the history that is kept; those that people made are theirs. */
function forgetRuns(snapshot: ProgramSnapshot): readonly Action[] {
  return Object.keys(snapshot.pipelines).flatMap((pipeline) => forgetRunsOf(pipeline, snapshot));
}

function forgetRunsOf(
  pipeline: Calendar['pipeline'],
  { program, runs, pipelines }: ProgramSnapshot,
): readonly Action[] {
  const { successful, failed } = program.spec.runHistory;
  const lastSlot = progressIn(program.status, pipeline)?.lastSlot;
  // A schedule that was taken away never takes up an old slot again.
  const isFollowed = calendarsOf(program.spec, pipelines).some((calendar) => calendar.pipeline === pipeline);
  const ours = byAge(
    runs.filter(
      (run) =>
        isFinal(run) &&
        run.spec.pipeline === pipeline &&
        isOwnedBy(run, program.metadata.uid) &&
        run.metadata.deletionTimestamp === undefined &&
        // Until its slot is recorded as dealt with, the run itself is what says so.
        (!isFollowed ||
          (run.spec.slot !== undefined && lastSlot !== undefined && Date.parse(run.spec.slot) <= Date.parse(lastSlot))),
    ),
  );
  const succeeded = ours.filter(({ status }) => status?.phase === 'Succeeded');
  const others = ours.filter(({ status }) => status?.phase !== 'Succeeded');
  return [...succeeded.slice(successful), ...others.slice(failed)].map((object) => ({
    do: 'delete',
    resource: RESOURCES.retentionRuns,
    object,
  }));
}

/** Deletes revisions that no run is pinned to, and that the next one would not be. */
function forgetRevisions({ program, runs, revisions, settings }: ProgramSnapshot): readonly Action[] {
  // A run that is about to begin may be pinned to one already.
  if (runs.some((run) => !isFinal(run) && run.status?.revision === undefined)) return [];
  const used = new Set(runs.map(({ status }) => status?.revision));
  used.add(buildRevision(program, settings).metadata.name);
  return revisions
    .filter(({ metadata }) => !used.has(metadata.name) && metadata.deletionTimestamp === undefined)
    .map((object) => ({ do: 'delete', resource: RESOURCES.configMaps, object }));
}
