import { resultOf } from '../run-result.ts';
import type { Admission } from './admit.ts';
import { withReused } from './retry.ts';
import { event, type RunDecision, type RunSnapshot } from './snapshot.ts';
import { start } from './start.ts';
import { runStatus } from './status.ts';
import { nextPlace, type Place, placesOf, type StageStatus, stagesOf, withStage } from './tasks.ts';
import { hold } from './wait.ts';

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
  if (index === places.length - 1) {
    const outcome = resultOf(run, after, snapshot.pipelines);
    const says = outcome.reason === 'NoCandidates' ? [event(run, 'NoCandidates', outcome.message)] : [];
    return { actions: says, status: runStatus(run, after, outcome, now) };
  }
  if ('outcome' in admission) {
    const far = { ...run, status: { ...run.status, stages: [...after] } };
    return hold({ ...snapshot, run: far }, admission, now);
  }
  const next = nextPlace(places, index + 1, admission.revision.pinned.spec.execution.shards, after);
  return start(snapshot, admission, next, 1, after, now);
}
