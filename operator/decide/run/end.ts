import { rfc3339Second } from '../../../base/instant.ts';
import { RESOURCES } from '../../kube/api.ts';
import type { JobObject, PodObject, RunObject } from '../../kube/objects.ts';
import type { Action } from '../action.ts';
import type { ConditionReason } from '../reasons.ts';
import { reportOf } from './report.ts';
import { isMarkedDone } from './sidecar.ts';
import { event, isFinal, type RunDecision, type RunSnapshot } from './snapshot.ts';
import { type Outcome, runStatus } from './status.ts';
import { currentStage, type Place, type StageStatus, withStage } from './tasks.ts';
import { outcomeOf } from './trouble.ts';

/** A finished Job and its pods, with their logs, are kept so long. */
const TTL_SECONDS = 7 * 24 * 3600;

/** Jobs whose outcome is in the status may go, after a while; not before. One that never ends is ended. */
export function sweep({ run, jobs }: RunSnapshot): readonly Action[] {
  const current = isFinal(run) ? undefined : currentStage(run.status?.stages);
  return [...jobs.values()].flatMap((job): readonly Action[] => {
    const recorded =
      current === undefined ? isFinal(run) : job.metadata.name !== current.job || current.phase === 'Succeeded';
    if (!recorded || job.metadata.deletionTimestamp !== undefined) return [];
    if (outcomeOf(job) === undefined)
      return isMarkedDone(job) ? [{ do: 'delete', resource: RESOURCES.jobs, object: job }] : [];
    if (job.spec?.ttlSecondsAfterFinished !== undefined) return [];
    const patch = { spec: { ttlSecondsAfterFinished: TTL_SECONDS } };
    return [{ do: 'patch', resource: RESOURCES.jobs, object: job, patch, optional: true }];
  });
}

/** Someone wants the run to stop for good. */
export function cancel(snapshot: RunSnapshot, now: Date): RunDecision {
  const { run } = snapshot;
  const outcome: Outcome = { phase: 'Cancelled', reason: 'Cancelled', message: 'the run was cancelled' };
  return {
    actions: [...endJobs(snapshot), event(run, 'RunCancelled', 'the run was cancelled; its tasks were ended')],
    status: runStatus(run, stopStages(run, 'Cancelled', now), outcome, now),
  };
}

/** The stage as it is when its task has succeeded. */
export function complete(
  current: StageStatus,
  { endsStage }: Place,
  job: JobObject | undefined,
  pods: readonly PodObject[],
  now: Date,
): StageStatus {
  const { message: _message, nextTryTime: _due, ...rest } = current;
  if (!endsStage) return { ...rest };
  const { rowsIn, rowsOut, counts } = reportOf(pods) ?? {};
  return {
    ...rest,
    phase: 'Succeeded',
    completionTime: job?.status?.completionTime ?? rfc3339Second(now),
    ...(rowsIn === undefined ? {} : { rowsIn }),
    ...(rowsOut === undefined ? {} : { rowsOut }),
    ...(counts === undefined ? {} : { counts }),
  };
}

/** The Job has failed for good, and with it the run. */
export function failTask(
  snapshot: RunSnapshot,
  current: StageStatus,
  end: { readonly reason: string; readonly message: string },
  now: Date,
): RunDecision {
  const error = reportOf(snapshot.pods)?.error;
  const late = end.reason === 'DeadlineExceeded';
  // What the pod was stuck at is known from before: at its deadline the pod is deleted.
  const stuck = current.message === undefined ? '' : `: ${current.message}`;
  const message = late ? `it took longer than it may${stuck}` : (error?.message ?? end.message);
  const code = late ? 'DeadlineExceeded' : (error?.code ?? end.reason);
  const stage: StageStatus = {
    ...current,
    phase: 'Failed',
    completionTime: rfc3339Second(now),
    errorCode: code.slice(0, 63) || 'Failed',
    message: message.slice(0, 1024),
  };
  const where = `${current.name}/${current.task}`;
  const outcome: Outcome = {
    phase: 'Failed',
    reason: late ? 'DeadlineExceeded' : 'Failed',
    message: `${where}: ${stage.errorCode}: ${stage.message}`,
  };
  const run = {
    ...snapshot.run,
    status: { ...snapshot.run.status, stages: [...withStage(snapshot.run.status?.stages ?? [], stage)] },
  };
  return fail({ ...snapshot, run }, outcome, now);
}

/** The run has failed; what still runs of it is ended. */
export function fail(snapshot: RunSnapshot, outcome: Outcome, now: Date): RunDecision {
  const { run } = snapshot;
  const reason = outcome.reason === 'DeadlineExceeded' ? 'DeadlineExceeded' : 'RunFailed';
  return {
    actions: [...endJobs(snapshot), event(run, reason, outcome.message)],
    status: runStatus(run, stopStages(run, 'Failed', now), outcome, now),
  };
}

/** Deletes what still runs. */
export function endJobs({ jobs }: RunSnapshot): readonly Action[] {
  return [...jobs.values()]
    .filter((job) => outcomeOf(job) === undefined && job.metadata.deletionTimestamp === undefined)
    .map((job) => ({ do: 'delete', resource: RESOURCES.jobs, object: job }));
}

/** The stages, none of which goes on. */
export function stopStages(
  run: RunObject,
  phase: 'Failed' | 'Cancelled',
  now: Date,
): readonly StageStatus[] | undefined {
  return run.status?.stages?.map((stage) =>
    stage.phase === 'Running' || stage.phase === 'Suspended'
      ? { ...stage, phase, completionTime: rfc3339Second(now) }
      : stage,
  );
}

/** A failure that is not that of a task. */
export function failed(reason: ConditionReason, message: string): Outcome {
  return { phase: 'Failed', reason, message };
}
