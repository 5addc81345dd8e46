import { rfc3339, rfc3339Second } from '../../../base/instant.ts';
import { RESOURCES } from '../../kube/api.ts';
import { buildJob, jobName } from '../../objects/job.ts';
import type { TaskAttempt } from '../../objects/pod.ts';
import { type Action, type Attempts, attemptKey } from '../action.ts';
import { because, isBecause } from '../conditions.ts';
import type { ConditionReason } from '../reasons.ts';
import type { Admitted } from './admit.ts';
import { fail } from './end.ts';
import { event, type RunDecision, type RunSnapshot, retryAt } from './snapshot.ts';
import { type Outcome, runStatus } from './status.ts';
import { type Place, placesOf, type StageStatus, stagesOf, withStage } from './tasks.ts';

/** Times that the Job of one task is made, again after somebody deleted it, or its pod did not end with its task. */
export const MOST_ATTEMPTS = 5;

/** Makes the Job of a task, unless it is there. */
export function start(
  snapshot: RunSnapshot,
  { slot, storage, revision }: Admitted,
  index: number,
  attempt: number,
  stages: readonly StageStatus[],
  now: Date,
): RunDecision {
  const { run, jobs, attempts, settings } = snapshot;
  const place = placesOf(stagesOf(snapshot))[index] as Place;
  const shards = place.isSharded ? { shards: revision.pinned.spec.execution.shards } : {};
  const { stage, task: taskName, secrets } = place;
  const task: TaskAttempt = { pipeline: run.spec.pipeline, stage, task: taskName, attempt, secrets, ...shards };
  const name = jobName(run.metadata.name, task);
  const job = buildJob(run, slot, revision.pinned, task, storage, settings);
  const wanted = [...(revision.make === undefined ? [] : [revision.make]), ...(jobs.has(name) ? [] : [job])];
  for (const object of wanted) {
    const obstacle = obstacleOf(attempts, attemptKey(object));
    if (obstacle === undefined) continue;
    const { reason } = obstacle;
    const message = `${object.kind} ${object.metadata.name}: ${obstacle.message}`;
    const outcome = { ...obstacle, message };
    const isSaid = isBecause(run, reason) && because(run)?.message === message;
    const actions = reason === 'NameTaken' && !isSaid ? [event(run, reason, message)] : [];
    // A ConfigMap of our name is what an earlier program of the name left behind: the garbage collector takes it soon.
    if (obstacle.lasts && object === job) {
      const decision = fail(snapshot, { ...outcome, phase: 'Failed' }, now);
      return { ...decision, actions: [...actions, ...decision.actions] };
    }
    return {
      actions,
      status: runStatus(
        run,
        stages,
        { ...outcome, phase: run.status?.phase === 'Running' ? 'Running' : 'Pending' },
        now,
      ),
      requeueAt: retryAt(now),
    };
  }
  const begun = stages.find(({ name: stage }) => stage === place.stage);
  const changed: StageStatus = {
    name: place.stage,
    phase: 'Running',
    task: place.task,
    job: name,
    attempt,
    startTime: begun?.startTime ?? rfc3339Second(now),
  };
  const after = withStage(stages, changed);
  const actions = wanted.map(
    (object): Action => ({
      do: 'create',
      resource: object === job ? RESOURCES.jobs : RESOURCES.configMaps,
      object,
    }),
  );
  const outcome: Outcome = {
    phase: 'Running',
    reason: 'Running',
    message: `${place.stage}/${place.task} is under way`,
  };
  const { name: revisionName, identity: revisionDigest } = revision.pinned;
  const status = { ...run.status, revision: revisionName, revisionDigest, slot: rfc3339(slot) };
  const pinned = { ...run, status };
  return { actions, status: runStatus(pinned, after, outcome, now) };
}

/** Why an object could not be made, and whether trying again would be no better. */
function obstacleOf(
  { taken, refused }: Attempts,
  key: string,
): { readonly reason: ConditionReason; readonly message: string; readonly lasts: boolean } | undefined {
  if (taken.has(key)) {
    return { reason: 'NameTaken', message: 'an object that is not ours has this name', lasts: true };
  }
  const refusal = refused.get(key);
  if (refusal === undefined) return undefined;
  // What is invalid stays invalid; what is forbidden may be a quota, or rights that are yet to be given.
  return { reason: 'Refused', message: refusal.message, lasts: refusal.status === 422 };
}
