import type { Pipelines } from '../../../contract/pipelines.ts';
import { isFinalPhase, type RetentionRunStatus } from '../../../crds/index.ts';
import type { ConfigMapObject, JobObject, PodObject, ProgramObject, RunObject } from '../../kube/objects.ts';
import type { StageSettings } from '../../settings/settings.ts';
import type { Action, Attempts, Decision } from '../action.ts';
import { isBecause } from '../conditions.ts';
import type { JobHistory } from './disruption.ts';

/** All that is known about a run when it is looked at. */
export interface RunSnapshot {
  readonly run: RunObject;
  readonly program: ProgramObject | undefined;
  /** Other runs of the program that are not over. */
  readonly others: readonly RunObject[];
  /** Uids of those of them that have a Job already, whatever their status says. */
  readonly begun: ReadonlySet<string>;
  /** Runs of the program that have succeeded. */
  readonly succeeded: readonly RunObject[];
  /** The run that this one is another try of. */
  readonly original?: RunObject | undefined;
  /** Whether the run may be at work beside those that are, of all programs. */
  readonly hasRoom: boolean;
  /** Older programs of the namespace with the program's programId. */
  readonly twins: readonly ProgramObject[];
  /** The ConfigMap that the run's status names, or that a Job of it was found to be pinned to. */
  readonly revision: ConfigMapObject | undefined;
  /** Identity of the revision that a Job, which was found to be there, is pinned to. */
  readonly revisionIdentity?: string;
  /** Jobs of this run, by name: as good as live where their absence or failure decides something. */
  readonly jobs: ReadonlyMap<string, JobObject>;
  /** Pods of the newest Job. */
  readonly pods: readonly PodObject[];
  /** What Kubernetes last warned of about the newest Job or its pod, once it has waited for long. */
  readonly lastWarning: string | undefined;
  /** Of the newest Job, where it has no pod. */
  readonly history?: JobHistory;
  readonly attempts: Attempts;
  readonly settings: StageSettings;
  /** What is known of ways to run a program. */
  readonly pipelines: Pipelines;
}

export type RunDecision = Decision<RetentionRunStatus>;

/** Whether nothing more will happen to the run. */
export function isFinal({ status }: Pick<RunObject, 'status'>): boolean {
  return isFinalPhase(status?.phase);
}

export function hasSucceeded({ status }: Pick<RunObject, 'status'>): boolean {
  return status?.phase === 'Succeeded';
}

/** Whether the run has not begun and is held by a person: others need not wait for it. */
export function waitsForPerson({ spec, status }: RunObject): boolean {
  return status?.startTime === undefined && (spec.suspend || status?.phase === 'Suspended');
}

/** Whether the run has not begun and waits for what may never come, a person or a batch: no other run waits for it. */
export function standsAside(run: RunObject): boolean {
  return waitsForPerson(run) || (run.status?.startTime === undefined && isBecause(run, 'WaitingForBatch'));
}

/** An event about a run. */
export function event(
  run: RunObject,
  reason: Extract<Action, { do: 'event' }>['reason'],
  message: string,
  topic?: string,
): Action {
  return { do: 'event', regarding: run, reason, message, ...(topic === undefined ? {} : { topic }) };
}

/** How long until something that is in the way is looked at again. */
const AGAIN_MS = 15_000;

export function retryAt(now: Date): Date {
  return new Date(now.getTime() + AGAIN_MS);
}
