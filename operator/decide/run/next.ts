import type { JobObject } from '../../kube/objects.ts';
import { resultOf } from '../run-result.ts';
import type { Admission } from './admit.ts';
import { complete } from './end.ts';
import { withReused } from './retry.ts';
import { isDoneByPods } from './sidecar.ts';
import { event, type RunDecision, type RunSnapshot } from './snapshot.ts';
import { start } from './start.ts';
import { runStatus } from './status.ts';
import { currentStage, nextPlace, type Place, placesOf, type StageStatus, stagesOf, withStage } from './tasks.ts';
import { outcomeOf } from './trouble.ts';
import { hold } from './wait.ts';

/**
 * The end of a run whose last Job has succeeded, undefined of any other: what it did is done, whoever wants the run cancelled
 * or replaced by now, and whatever of it is gone.
 */
export function finished(snapshot: RunSnapshot, now: Date): RunDecision | undefined {
  const last = lastTask(snapshot);
  if (last === undefined || outcomeOf(last.job)?.succeeded !== true) return undefined;
  const { current, place, job } = last;
  const { run, pods } = snapshot;
  return succeed(snapshot, withStage(run.status?.stages ?? [], complete(current, place, job, pods, now)), now);
}

/** Whether the pods of a run's last task have done it, so that its Job is about to succeed: it is too late to end the run. */
export function isAboutToFinish(snapshot: RunSnapshot): boolean {
  const last = lastTask(snapshot);
  return last !== undefined && outcomeOf(last.job) === undefined && isDoneByPods(last.job, snapshot.pods);
}

/** The last task of a run that has come so far, and its Job. */
function lastTask(snapshot: RunSnapshot): { current: StageStatus; place: Place; job: JobObject } | undefined {
  const { run, jobs } = snapshot;
  const current = currentStage(run.status?.stages);
  const place = placesOf(stagesOf(snapshot)).at(-1);
  const job = jobs.get(current?.job ?? '');
  if (current === undefined || job === undefined) return undefined;
  return place?.stage === current.name && place.task === current.task ? { current, place, job } : undefined;
}

function succeed({ run, pipelines }: RunSnapshot, stages: readonly StageStatus[], now: Date): RunDecision {
  const outcome = resultOf(run, stages, pipelines);
  const says = outcome.reason === 'NoCandidates' ? [event(run, 'NoCandidates', outcome.message)] : [];
  return { actions: says, status: runStatus(run, stages, outcome, now) };
}

/**
 * A task is done: the next, or the end of the run.
 * @param index where the task is among those of the pipeline
 * @param completed its stage, with what the task has said
 */
export function goOn(
  snapshot: RunSnapshot,
  admission: Admission,
  index: number,
  completed: StageStatus,
  now: Date,
): RunDecision {
  const { run } = snapshot;
  const places = placesOf(stagesOf(snapshot));
  const stages = withStage(run.status?.stages ?? [], completed);
  const after = withReused(snapshot, places[index] as Place, stages, now);
  if (index === places.length - 1) return succeed(snapshot, after, now);
  if ('outcome' in admission) {
    const far = { ...run, status: { ...run.status, stages: [...after] } };
    return hold({ ...snapshot, run: far }, admission, now);
  }
  const next = nextPlace(places, index + 1, admission.revision.pinned.spec.execution.shards, after);
  return start(snapshot, admission, next, 1, after, now);
}
