import { createHash } from 'node:crypto';
import { rfc3339 } from '../../../base/instant.ts';
import { parseSchedule } from '../../../base/schedules/index.ts';
import { shareLane } from '../../../contract/lane.ts';
import type { ConfigMapObject, ProgramObject, RunObject } from '../../kube/objects.ts';
import { buildRevision, type PinnedRevision, readRevision, revisionDigest } from '../../objects/revision.ts';
import { type Storage, storageOf } from '../../objects/storage.ts';
import type { StageSettings } from '../../settings/settings.ts';
import type { ConditionReason } from '../reasons.ts';
import { notAllowed, programFault } from '../spec-fault.ts';
import { inOrder } from './order.ts';
import { isFinal, type RunSnapshot, waitsForPerson } from './snapshot.ts';
import type { Outcome } from './status.ts';

/** Another operator's clock, which made the run, may be so far ahead of ours. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Whether work for a run may start now, and with what; or why not. */
export type Admission = Admitted | Held;

export interface Held {
  readonly outcome: Outcome;
  /** When to look again though nothing has happened. */
  readonly requeueAt?: Date;
}

export interface Admitted {
  readonly slot: Date;
  readonly storage: Storage;
  /** `make` is the ConfigMap, where it is still to be made. */
  readonly revision: { readonly pinned: PinnedRevision; readonly make?: ConfigMapObject };
}

/** Looks at everything that a task needs, in the order in which a person would want to hear of it. */
export function admit(snapshot: RunSnapshot, now: Date): Admission {
  const admission = prepare(snapshot, now);
  if ('outcome' in admission || snapshot.hasRoom) return admission;
  const phase = snapshot.run.status?.startTime === undefined ? 'Pending' : 'Suspended';
  return no(phase, 'WaitingForCapacity', FULL);
}

/** Not how many: it would have to be said anew, to each that waits, whenever that is changed. */
const FULL = 'as many runs are at work as may be at once: the oldest begins when one of them ends';

/** Whether a run that is not at work would be, if there were room for one more. */
export function wantsRoom(snapshot: RunSnapshot, now: Date): boolean {
  const { run, pipelines } = snapshot;
  if (isFinal(run) || run.spec.cancel || !Object.hasOwn(pipelines, run.spec.pipeline)) return false;
  try {
    return !('outcome' in prepare(snapshot, now));
  } catch {
    return false;
  }
}

function prepare(snapshot: RunSnapshot, now: Date): Admission {
  const { run, program } = snapshot;
  const begun = run.status?.startTime !== undefined;
  if (program === undefined || program.metadata.deletionTimestamp !== undefined) {
    const name = run.spec.programRef.name;
    return begun
      ? no('Failed', 'ProgramDeleted', `the RetentionProgram ${name} was deleted`)
      : no('Pending', 'ProgramMissing', `there is no RetentionProgram ${name} in this namespace`);
  }
  if (run.spec.suspend) return no('Suspended', 'Suspended', 'the run is suspended: set spec.suspend to false to go on');
  if (!program.spec.enabled) {
    return no('Suspended', 'ProgramDisabled', `the program ${program.metadata.name} is not enabled`);
  }
  return begun ? goOn(snapshot, program) : begin(snapshot, program, now);
}

/** A run under way keeps to what it is pinned to, whatever the program says by now. */
function goOn({ run, revision, settings }: RunSnapshot, program: ProgramObject): Admission {
  const slot = run.status?.slot;
  const digest = run.status?.revisionDigest;
  const pinned = revision && readRevision(revision, program.metadata.name, digest);
  if (pinned !== undefined && slot !== undefined) {
    return admitted('Suspended', new Date(slot), { pinned }, settings);
  }
  // Somebody deleted the ConfigMap. While the program is what it was, its content is known.
  const current = buildRevision(program, settings);
  const again = readRevision(current, program.metadata.name, digest);
  if (revision === undefined && again !== undefined && again.name === run.status?.revision && slot !== undefined) {
    return admitted('Suspended', new Date(slot), { pinned: again, make: current }, settings);
  }
  return no(
    'Failed',
    'RevisionLost',
    `the ConfigMap ${run.status?.revision} is gone or was changed: nobody knows any more what the run was to do`,
  );
}

function begin(snapshot: RunSnapshot, program: ProgramObject, now: Date): Admission {
  const { run, others, begun, twins, revision, settings, pipelines } = snapshot;
  const fault = programFault(program, settings, pipelines);
  if (fault !== undefined) return no('Pending', fault.reason, `the program's ${fault.message}`);
  const [twin] = twins;
  if (twin !== undefined) {
    return no('Pending', 'ProgramIdTaken', `the program's programId is that of the program ${twin.metadata.name}`);
  }
  const ofLane = others.filter((other) => shareLane(other.spec.pipeline, run.spec.pipeline, pipelines));
  if (ofLane.some((other) => begun.has(other.metadata.uid) || goesFirst(other, run))) {
    return no('Pending', 'WaitingForRun', WAITS);
  }
  const slot = slotOf(run, program, now);
  if (slot === undefined) {
    return no('Failed', 'NoSlot', `${program.spec.batchSchedule} has had no slot yet: give the run a slot`);
  }
  if (Number.isNaN(slot.getTime())) {
    return no('Failed', 'NoSlot', `spec.slot ${run.spec.slot} is no instant such as 2026-11-23T02:00:00Z`);
  }
  if (slot.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    return no('Failed', 'SlotInFuture', `the slot ${rfc3339(slot)} is yet to come: nothing is known as of then`);
  }
  const start = spreadStart(slot, snapshot, program);
  if (start !== undefined && start > now) {
    return { ...no('Pending', 'StartSpread', `begins by ${rfc3339(wholeSecond(start))}`), requeueAt: start };
  }
  const make = buildRevision(program, settings);
  // A Job that was made before a crash is pinned already, perhaps to the program as it was then.
  const isCurrent = revision === undefined || revision.metadata.name === make.metadata.name;
  const digest = snapshot.revisionDigest ?? (isCurrent ? revisionDigest(program, settings) : undefined);
  const pinned = readRevision(revision ?? make, program.metadata.name, digest);
  if (pinned === undefined) return no('Failed', 'RevisionLost', `the ConfigMap ${make.metadata.name} was changed`);
  return admitted('Pending', slot, { pinned, ...(revision === undefined ? { make } : {}) }, settings);
}

/** What is allowed may have changed since the run was pinned. */
function admitted(
  otherwise: 'Pending' | 'Suspended',
  slot: Date,
  revision: Admitted['revision'],
  settings: StageSettings,
): Admission {
  const { spec } = revision.pinned;
  const fault = notAllowed(spec, settings);
  if (fault !== undefined) return no(otherwise, fault.reason, `the program's ${fault.message}`);
  const storage = storageOf(spec, settings);
  if ('missing' in storage) return noStorage(storage.missing);
  return { slot, storage, revision };
}

/** Not which: it would have to be said anew, to each that waits, whenever one ends. */
const WAITS = 'another run of the same program goes first: they go one after the other, the oldest first';

/** Of several runs one that has begun goes first: all of them agree on which comes next. */
function goesFirst(other: RunObject, run: RunObject): boolean {
  if (other.status?.startTime !== undefined) return true;
  return !waitsForPerson(other) && inOrder(other, run) < 0;
}

/** When a run of the schedule begins where the programs of one minute are spread: each always so long after its slot. */
function spreadStart(slot: Date, { run, settings }: RunSnapshot, program: ProgramObject): Date | undefined {
  const most = settings.startJitterSeconds * 1000;
  if (most === 0 || run.spec.trigger !== 'schedule') return undefined;
  const digest = createHash('sha256').update(program.metadata.uid).digest();
  // The clock of whoever made the run may have been ahead.
  const due = Math.min(slot.getTime(), Date.parse(run.metadata.creationTimestamp));
  return new Date(due + (digest.readUInt32BE() % most));
}

function wholeSecond(instant: Date): Date {
  return new Date(Math.ceil(instant.getTime() / 1000) * 1000);
}

/** The instant that a run is as of: its own, or the newest of the schedule when it was made. */
function slotOf(run: RunObject, program: ProgramObject, now: Date): Date | undefined {
  const said = run.status?.slot ?? run.spec.slot;
  if (said !== undefined) return new Date(said);
  const { batchSchedule, timeZone } = program.spec;
  const made = new Date(run.metadata.creationTimestamp);
  return parseSchedule(batchSchedule, timeZone).newest(made < now ? made : now);
}

function noStorage(field: string): Held {
  return no('Pending', 'StorageMissing', `neither the program's ${field} nor the operator's settings name one`);
}

function no(phase: Outcome['phase'], reason: ConditionReason, message: string): Held {
  return { outcome: { phase, reason, message } };
}
