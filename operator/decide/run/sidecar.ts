import { TERMINAL_EXIT } from '../../../contract/exit-status.ts';
import { RESOURCES } from '../../kube/api.ts';
import type { ContainerStatus, JobObject, PodObject } from '../../kube/objects.ts';
import { ANNOTATIONS } from '../../objects/labels.ts';
import type { Action } from '../action.ts';
import { containerOf, shardOf } from './report.ts';
import { outcomeOf } from './trouble.ts';

/**
 * How a task has ended whose Job does not say so, since another container of its pod goes on, or has failed. A pod ends with
 * its last container, unless Kubernetes knows that as a sidecar, and a Job with its pods.
 */
export interface EndedApart {
  readonly ended?: {
    readonly task: 'succeeded' | 'failed' | 'failed for good';
    /** As what follows the name of the task. */
    readonly because: string;
  };
  /** Other containers may end by themselves until then. */
  readonly due?: Date;
}

/** What other containers get to notice that the task has ended. */
const PATIENCE_MS = 10_000;

/** Undefined where the task goes on, or its Job tells how it ended, or is about to. */
export function endedApart(job: JobObject, pods: readonly PodObject[], now: Date): EndedApart | undefined {
  if (outcomeOf(job)?.succeeded === true) return undefined;
  const isFailing = job.status?.conditions?.some(
    ({ type, status }) => (type === 'Failed' || type === 'FailureTarget') && status === 'True',
  );
  const ends = [...Map.groupBy(pods, shardOf).values()].flatMap((tries): PodObject[] => {
    const end = tries.find((pod) => exitOf(pod) === 0) ?? tries.find(isHeld);
    return end === undefined ? [] : [end];
  });
  const isDone = isDoneByPods(job, pods);
  if (isFailing === true) {
    return isDone ? { ended: { task: 'succeeded', because: 'ended with 0, though its Job failed' } } : undefined;
  }
  const held = ends.filter(isHeld);
  // One that is being deleted is replaced by Kubernetes.
  const failed = held.filter((pod) => exitOf(pod) !== 0 && pod.metadata.deletionTimestamp === undefined);
  if (held.length === 0 || (failed.length === 0 && !isDone)) return undefined;
  const due = new Date(Math.max(0, ...held.filter(isRunning).map((pod) => endedAt(pod) + PATIENCE_MS)));
  if (due > now) return { due };
  const said = (tried: readonly PodObject[]) => `ended with ${exitOf(tried[0] as PodObject)}, but ${why(tried)}`;
  if (failed.length === 0) return { ended: { task: 'succeeded', because: said(held) } };
  const isFinal = failed.some((pod) => exitOf(pod) === TERMINAL_EXIT);
  return { ended: { task: isFinal ? 'failed for good' : 'failed', because: said(failed) } };
}

/** Whether each shard of a task, or the task itself, has ended with 0 in one of its pods, whatever the Job says of it. */
export function isDoneByPods(job: JobObject, pods: readonly PodObject[]): boolean {
  const done = new Set(pods.filter((pod) => exitOf(pod) === 0).map(shardOf));
  return done.size >= (job.spec?.completions ?? 1);
}

/** Marks a Job whose task is done, so that it is deleted once that is in the status; it would never end by itself. */
export function markDone(job: JobObject): readonly Action[] {
  if (isMarkedDone(job)) return [];
  const patch = { metadata: { annotations: { [ANNOTATIONS.done]: 'true' } } };
  return [{ do: 'patch', resource: RESOURCES.jobs, object: job, patch }];
}

export function isMarkedDone({ metadata }: JobObject): boolean {
  return metadata.annotations?.[ANNOTATIONS.done] !== undefined;
}

function exitOf(pod: PodObject): number | undefined {
  return containerOf(pod)?.state?.terminated?.exitCode;
}

/** Whether the task has ended and the pod has not, or not as the task did, by another container. */
function isHeld(pod: PodObject): boolean {
  const exitCode = exitOf(pod);
  if (exitCode === undefined) return false;
  return (isRunning(pod) && others(pod).length > 0) || (pod.status?.phase === 'Failed' && exitCode === 0);
}

function isRunning({ status }: PodObject): boolean {
  return status?.phase === 'Running';
}

/** Names of the other containers that run, or have failed. */
function others(pod: PodObject): readonly string[] {
  const task = containerOf(pod);
  const isInTheWay = ({ state }: ContainerStatus) =>
    state?.running !== undefined || (state?.terminated !== undefined && state.terminated.exitCode !== 0);
  return (pod.status?.containerStatuses ?? [])
    .filter((container) => container !== task && isInTheWay(container))
    .map(({ name }) => name);
}

function why(pods: readonly PodObject[]): string {
  const names = [...new Set(pods.flatMap(others))].sort();
  if (names.length === 0) return 'something else';
  const containers = names.length === 1 ? `the container ${names[0]}` : `the containers ${names.join(', ')}`;
  return pods.some(isRunning)
    ? `${containers} ${names.length === 1 ? 'keeps' : 'keep'} its pod running`
    : `${containers} failed beside it`;
}

function endedAt(pod: PodObject): number {
  const at = Date.parse(containerOf(pod)?.state?.terminated?.finishedAt ?? '');
  return Number.isNaN(at) ? 0 : at;
}
