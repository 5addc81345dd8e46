import { RESOURCES } from '../../kube/api.ts';
import type { JobObject } from '../../kube/objects.ts';
import type { Action } from '../action.ts';
import type { Admission } from './admit.ts';
import { complete, failTask } from './end.ts';
import { goOn } from './next.ts';
import { type EndedApart, markDone } from './sidecar.ts';
import { event, type RunDecision, type RunSnapshot } from './snapshot.ts';
import { MOST_ATTEMPTS, start } from './start.ts';
import { type Place, placesOf, type StageStatus, stagesOf } from './tasks.ts';
import { outcomeOf } from './trouble.ts';
import { wait } from './wait.ts';

interface Apart {
  readonly current: StageStatus;
  /** Where the task is among those of the pipeline. */
  readonly index: number;
  readonly job: JobObject;
  readonly ended: NonNullable<EndedApart['ended']>;
}

const REMEDY =
  'Make it a native sidecar (an init container with restartPolicy: Always), or keep it out of the pods of tasks: ' +
  'docs/guides/cluster.md, "Sidecars"';

/** The task has ended, and what its Job waits for is another container: the run goes by the task. */
export function settleApart(
  snapshot: RunSnapshot,
  admission: Admission,
  { current, index, job, ended }: Apart,
  now: Date,
): RunDecision {
  const { run, pods } = snapshot;
  const stages = run.status?.stages ?? [];
  const where = `${current.name}/${current.task}`;
  const says = (what: string) => event(run, 'SidecarOutlivesTask', `${where} ${ended.because}: ${what}. ${REMEDY}`);
  if (ended.task === 'succeeded') {
    const place = placesOf(stagesOf(snapshot))[index] as Place;
    const marked = outcomeOf(job) === undefined ? markDone(job) : [];
    const message = `the task ${ended.because}`.slice(0, 1024);
    const completed = { ...complete(current, place, job, pods, now), message };
    const next = goOn(snapshot, admission, index, completed, now);
    return withFirst([says('the run goes on without it'), ...marked], next);
  }
  // Nothing is tried again for now: the pods of a suspended Job end by themselves.
  if ('outcome' in admission) return wait(snapshot, admission, current, job, now);
  const attempt = current.attempt ?? 1;
  const most = Math.min(admission.revision.pinned.spec.execution.retries, MOST_ATTEMPTS - 1);
  if (ended.task === 'failed for good' || attempt > most) {
    const failed = failTask(snapshot, current, { reason: 'Failed', message: `it ${ended.because}` }, now);
    return withFirst([says('the run ends with it')], failed);
  }
  const gone: Action = { do: 'delete', resource: RESOURCES.jobs, object: job };
  const again = start(snapshot, admission, index, attempt + 1, stages, now);
  return withFirst([says('it is tried again'), gone], again);
}

function withFirst(actions: readonly Action[], decision: RunDecision): RunDecision {
  return { ...decision, actions: [...actions, ...decision.actions] };
}
