import { rfc3339 } from '../../../base/instant.ts';
import { RESOURCES } from '../../kube/api.ts';
import type { JobObject, PodObject, RunObject } from '../../kube/objects.ts';
import { ANNOTATIONS } from '../../objects/labels.ts';
import type { Action } from '../action.ts';
import { steadyPart } from '../steady.ts';
import type { Admission, Admitted, Held } from './admit.ts';
import { DISRUPTED, disruptionOf, isDisrupted, sayDisruption } from './disruption.ts';
import { event, type RunDecision, type RunSnapshot, retryAt } from './snapshot.ts';
import { type Outcome, runStatus } from './status.ts';
import { type StageStatus, withStage } from './tasks.ts';
import { hasFailedForGood, outcomeOf, RETRYING, troubleDue, troubleOf } from './trouble.ts';

/** What a Job gets beyond the time at which it makes its next pod. */
const LATE_MS = 30_000;

const LONGEST_MESSAGE = 1024;

/** The Job goes on. */
export function wait(
  snapshot: RunSnapshot,
  admission: Admission,
  current: StageStatus,
  job: JobObject,
  now: Date,
): RunDecision {
  const { run, pods, lastWarning, history = {} } = snapshot;
  const stages = run.status?.stages ?? [];
  const where = `${current.name}/${current.task}`;
  if ('outcome' in admission) {
    const held = admission.outcome;
    const stage = { ...current, phase: 'Suspended' as const };
    return {
      actions: [...suspendJobs(snapshot), ...suspendedEvent(run, held)],
      status: runStatus(run, withStage(stages, stage), held, now),
    };
  }
  const actions: Action[] = [];
  if (isSuspendedByUs(job)) {
    const patch = { metadata: { annotations: { [ANNOTATIONS.suspended]: null } }, spec: { suspend: false } };
    actions.push({ do: 'patch', resource: RESOURCES.jobs, object: job, patch });
  } else if (job.spec?.suspend === true) {
    // Kueue, or a person: whoever suspended it lets it go on.
    const message = `${where}: the Job ${current.job} is suspended, and not by Holdfast`;
    return { actions, status: runStatus(run, stages, { phase: 'Running', reason: 'JobSuspended', message }, now) };
  }
  if (run.status?.phase === 'Suspended') actions.push(event(run, 'RunResumed', 'the run goes on'));
  const { message: before, nextTryTime: _due, ...rest } = current;
  const disruption =
    isDecided(job) || pods.some(isAtWork) ? undefined : disruptionOf(job, pods, history, current, lastWarning, now);
  // A Job that makes none when it should have is stuck.
  const overdue = disruption?.until && new Date(disruption.until.getTime() + LATE_MS);
  if (disruption !== undefined && !(overdue !== undefined && overdue <= now)) {
    const { message, until } = disruption;
    const stage = {
      ...running(rest),
      message: message.slice(0, LONGEST_MESSAGE),
      ...(until === undefined ? {} : { nextTryTime: rfc3339(until) }),
    };
    const outcome: Outcome = { phase: 'Running', reason: DISRUPTED, message: `${where}: ${sayDisruption(disruption)}` };
    if (stage.message !== before) actions.push(event(run, 'TaskDisrupted', `${where}: ${message}`));
    const requeue = overdue === undefined ? {} : { requeueAt: overdue };
    return { actions, status: runStatus(run, withStage(stages, stage), outcome, now), ...requeue };
  }
  // How pods look that Kubernetes ends says nothing of what kept them, which is to be known to the end.
  if (isEnding(job, pods)) {
    return { actions, status: runStatus(run, withStage(stages, running(current)), asBefore(run, where), now) };
  }
  const trouble = troubleOf(job, pods.filter(isWanted), volumesOf(admission), lastWarning, now);
  const stage: StageStatus = {
    ...running(rest),
    ...(trouble === undefined ? {} : { message: trouble.message.slice(0, LONGEST_MESSAGE) }),
  };
  const outcome: Outcome =
    trouble === undefined
      ? { phase: 'Running', reason: 'Running', message: `${where} is under way` }
      : { phase: 'Running', reason: trouble.reason, message: `${where}: ${trouble.message}` };
  if (trouble !== undefined && stage.message !== before) {
    const [reason, message] =
      trouble.reason === RETRYING
        ? (['TaskRetried', outcome.message] as const)
        : (['TaskStuck', `${where}: ${trouble.reason}: ${trouble.message}`] as const);
    actions.push(event(run, reason, message, steadyPart(message)));
  }
  // What is stuck is looked at again by itself: what Kubernetes complains of may be another thing by then.
  const due = trouble === undefined || trouble.reason === RETRYING ? troubleDue(job, pods) : retryAt(now);
  const requeue = due === undefined || due <= now ? {} : { requeueAt: due };
  return { actions, status: runStatus(run, withStage(stages, stage), outcome, now), ...requeue };
}

/** Whether the Job's end is decided, or its pods are on their way out, such as at a deadline. */
function isEnding(job: JobObject, pods: readonly PodObject[]): boolean {
  return isDecided(job) || hasFailedForGood(job, pods) || (pods.length > 0 && !pods.some(isWanted));
}

function isDecided({ status }: JobObject): boolean {
  return (
    status?.conditions?.some(
      ({ type, status: holds }) => (type === 'FailureTarget' || type === 'SuccessCriteriaMet') && holds === 'True',
    ) === true
  );
}

/** Whether the pod runs, or is yet to. */
function isAtWork(pod: PodObject): boolean {
  const { phase } = pod.status ?? {};
  return isWanted(pod) && !isDisrupted(pod) && phase !== 'Failed' && phase !== 'Succeeded';
}

function isWanted({ metadata }: PodObject): boolean {
  return metadata.deletionTimestamp === undefined;
}

function running(stage: StageStatus): StageStatus {
  return { ...stage, phase: 'Running' };
}

function asBefore({ status }: RunObject, where: string): Outcome {
  const before = status?.conditions?.find(({ type }) => type === 'Reconciling');
  return before?.status === 'True'
    ? { phase: 'Running', reason: before.reason, message: before.message }
    : { phase: 'Running', reason: 'Running', message: `${where} is under way` };
}

/** No further work starts, but what has come so far stays. */
export function hold(snapshot: RunSnapshot, { outcome, requeueAt }: Held, now: Date): RunDecision {
  const { run } = snapshot;
  const suspended = outcome.phase === 'Suspended' ? suspendJobs(snapshot) : [];
  return {
    actions: [...suspended, ...suspendedEvent(run, outcome)],
    status: runStatus(run, run.status?.stages, outcome, now),
    ...(requeueAt === undefined ? {} : { requeueAt }),
  };
}

/** Suspends what still runs, also a Job that was made just before and is not in the status. */
function suspendJobs({ jobs }: RunSnapshot): readonly Action[] {
  const patch = { metadata: { annotations: { [ANNOTATIONS.suspended]: 'true' } }, spec: { suspend: true } };
  return [...jobs.values()]
    .filter((job) => outcomeOf(job) === undefined && job.spec?.suspend !== true)
    .map((job) => ({ do: 'patch', resource: RESOURCES.jobs, object: job, patch }));
}

function isSuspendedByUs({ metadata, spec }: JobObject): boolean {
  return spec?.suspend === true && metadata.annotations?.[ANNOTATIONS.suspended] !== undefined;
}

function volumesOf({ storage, revision }: Admitted): string {
  const { artifactsClaim, files } = storage;
  const claims = [artifactsClaim, ...(files !== undefined && 'claimName' in files ? [files.claimName] : [])];
  const maps = [
    revision.pinned.name,
    ...(files !== undefined && 'configMapName' in files ? [files.configMapName] : []),
  ];
  const volumes = `its volumes (ConfigMap ${maps.join(', ')}, claim ${claims.join(', ')})`;
  // Kubernetes says only that another node has it.
  return revision.pinned.spec.execution.shards > 1
    ? `${volumes}, which nodes mount at once only if they are ReadWriteMany`
    : volumes;
}

function suspendedEvent(run: RunObject, { message, phase }: Outcome): readonly Action[] {
  return phase === 'Suspended' && run.status?.phase !== 'Suspended' ? [event(run, 'RunSuspended', message)] : [];
}
