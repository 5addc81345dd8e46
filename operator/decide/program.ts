import type { RetentionProgramStatus } from '../../crds/index.ts';
import { storageOf } from '../build/job.ts';
import { buildRevision } from '../build/revision.ts';
import { buildRun } from '../build/run.ts';
import { type KubeObject, RESOURCES } from '../kube/api.ts';
import { isOwnedBy, type ProgramObject, type RunObject, type StoredMetadata, seniority } from '../objects.ts';
import type { StageSettings } from '../settings.ts';
import { type Action, type Attempts, attemptKey, type Decision, earlier } from './action.ts';
import { conditions } from './conditions.ts';
import type { ConditionReason } from './reasons.ts';
import { isFinal, later, waitsForPerson } from './run-snapshot.ts';
import { type Progress, scheduleText, slotsAt } from './slots.ts';
import { specFault } from './spec-fault.ts';

/** All that is known about a program when it is looked at. */
export interface ProgramSnapshot {
  readonly program: ProgramObject;
  /** Every run that names the program. */
  readonly runs: readonly RunObject[];
  /** Revisions that the program owns. */
  readonly revisions: readonly (KubeObject & { readonly metadata: StoredMetadata })[];
  /** Older programs of the namespace with the same programId. */
  readonly twins: readonly ProgramObject[];
  readonly attempts: Attempts;
  readonly settings: StageSettings;
}

export type ProgramDecision = Decision<RetentionProgramStatus>;

/** What is to be done for a program, and what its status should be. */
export function decideProgram(snapshot: ProgramSnapshot, now: Date): ProgramDecision {
  const { program } = snapshot;
  if (program.metadata.deletionTimestamp !== undefined) return { actions: [], status: program.status ?? {} };
  const accepted = accept(snapshot);
  const schedule = accepted.runs ? followSchedule(snapshot, now) : rest(program, now);
  const acceptance = { ...accepted, ...schedule.obstacle };
  const status: RetentionProgramStatus = {
    observedGeneration: program.metadata.generation ?? 0,
    ...lastRun(snapshot),
    ...(schedule.next === undefined ? {} : { nextSlot: schedule.next.toISOString() }),
    ...(schedule.progress === undefined ? {} : { batch: schedule.progress }),
    conditions: programConditions(snapshot, acceptance, now),
  };
  return {
    actions: [...schedule.actions, ...forgetRuns(snapshot), ...forgetRevisions(snapshot)],
    status,
    ...(schedule.requeueAt === undefined ? {} : { requeueAt: schedule.requeueAt }),
  };
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
  const fault = specFault(spec);
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

/** In place of a schedule, while none is followed. */
const OFF = 'off';

interface Followed {
  readonly actions: readonly Action[];
  /** Why a slot that is due is not run, where the program itself is to say so. */
  readonly obstacle?: Partial<Acceptance>;
  readonly progress?: Progress;
  readonly next?: Date;
  readonly requeueAt?: Date;
}

/** Makes the run of the slot that is due; the run's name makes sure that there is one. */
function followSchedule(snapshot: ProgramSnapshot, now: Date): Followed {
  const { program, runs, attempts } = snapshot;
  const before = progressOf(program, now);
  const { due, skipped, passed, next, deadline } = slotsAt(program.spec, before, now);
  const upcoming = next === undefined ? {} : { next, requeueAt: next };
  const count = (more: number) => (more === 0 ? {} : { skippedSlots: (before.skippedSlots ?? 0) + more });
  if (due === undefined) {
    if (passed === undefined) return { actions: [], progress: before, ...upcoming };
    return {
      actions: [missed(program, skipped, passed)],
      progress: { ...before, lastSlot: passed.toISOString(), ...count(skipped) },
      ...upcoming,
    };
  }
  const run = buildRun(program, due);
  const dealtWith = (more: number): Progress => ({ ...before, lastSlot: due.toISOString(), ...count(more) });
  const there = runs.find(({ metadata }) => metadata.name === run.metadata.name);
  const taken = attempts.taken.has(attemptKey(run)) || (there !== undefined && !isOwnedBy(there, program.metadata.uid));
  if (taken) {
    const message = `the slot ${due.toISOString()} is skipped: a RetentionRun ${run.metadata.name} that is not ours is there`;
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
    const message = `the run ${run.metadata.name} of the slot ${due.toISOString()} is refused: ${refusal.message}`;
    return {
      actions: [say(program, 'RunRefused', message)],
      progress: before,
      next: due,
      obstacle: { ready: false, reason: 'Refused', message },
      requeueAt: later(now),
    };
  }
  const other = runs.find((one) => !isFinal(one) && !waitsForPerson(one));
  if (other !== undefined) {
    // Forbid: it waits for the other to end, of which we hear, as long as it may.
    const requeueAt = earlier(deadline, next);
    const message = `the slot ${due.toISOString()} waits for the run ${other.metadata.name} to end`;
    return {
      actions: [],
      progress: before,
      next: due,
      obstacle: { message },
      ...(requeueAt === undefined ? {} : { requeueAt }),
    };
  }
  return {
    actions: [
      ...(skipped === 0 ? [] : [missed(program, skipped, due)]),
      { do: 'create', resource: RESOURCES.retentionRuns, object: run },
      say(program, 'RunCreated', `made the run ${run.metadata.name} of the slot ${due.toISOString()}`),
    ],
    progress: before,
    ...upcoming,
    next: due,
  };
}

/**
 * No slot is followed. Once the program was turned off, whatever schedule follows is new, so slots of meanwhile are never
 * run; where something is amiss with it, they are run or counted when that is mended. Counts stay.
 */
function rest({ spec, status }: ProgramObject, now: Date): Followed {
  if (status?.batch === undefined) return { actions: [] };
  if (spec.enabled) return { actions: [], progress: status.batch };
  const { schedule, skippedSlots } = status.batch;
  if (schedule === OFF) return { actions: [], progress: status.batch };
  const count = skippedSlots === undefined ? {} : { skippedSlots };
  return { actions: [], progress: { schedule: OFF, since: now.toISOString(), ...count } };
}

/**
 * Where we are in the schedule. One that is new to us, having been edited or enabled, takes effect now: it never runs slots
 * of before. That of a new program takes effect when the program was made.
 */
function progressOf({ spec, metadata, status }: ProgramObject, now: Date): Progress {
  const schedule = scheduleText(spec);
  if (status?.batch?.schedule === schedule) return status.batch;
  const isNew = status?.observedGeneration === undefined;
  const since = isNew ? metadata.creationTimestamp : now.toISOString();
  const skippedSlots = status?.batch?.skippedSlots;
  return { schedule, since, ...(skippedSlots === undefined ? {} : { skippedSlots }) };
}

function missed(program: ProgramObject, slots: number, newest: Date): Action {
  const [are, one] = slots === 1 ? ['1 slot', 'was'] : [`${slots} slots`, 'were'];
  return say(
    program,
    'SlotsMissed',
    `${are} up to ${newest.toISOString()} ${one} skipped: no run could be started in time`,
  );
}

function say(program: ProgramObject, reason: Extract<Action, { do: 'event' }>['reason'], message: string): Action {
  return { do: 'event', regarding: program, reason, message };
}

/** Newest first. */
function byAge(runs: readonly RunObject[]): readonly RunObject[] {
  return runs.toSorted((one, other) => (seniority(one) < seniority(other) ? 1 : -1));
}

function lastRun({ runs }: ProgramSnapshot): Pick<RetentionProgramStatus, 'lastRun'> {
  const newest = byAge(runs).find(
    ({ spec, status }) => spec.pipeline === 'batch' && status?.phase !== undefined && status.slot !== undefined,
  );
  const { phase, slot, startTime, completionTime, stages } = newest?.status ?? {};
  if (newest === undefined || phase === undefined || slot === undefined) return {};
  const candidates = stages?.find(({ name }) => name === 'store')?.counts?.['candidates'];
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

function programConditions({ program, runs }: ProgramSnapshot, acceptance: Acceptance, now: Date) {
  const { ready, reason, message } = acceptance;
  const finished = byAge(runs).find((run) => run.spec.pipeline === 'batch' && isFinal(run));
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

/** Deletes finished runs of the schedule beyond the history that is kept; those that people made are theirs. */
function forgetRuns({ program, runs }: ProgramSnapshot): readonly Action[] {
  const { successful, failed } = program.spec.runHistory;
  const lastSlot = program.status?.batch?.lastSlot;
  const ours = byAge(runs).filter(
    (run) =>
      isFinal(run) &&
      isOwnedBy(run, program.metadata.uid) &&
      run.metadata.deletionTimestamp === undefined &&
      // Until its slot is recorded as dealt with, the run itself is what says so.
      run.spec.slot !== undefined &&
      lastSlot !== undefined &&
      run.spec.slot <= lastSlot,
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
