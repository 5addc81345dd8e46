import { rfc3339 } from '../../../base/instant.ts';
import type { JobObject, PodObject, RunObject } from '../../kube/objects.ts';
import { isBecause } from '../conditions.ts';
import type { ConditionReason } from '../reasons.ts';
import { containerOf, shardOf } from './report.ts';
import type { StageStatus } from './tasks.ts';

/** The pod of a task was ended for a reason that is none of its own; its Job makes another, after a while. */
export const DISRUPTED = 'PodDisrupted' satisfies ConditionReason;

/** What Kubernetes tells of a Job that has no pod. */
export interface JobHistory {
  /** Pods that it has made so far, as far as that is known. */
  readonly made?: number;
  /** The newest of them, which is no more. */
  readonly gone?: string;
}

/** What became of the last pod of a Job, and when its next one is due. */
export interface Disruption {
  /** Without a time: the same for as long as it lasts. */
  readonly message: string;
  /** Until the Job makes another at the latest; unknown while the last one is yet to end. */
  readonly until?: Date;
}

const TARGET = 'DisruptionTarget';

/** Why a pod is a target of disruption: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ */
const HOW: Readonly<Record<string, string>> = {
  EvictionByEvictionAPI: 'was evicted',
  PreemptionByScheduler: 'was preempted',
  DeletionByTaintManager: 'was deleted with a taint of its node, which may be lost',
  DeletionByPodGC: 'was deleted, for its node is gone',
  TerminationByKubelet: 'was ended by its node',
};

/** Kubernetes' own: pkg/controller/job, DefaultJobPodFailureBackOff and MaxJobPodFailureBackOff. */
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 600_000;

/** How long a Job waits after so many pods that did not succeed, before it makes another: twice as long each time. */
function waitAfter(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (Math.max(1, failures) - 1), LONGEST_WAIT_MS);
}

export function isDisrupted(pod: PodObject): boolean {
  return howDisrupted(pod) !== undefined;
}

/** Whether the run says so already. */
export function isDisruptedSo(run: RunObject): boolean {
  return isBecause(run, DISRUPTED);
}

function howDisrupted({ metadata, status }: PodObject): string | undefined {
  const target = status?.conditions?.find(({ type, status: holds }) => type === TARGET && holds === 'True');
  if (target !== undefined) {
    const why = [target.reason, target.message].filter((part) => part).join(': ');
    return `its pod ${metadata.name} ${HOW[target.reason ?? ''] ?? 'was disrupted'}${why === '' ? '' : ` (${why})`}`;
  }
  const { reason, message } = status ?? {};
  if (status?.phase !== 'Failed' || reason !== 'Evicted') return undefined;
  return `its pod ${metadata.name} was evicted${message ? ` (${message})` : ''}`;
}

/**
 * What became of the newest pod of a task that has none at work, where that is no failure of the task.
 * @param before what the stage said last: a pod that was seen to be evicted is gone soon after
 * @param lastWarning what keeps its Job from making another
 */
export function disruptionOf(
  job: JobObject,
  pods: readonly PodObject[],
  history: JobHistory,
  before: StageStatus,
  lastWarning: string | undefined,
  now: Date,
): Disruption | undefined {
  const [newest] = pods.toSorted((one, other) =>
    other.metadata.creationTimestamp.localeCompare(one.metadata.creationTimestamp),
  );
  if (newest === undefined) return lastWarning === undefined ? goneFor(job, history, before, now) : undefined;
  const message = howDisrupted(newest);
  if (message === undefined) return undefined;
  const end = endTimeOf(newest);
  if (end === undefined) return { message };
  const tries = pods.filter(
    (pod) => shardOf(pod) === shardOf(newest) && containerOf(pod)?.state?.running === undefined,
  );
  const until = end + waitAfter(Math.max(tries.length, madeBy(job, history) ?? 0));
  // A pod may have ended long before that is known; it is said once.
  const known = before.message === message ? before.nextTryTime : undefined;
  return { message, until: known === undefined ? new Date(Math.max(until, now.getTime())) : new Date(known) };
}

/** A pod that is no more was deleted, by whomever. */
function goneFor(
  job: JobObject,
  history: JobHistory,
  { message, nextTryTime }: StageStatus,
  now: Date,
): Disruption | undefined {
  const gone = history.gone ?? /^its pod (\S+) /.exec(message ?? '')?.[1];
  if (gone === undefined) return undefined;
  const isSame = message?.startsWith(`its pod ${gone} `) === true;
  const known = isSame && nextTryTime !== undefined ? new Date(nextTryTime) : undefined;
  return {
    message: isSame ? message : `its pod ${gone} is no more: somebody deleted it, or its node is gone`,
    until: known ?? new Date(now.getTime() + waitAfter(madeBy(job, history) ?? Number.POSITIVE_INFINITY)),
  };
}

/** Pods of one task that were made; of a Job with several nobody counts those of each. */
function madeBy({ spec }: JobObject, { made }: JobHistory): number | undefined {
  return (spec?.completions ?? 1) > 1 ? undefined : made;
}

/** Milliseconds since 1970, of a pod that is over. */
function endTimeOf(pod: PodObject): number | undefined {
  const { phase, conditions } = pod.status ?? {};
  if (phase !== 'Failed' && phase !== 'Succeeded') return undefined;
  const changed = conditions?.find(({ type }) => type === TARGET)?.lastTransitionTime;
  const end = Date.parse(containerOf(pod)?.state?.terminated?.finishedAt ?? changed ?? pod.metadata.creationTimestamp);
  return Number.isNaN(end) ? undefined : end;
}

/** As a person is told. */
export function sayDisruption({ message, until }: Disruption): string {
  return until === undefined
    ? `${message}; another is made once it has ended`
    : `${message}; the Job makes another by ${rfc3339(new Date(Math.ceil(until.getTime() / 1000) * 1000))}`;
}
