import { earlier } from '../action.ts';
import type { ConditionReason } from '../reasons.ts';
import { type Admission, admit } from './admit.ts';
import { settleApart } from './apart.ts';
import { cancel, complete, endJobs, fail, failed, failTask, sweep } from './end.ts';
import { finished, goOn, isAboutToFinish } from './next.ts';
import { replaced, replacementOf } from './replace.ts';
import { endedApart } from './sidecar.ts';
import { withSlot } from './slot.ts';
import { event, isFinal, type RunDecision, type RunSnapshot } from './snapshot.ts';
import { MOST_ATTEMPTS, start } from './start.ts';
import { currentStage, pendingStages, placesOf, type StageStatus, stagesOf } from './tasks.ts';
import { outcomeOf } from './trouble.ts';
import { hold, wait } from './wait.ts';

/** What is to be done for a run, and what its status should be. */
export function decideRun(gathered: RunSnapshot, now: Date): RunDecision {
  const { metadata, status } = gathered.run;
  if (metadata.deletionTimestamp !== undefined) return { actions: [], status: status ?? {} };
  const swept = sweep(gathered);
  if (isFinal(gathered.run)) {
    // A Job that was made just before, and not seen then, is ended now.
    const ended = status?.phase === 'Succeeded' ? [] : endJobs(gathered);
    return { actions: [...ended, ...swept], status: { ...status, observedGeneration: metadata.generation ?? 0 } };
  }
  const run = withSlot(gathered, now);
  const snapshot = { ...gathered, run };
  const decision = finished(snapshot, now) ?? ended(snapshot, now) ?? understood(snapshot, now);
  // Work comes before housekeeping.
  return { ...decision, actions: [...decision.actions, ...swept] };
}

/** The end of a run that somebody wants to end, while there is still something to end. */
function ended(snapshot: RunSnapshot, now: Date): RunDecision | undefined {
  if (isAboutToFinish(snapshot)) return undefined;
  if (snapshot.run.spec.cancel) return cancel(snapshot, now);
  const newer = replacementOf(snapshot);
  return newer && replaced(snapshot, newer, now);
}

/** A run that cannot be understood before it has begun is over: others would wait for it for ever. */
function understood(snapshot: RunSnapshot, now: Date): RunDecision {
  try {
    return proceed(snapshot, now);
  } catch (error) {
    if (snapshot.run.status?.startTime !== undefined) throw error;
    return fail(snapshot, failed('InternalError', error instanceof Error ? error.message : String(error)), now);
  }
}

function proceed(snapshot: RunSnapshot, now: Date): RunDecision {
  const { run, pipelines } = snapshot;
  if (!Object.hasOwn(pipelines, run.spec.pipeline)) {
    const message = `this version knows no pipeline ${run.spec.pipeline}`;
    const phase = run.status?.phase ?? 'Pending';
    return hold(snapshot, { outcome: { phase, reason: 'PipelineUnknown', message } }, now);
  }
  const admission = admit(snapshot, now);
  if ('outcome' in admission && admission.outcome.phase === 'Failed') {
    // That a run has succeeded is not taken back: only whoever missed one asks for all runs, of which there may be thousands.
    const restsOn = admission.outcome.reason === ('BatchMissed' satisfies ConditionReason) ? 'all' : 'program';
    return { ...fail(snapshot, admission.outcome, now), restsOn };
  }
  const current = currentStage(run.status?.stages);
  if (current !== undefined) return follow(snapshot, admission, current, now);
  if ('outcome' in admission) return hold(snapshot, admission, now);
  return start(snapshot, admission, 0, 1, pendingStages(stagesOf(snapshot)), now);
}

/** The newest Job: is it done, has it failed, is it gone, is it stuck? */
function follow(snapshot: RunSnapshot, admission: Admission, current: StageStatus, now: Date): RunDecision {
  const { run, jobs, pods } = snapshot;
  const places = placesOf(stagesOf(snapshot));
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
    // Whoever deleted it may have been ourselves, for what the caches have not heard of: a newer run that takes the place.
    if (attempt >= MOST_ATTEMPTS) {
      const outcome = failed('JobLost', `the Job ${current.job} was deleted for the ${attempt}th time`);
      return { ...fail(snapshot, outcome, now), restsOn: 'all' };
    }
    if ('outcome' in admission) return hold(snapshot, admission, now);
    const again = start(snapshot, admission, index, attempt + 1, stages, now);
    if (currentStage(again.status.stages)?.attempt === attempt) return { ...again, restsOn: 'all' };
    const retried = event(
      run,
      'TaskRetried',
      `the Job ${current.job} was deleted before it was done; it is made again`,
    );
    return { ...again, actions: [...again.actions, retried], restsOn: 'all' };
  }
  const end = job && outcomeOf(job);
  const apart = done || job === undefined ? undefined : endedApart(job, pods, now);
  if (job !== undefined && apart?.ended !== undefined) {
    return settleApart(snapshot, admission, { current, index, job, ended: apart.ended }, now);
  }
  if (!done && job !== undefined && end === undefined) {
    const waiting = wait(snapshot, admission, current, job, now);
    const requeueAt = earlier(waiting.requeueAt, apart?.due);
    return { ...waiting, ...(requeueAt === undefined ? {} : { requeueAt }) };
  }
  if (!done && end?.succeeded === false) return failTask(snapshot, current, end, now);
  return goOn(snapshot, admission, index, done ? current : complete(current, place, job, pods, now), now);
}
