import type { RetentionRunStatus } from '../../crds/index.ts';
import { buildJob, jobName, storageOf, type TaskAttempt } from '../build/job.ts';
import { readRevision } from '../build/revision.ts';
import { RESOURCES } from '../kube/api.ts';
import type { ConfigMapObject, JobObject, PodObject, ProgramObject, RunObject } from '../objects.ts';
import type { StageSettings } from '../settings.ts';
import { type Action, type Attempts, attemptKey, type Decision } from './action.ts';
import { type Admission, admit } from './admit.ts';
import type { ConditionReason } from './reasons.ts';
import { reportOf } from './report.ts';
import { type Outcome, runStatus } from './run-status.ts';
import { currentStage, type Place, pendingStages, placesOf, type StageStatus, withStage } from './tasks.ts';
import { endOf, troubleDue, troubleOf } from './trouble.ts';

/** All that is known about a run when it is looked at. */
export interface RunSnapshot {
  readonly run: RunObject;
  readonly program: ProgramObject | undefined;
  /** Other runs of the program that are not over. */
  readonly others: readonly RunObject[];
  /** The ConfigMap that the run's status names, or that a Job of it was found to be pinned to. */
  readonly revision: ConfigMapObject | undefined;
  /** Jobs of this run, by name: as good as live where their absence or failure decides something. */
  readonly jobs: ReadonlyMap<string, JobObject>;
  /** Pods of the newest Job. */
  readonly pods: readonly PodObject[];
  readonly attempts: Attempts;
  readonly settings: StageSettings;
}

export type RunDecision = Decision<RetentionRunStatus>;

/** Times that the Job of one task is made again after somebody deleted it. */
const MOST_ATTEMPTS = 5;

/** A finished Job and its pods, with their logs, are kept so long. */
const TTL_SECONDS = 7 * 24 * 3600;

/** How long until something that is in the way is looked at again. */
const AGAIN_MS = 15_000;

const FINAL: readonly string[] = ['Succeeded', 'Failed', 'Cancelled'];

export function isFinal({ status }: RunObject): boolean {
  return status?.phase !== undefined && FINAL.includes(status.phase);
}

/** What is to be done for a run, and what its status should be. */
export function decideRun(snapshot: RunSnapshot, now: Date): RunDecision {
  const { run } = snapshot;
  if (run.metadata.deletionTimestamp !== undefined) return { actions: [], status: run.status ?? {} };
  const swept = sweep(snapshot);
  if (isFinal(run)) return { actions: swept, status: run.status ?? {} };
  const decision = run.spec.cancel ? cancel(snapshot, now) : proceed(snapshot, now);
  return { ...decision, actions: [...swept, ...decision.actions] };
}

/** Jobs whose outcome is in the status may go, after a while; not before. */
function sweep({ run, jobs }: RunSnapshot): readonly Action[] {
  const current = isFinal(run) ? undefined : currentStage(run.status?.stages);
  return [...jobs.values()].flatMap((job): readonly Action[] => {
    const recorded =
      current === undefined ? isFinal(run) : job.metadata.name !== current.job || current.phase === 'Succeeded';
    if (endOf(job) === undefined || !recorded || job.spec?.ttlSecondsAfterFinished !== undefined) return [];
    if (job.metadata.deletionTimestamp !== undefined) return [];
    const patch = { spec: { ttlSecondsAfterFinished: TTL_SECONDS } };
    return [{ do: 'patch', resource: RESOURCES.jobs, object: job, patch }];
  });
}

function cancel(snapshot: RunSnapshot, now: Date): RunDecision {
  const { run } = snapshot;
  const outcome: Outcome = { phase: 'Cancelled', reason: 'Cancelled', message: 'the run was cancelled' };
  return {
    actions: [...endJobs(snapshot), event(run, 'RunCancelled', 'the run was cancelled; its tasks were ended')],
    status: runStatus(run, stopStages(run, 'Cancelled', now), outcome, now),
  };
}

function proceed(snapshot: RunSnapshot, now: Date): RunDecision {
  const { run } = snapshot;
  const admission = admit(snapshot, now);
  if ('outcome' in admission) {
    if (admission.outcome.phase === 'Failed') return fail(snapshot, admission.outcome, now);
  }
  const current = currentStage(run.status?.stages);
  if (current !== undefined) return follow(snapshot, admission, current, now);
  if ('outcome' in admission) return hold(snapshot, admission.outcome, now);
  return start(snapshot, admission, 0, 1, pendingStages(run.spec.pipeline), now);
}

type Admitted = Extract<Admission, { readonly slot: Date }>;

/** The newest Job: is it done, has it failed, is it gone, is it stuck? */
function follow(snapshot: RunSnapshot, admission: Admission, current: StageStatus, now: Date): RunDecision {
  const { run, jobs, pods } = snapshot;
  const places = placesOf(run.spec.pipeline);
  const index = places.findIndex(({ stage, task }) => stage === current.name && task === current.task);
  const place = places[index];
  const stages = run.status?.stages ?? [];
  const attempt = current.attempt ?? 1;
  const job = jobs.get(current.job ?? '');
  if (place === undefined) {
    const message = `this version knows no task ${current.name}/${current.task}: run it with the version that began it`;
    return fail(snapshot, failed('Failed', message), now);
  }
  // Between stages, when the next could not be started yet, such as after a suspension.
  const done = current.phase === 'Succeeded';
  if (!done && job === undefined) {
    if (attempt >= MOST_ATTEMPTS) {
      return fail(snapshot, failed('JobLost', `the Job ${current.job} was deleted for the ${attempt}th time`), now);
    }
    if ('outcome' in admission) return hold(snapshot, admission.outcome, now);
    const again = start(snapshot, admission, index, attempt + 1, stages, now);
    const retried = event(
      run,
      'TaskRetried',
      `the Job ${current.job} was deleted before it was done; it is made again`,
    );
    return { ...again, actions: [retried, ...again.actions] };
  }
  const end = job && endOf(job);
  if (!done && job !== undefined && end === undefined) return wait(snapshot, admission, current, job, now);
  if (!done && end?.succeeded === false) return failTask(snapshot, current, end, now);

  const completed = done ? current : complete(current, place, job, pods, now);
  const after = withStage(stages, completed);
  const next = index + 1;
  if (next >= places.length) {
    const outcome: Outcome = { phase: 'Succeeded', reason: 'Succeeded', message: 'every task is done' };
    return { actions: [], status: runStatus(run, after, outcome, now) };
  }
  if ('outcome' in admission)
    return hold(
      { ...snapshot, run: { ...run, status: { ...run.status, stages: [...after] } } },
      admission.outcome,
      now,
    );
  return start(snapshot, admission, next, 1, after, now);
}

function complete(
  current: StageStatus,
  { endsStage }: Place,
  job: JobObject | undefined,
  pods: readonly PodObject[],
  now: Date,
): StageStatus {
  const { message: _message, ...rest } = current;
  if (!endsStage) return { ...rest };
  const { rowsIn, rowsOut, counts } = reportOf(pods) ?? {};
  return {
    ...rest,
    phase: 'Succeeded',
    completionTime: job?.status?.completionTime ?? now.toISOString(),
    ...(rowsIn === undefined ? {} : { rowsIn }),
    ...(rowsOut === undefined ? {} : { rowsOut }),
    ...(counts === undefined ? {} : { counts }),
  };
}

/** Makes the Job of a task, unless it is there. */
function start(
  snapshot: RunSnapshot,
  { slot, storage, revision }: Admitted,
  index: number,
  attempt: number,
  stages: readonly StageStatus[],
  now: Date,
): RunDecision {
  const { run, jobs, attempts, settings } = snapshot;
  const place = placesOf(run.spec.pipeline)[index] as Place;
  const task: TaskAttempt = { pipeline: run.spec.pipeline, stage: place.stage, task: place.task, attempt };
  const name = jobName(run.metadata.name, task);
  const job = buildJob(run, slot, revision.pinned, task, storage, settings);
  const wanted = [...(revision.make === undefined ? [] : [revision.make]), ...(jobs.has(name) ? [] : [job])];
  for (const object of wanted) {
    const obstacle = obstacleOf(attempts, attemptKey(object));
    if (obstacle === undefined) continue;
    const says = event(run, 'NameTaken', `${object.kind} ${object.metadata.name}: ${obstacle.message}`);
    const outcome = { ...obstacle, message: `${object.kind} ${object.metadata.name}: ${obstacle.message}` };
    const actions = obstacle.reason === 'NameTaken' ? [says] : [];
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
      requeueAt: later(now),
    };
  }
  const begun = stages.find(({ name: stage }) => stage === place.stage);
  const changed: StageStatus = {
    name: place.stage,
    phase: 'Running',
    task: place.task,
    job: name,
    attempt,
    startTime: begun?.startTime ?? now.toISOString(),
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
  const pinned = { ...run, status: { ...run.status, revision: revision.pinned.name, slot: slot.toISOString() } };
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

/** The Job goes on. */
function wait(
  snapshot: RunSnapshot,
  admission: Admission,
  current: StageStatus,
  job: JobObject,
  now: Date,
): RunDecision {
  const { run, pods } = snapshot;
  const held = 'outcome' in admission ? admission.outcome : undefined;
  const actions: Action[] = [];
  const suspended = job.spec?.suspend === true;
  if (suspended !== (held !== undefined)) {
    actions.push({ do: 'patch', resource: RESOURCES.jobs, object: job, patch: { spec: { suspend: !suspended } } });
  }
  const stages = run.status?.stages ?? [];
  if (held !== undefined) {
    const stage = { ...current, phase: 'Suspended' as const };
    return {
      actions: [...suspendedEvent(run, held), ...actions],
      status: runStatus(run, withStage(stages, stage), held, now),
    };
  }
  if (run.status?.phase === 'Suspended') actions.push(event(run, 'RunResumed', 'the run goes on'));
  const trouble = troubleOf(job, pods, volumesOf(snapshot), now);
  const { message: before, ...rest } = current;
  const stage: StageStatus = {
    ...rest,
    phase: 'Running',
    ...(trouble === undefined ? {} : { message: trouble.message.slice(0, 1024) }),
  };
  const where = `${current.name}/${current.task}`;
  const outcome: Outcome =
    trouble === undefined
      ? { phase: 'Running', reason: 'Running', message: `${where} is under way` }
      : { phase: 'Running', reason: trouble.reason, message: `${where}: ${trouble.message}` };
  if (trouble !== undefined && stage.message !== before) {
    actions.push(event(run, 'TaskStuck', `${where}: ${trouble.reason}: ${trouble.message}`));
  }
  const due = trouble === undefined ? troubleDue(job, pods) : undefined;
  const requeue = due === undefined || due <= now ? {} : { requeueAt: due };
  return { actions, status: runStatus(run, withStage(stages, stage), outcome, now), ...requeue };
}

function volumesOf({ revision, settings }: RunSnapshot): string {
  const pinned = revision && readRevision(revision);
  const storage = pinned && storageOf(pinned.spec, settings);
  if (pinned === undefined || storage === undefined || 'missing' in storage) return 'its volumes';
  const claims = [storage.artifactsClaim, ...(storage.filesClaim === undefined ? [] : [storage.filesClaim])];
  return `its volumes (ConfigMap ${pinned.name}, claim ${claims.join(', ')})`;
}

/** No further work starts, but what has come so far stays. */
function hold({ run }: RunSnapshot, outcome: Outcome, now: Date): RunDecision {
  return { actions: [...suspendedEvent(run, outcome)], status: runStatus(run, run.status?.stages, outcome, now) };
}

function suspendedEvent(run: RunObject, { message, phase }: Outcome): readonly Action[] {
  return phase === 'Suspended' && run.status?.phase !== 'Suspended' ? [event(run, 'RunSuspended', message)] : [];
}

/** The Job has failed for good, and with it the run. */
function failTask(
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
    completionTime: now.toISOString(),
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

function fail(snapshot: RunSnapshot, outcome: Outcome, now: Date): RunDecision {
  const { run } = snapshot;
  const reason = outcome.reason === 'DeadlineExceeded' ? 'DeadlineExceeded' : 'RunFailed';
  return {
    actions: [...endJobs(snapshot), event(run, reason, outcome.message)],
    status: runStatus(run, stopStages(run, 'Failed', now), outcome, now),
  };
}

/** Deletes what still runs. */
function endJobs({ jobs }: RunSnapshot): readonly Action[] {
  return [...jobs.values()]
    .filter((job) => endOf(job) === undefined && job.metadata.deletionTimestamp === undefined)
    .map((job) => ({ do: 'delete', resource: RESOURCES.jobs, object: job }));
}

function stopStages(run: RunObject, phase: 'Failed' | 'Cancelled', now: Date): readonly StageStatus[] | undefined {
  return run.status?.stages?.map((stage) =>
    stage.phase === 'Running' || stage.phase === 'Suspended'
      ? { ...stage, phase, completionTime: now.toISOString() }
      : stage,
  );
}

function failed(reason: ConditionReason, message: string): Outcome {
  return { phase: 'Failed', reason, message };
}

function event(run: RunObject, reason: Extract<Action, { do: 'event' }>['reason'], message: string): Action {
  return { do: 'event', regarding: run, reason, message };
}

function later(now: Date): Date {
  return new Date(now.getTime() + AGAIN_MS);
}
