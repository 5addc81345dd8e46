import { TERMINAL_EXIT } from '../../../contract/exit-status.ts';
import type { ContainerStatus, JobObject, PodObject } from '../../kube/objects.ts';
import type { ConditionReason } from '../reasons.ts';
import { isDisrupted } from './disruption.ts';
import { containerOf, reportOf } from './report.ts';

/** Why the task of a Job does not get on, for a person. */
export interface Trouble {
  /** Kubernetes' own word, such as `ImagePullBackOff`, or one of ours. */
  readonly reason: string;
  readonly message: string;
}

/** A Job without a pod, and a pod without a running container, get this long before it is called trouble. */
const PATIENCE_MS = 30_000;

/** A try has failed, another is under way or about to be. */
export const RETRYING = 'Retrying' satisfies ConditionReason;

/** Ways in which a container waits when all is well. */
const NORMAL = new Set(['ContainerCreating', 'PodInitializing']);

/** A failed pull and the wait before the next take turns; saying so each time would be noise. */
const PULLS = new Set(['ErrImagePull', 'ImagePullBackOff']);

/**
 * What keeps the task from getting on; undefined when nothing does, or it is too early to say.
 * @param volumes what the pod mounts, for the message
 * @param lastWarning what Kubernetes says about a wait that is long
 */
export function troubleOf(
  job: JobObject,
  pods: readonly PodObject[],
  volumes: string,
  lastWarning: string | undefined,
  now: Date,
): Trouble | undefined {
  if (isHeld(job) || isOver(job)) return undefined;
  const waiting = pods.filter(isWaiting);
  const waited = (since: string) => now.getTime() - Date.parse(since) >= PATIENCE_MS;
  if (pods.length === 0) {
    // A quota, a missing service account or an admission webhook: only the Job's own events say which.
    const why = lastWarning ?? `see kubectl describe job ${job.metadata.name}`;
    return waited(waitOf(job)) ? { reason: 'NoPod', message: `no pod was made for the Job: ${why}` } : undefined;
  }
  for (const pod of waiting) {
    const unscheduled = pod.status?.conditions?.find(
      ({ type, status }) => type === 'PodScheduled' && status === 'False',
    );
    // A node that is still being added for it is no trouble.
    if (unscheduled !== undefined && waited(pod.metadata.creationTimestamp)) {
      return {
        reason: unscheduled.reason ?? 'Unschedulable',
        message: `the pod finds no node: ${unscheduled.message ?? 'no reason given'}`,
      };
    }
    const first = initialising(pod);
    const container = first?.state?.waiting === undefined ? containerOf(pod) : first;
    const state = container?.state?.waiting;
    if (state?.reason !== undefined && !NORMAL.has(state.reason)) {
      if (PULLS.has(state.reason)) {
        return { reason: 'ImagePullBackOff', message: `the image ${container?.image} cannot be pulled` };
      }
      const message = state.message ?? state.reason;
      return { reason: state.reason, message };
    }
    if (first !== undefined && waited(pod.metadata.creationTimestamp)) {
      return { reason: 'PodInitializing', message: `the pod waits for its init container ${first.name}` };
    }
    if (waited(pod.metadata.creationTimestamp)) {
      const why = lastWarning ?? `see kubectl describe pod ${pod.metadata.name}`;
      return { reason: 'ContainerCreating', message: `the pod waits for ${volumes}: ${why}` };
    }
  }
  // One that was evicted, or whose node is gone, is no try that failed.
  const error = reportOf(pods.filter((pod) => !isDisrupted(pod)))?.error;
  return error && { reason: RETRYING, message: `it is tried again after ${error.code}: ${error.message}` };
}

/** Whether a try has failed after which there is no other, though the Job may not say so yet. */
export function hasFailedForGood({ spec }: JobObject, pods: readonly PodObject[]): boolean {
  const failed = pods.filter((pod) => (containerOf(pod)?.state?.terminated?.exitCode ?? 0) !== 0);
  const isTerminal = (pod: PodObject) => containerOf(pod)?.state?.terminated?.exitCode === TERMINAL_EXIT;
  const tries = failed.filter((pod) => !isDisrupted(pod)).length;
  return failed.some(isTerminal) || tries > (spec?.backoffLimit ?? Number.POSITIVE_INFINITY);
}

/** When to look again for trouble that only time can tell. */
export function troubleDue(job: JobObject, pods: readonly PodObject[]): Date | undefined {
  if (isHeld(job) || isOver(job)) return undefined;
  const waiting = pods.filter(isWaiting);
  const since = pods.length === 0 ? waitOf(job) : waiting.map(({ metadata }) => metadata.creationTimestamp).sort()[0];
  return since === undefined ? undefined : new Date(Date.parse(since) + PATIENCE_MS);
}

/** More pods of one Job than need be asked about: what keeps one of its shards keeps the others. */
const MOST_ASKED = 3;

/** What waits, and since when: of before, nothing that Kubernetes complained of explains it. */
export interface Stuck<Waiting = JobObject | PodObject> {
  readonly object: Waiting;
  readonly since: string;
}

/** The pods of a Job that wait, of which Kubernetes is to be asked. */
export function stuckPods(pods: readonly PodObject[]): readonly Stuck<PodObject>[] {
  return pods
    .filter(isWaiting)
    .slice(0, MOST_ASKED)
    .map((object) => ({ object, since: scheduledAt(object) ?? object.metadata.creationTimestamp }));
}

/** A Job that has no pod. */
export function stuckJob(job: JobObject): Stuck<JobObject> {
  return { object: job, since: waitOf(job) };
}

function waitOf({ status, metadata }: JobObject): string {
  return status?.startTime ?? metadata.creationTimestamp;
}

function scheduledAt({ status }: PodObject): string | undefined {
  return status?.conditions?.find(({ type, status: holds }) => type === 'PodScheduled' && holds === 'True')
    ?.lastTransitionTime;
}

/**
 * What others have put before the task, such as a mesh, while it is not done: each of them waits for those before it, and
 * the task for all.
 */
export function initialising({ status }: PodObject): ContainerStatus | undefined {
  if (status?.phase !== 'Pending') return undefined;
  const begun = (status.initContainerStatuses ?? []).findLast(
    ({ state }) => state?.waiting === undefined || state.waiting.reason !== 'PodInitializing',
  );
  const isDone =
    begun?.state?.terminated?.exitCode === 0 || (begun?.state?.running !== undefined && begun.started === true);
  return isDone ? undefined : begun;
}

function isWaiting({ status }: PodObject): boolean {
  return status?.phase === 'Pending' || status?.phase === undefined;
}

/** Whether the Job has ended, and how: what never changes again. */
export function outcomeOf(
  job: JobObject,
): { readonly succeeded: boolean; readonly reason: string; readonly message: string } | undefined {
  const end = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  return end && { succeeded: end.type === 'Complete', reason: end.reason ?? '', message: end.message ?? '' };
}

/** Whether the Job may make no pod, or its controller has not heard yet that it may: its wait begins then. */
function isHeld({ spec, status }: JobObject): boolean {
  return (
    spec?.suspend === true ||
    status?.conditions?.some(({ type, status: holds }) => type === 'Suspended' && holds === 'True') === true
  );
}

function isOver(job: JobObject): boolean {
  return outcomeOf(job) !== undefined;
}
