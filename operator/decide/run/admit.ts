import { createHash } from 'node:crypto';
import { rfc3339 } from '../../../base/instant.ts';
import { ownerName } from '../../../contract/owner.ts';
import type { ConfigMapObject, ProgramObject } from '../../kube/objects.ts';
import { programOwner } from '../../objects/owner.ts';
import { buildRevision, type PinnedRevision, pinnedRevision, revisionIdentity } from '../../objects/revision.ts';
import { type Storage, storageOf } from '../../objects/storage.ts';
import type { StageSettings } from '../../settings/settings.ts';
import type { ConditionReason } from '../reasons.ts';
import { notAllowed, programFault } from '../spec-fault.ts';
import { runBefore, sayWaits } from './lane-order.ts';
import { retryFault } from './retry.ts';
import { slotOf } from './slot.ts';
import { isFinal, type RunSnapshot } from './snapshot.ts';
import type { Outcome } from './status.ts';
import { awaited } from './upstream.ts';

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
const FULL =
  'as many runs are at work as may be at once, of all namespaces or of its own: the run has its turn as they end';

/** Why a run would not be at work even if there were room for one more; undefined where it would. */
export function obstacleTo(snapshot: RunSnapshot, now: Date): string | undefined {
  const { run, pipelines } = snapshot;
  if (isFinal(run)) return run.status?.phase;
  if (run.spec.cancel) return 'Cancelled' satisfies ConditionReason;
  if (!Object.hasOwn(pipelines, run.spec.pipeline)) return 'PipelineUnknown' satisfies ConditionReason;
  try {
    const admission = prepare(snapshot, now);
    return 'outcome' in admission ? admission.outcome.reason : undefined;
  } catch {
    return 'InternalError' satisfies ConditionReason;
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
function goOn(snapshot: RunSnapshot, program: ProgramObject): Admission {
  const { slot, revision: name, revisionDigest: identity } = snapshot.run.status ?? {};
  const revision = pinnedTo(snapshot, program, name, identity);
  if (revision === undefined || slot === undefined) return lost(name);
  return admitted('Suspended', new Date(slot), revision, snapshot.settings);
}

/** The revision that a run was pinned to, as long as its content is known; undefined when that is lost. */
function pinnedTo(
  { revision, settings }: RunSnapshot,
  program: ProgramObject,
  name: string | undefined,
  identity: string | undefined,
): Admitted['revision'] | undefined {
  const pinned = revision && pinnedRevision(revision, programOwner(program), identity);
  if (pinned !== undefined || revision !== undefined) return pinned && { pinned };
  // Somebody deleted the ConfigMap. While the program is what it was, its content is known.
  const current = buildRevision(programOwner(program), program, settings);
  const again = pinnedRevision(current, programOwner(program), identity);
  return again !== undefined && again.name === name ? { pinned: again, make: current } : undefined;
}

function lost(revision: string | undefined): Held {
  const message = `the ConfigMap ${revision} is gone or was changed: nobody knows any more what the run was to do`;
  return no('Failed', 'RevisionLost', message);
}

function begin(snapshot: RunSnapshot, program: ProgramObject, now: Date): Admission {
  const { twins, settings, pipelines } = snapshot;
  const fault = programFault(program, settings, pipelines);
  if (fault !== undefined) return no('Pending', fault.reason, `the program's ${fault.message}`);
  const [twin] = twins;
  if (twin !== undefined) {
    return no('Pending', 'ProgramIdTaken', `the program's programId is that of the program ${twin.metadata.name}`);
  }
  const unretriable = retryFault(snapshot);
  if (unretriable !== undefined) return no('Failed', 'NothingToRetry', unretriable);
  const slot = slotOf(snapshot, program, now);
  if ('reason' in slot) return no('Failed', slot.reason, slot.message);
  const before = awaited(snapshot, program, slot);
  if (before !== undefined) {
    const { what, deadline } = before;
    if (deadline <= now) return no('Failed', 'BatchMissed', `not until ${rfc3339(deadline)}, its deadline: ${what}`);
    const message = `the run begins when ${what}, until ${rfc3339(deadline)}`;
    return { ...no('Pending', 'WaitingForBatch', message), requeueAt: deadline };
  }
  const other = runBefore(snapshot);
  if (other !== undefined) return no('Pending', 'WaitingForRun', sayWaits(other.metadata.name));
  const start = spreadStart(slot, snapshot, program);
  if (start !== undefined && start > now) {
    return { ...no('Pending', 'StartSpread', `begins by ${rfc3339(wholeSecond(start))}`), requeueAt: start };
  }
  const revision =
    snapshot.original?.status?.revision === undefined ? pinNow(snapshot, program) : pinAgain(snapshot, program);
  return 'outcome' in revision ? revision : admitted('Pending', slot, revision, settings);
}

/** The program as it is now. */
function pinNow(snapshot: RunSnapshot, program: ProgramObject): Admitted['revision'] | Held {
  const { revision, settings } = snapshot;
  const make = buildRevision(programOwner(program), program, settings);
  // A Job that was made before a crash is pinned already, perhaps to the program as it was then.
  const isCurrent = revision === undefined || revision.metadata.name === make.metadata.name;
  const identity = snapshot.revisionIdentity ?? (isCurrent ? revisionIdentity(program, settings) : undefined);
  const pinned = pinnedRevision(revision ?? make, programOwner(program), identity);
  if (pinned === undefined) return no('Failed', 'RevisionLost', `the ConfigMap ${make.metadata.name} was changed`);
  return { pinned, ...(revision === undefined ? { make } : {}) };
}

/** What the run was pinned to that this one is another try of: its artifacts were made by it. */
function pinAgain(snapshot: RunSnapshot, program: ProgramObject): Admitted['revision'] | Held {
  const { revision: name, revisionDigest: identity } = snapshot.original?.status ?? {};
  const revision = pinnedTo(snapshot, program, name, identity);
  if (revision === undefined) return lost(name);
  if (ownerName('program', revision.pinned.spec) === ownerName('program', program.spec)) return revision;
  const message = `the run ${snapshot.original?.metadata.name} is of an earlier program ${program.metadata.name}, with another programId`;
  return no('Failed', 'NothingToRetry', message);
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

function noStorage(field: string): Held {
  return no('Pending', 'StorageMissing', `neither the program's ${field} nor the operator's settings name one`);
}

function no(phase: Outcome['phase'], reason: ConditionReason, message: string): Held {
  return { outcome: { phase, reason, message } };
}
