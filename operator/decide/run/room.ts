import type { JobObject, RunObject } from '../../kube/objects.ts';
import { isBecause } from '../conditions.ts';
import { backfillsLast, inOrder } from './order.ts';
import { isFinal } from './snapshot.ts';
import { outcomeOf } from './trouble.ts';

/** Whether a run is one of those that are at work: it is under way, or a Job of it is. */
export function hasPlace(run: RunObject, jobs: readonly JobObject[]): boolean {
  return !isFinal(run) && (isUnderWay(run) || jobs.some(isActive));
}

/** One that is being deleted goes no further, however long somebody's finalizer keeps it: its last Job is all there is. */
export function isUnderWay({ metadata, status }: RunObject): boolean {
  return status?.phase === 'Running' && metadata.deletionTimestamp === undefined;
}

/** Whether pods of the Job may run. */
export function isActive(job: JobObject): boolean {
  return job.spec?.suspend !== true && outcomeOf(job) === undefined;
}

/** Whether all that a run waits for is that one of those at work ends. */
export function waitsForRoom(run: RunObject): boolean {
  if (isFinal(run) || !isBecause(run, 'WaitingForCapacity')) return false;
  return !run.spec.suspend && !run.spec.cancel && run.metadata.deletionTimestamp === undefined;
}

/**
 * Those of the runs that wait who get the places that are free: each goes to the namespace that has the fewest runs at work,
 * or whoever makes many would keep everybody else waiting; within it to the oldest. Backfills go last of all.
 */
export function nextInRoom(
  waiting: readonly RunObject[],
  working: readonly RunObject[],
  free: number,
): readonly RunObject[] {
  if (free >= waiting.length) return waiting;
  const atWork = new Map<string, number>();
  const count = ({ metadata }: RunObject) => atWork.get(metadata.namespace) ?? 0;
  const add = (run: RunObject) => atWork.set(run.metadata.namespace, count(run) + 1);
  for (const run of working) add(run);
  const queues = Map.groupBy(waiting.toSorted(inOrder), ({ metadata }) => metadata.namespace);
  const chosen: RunObject[] = [];
  while (chosen.length < free) {
    const [first] = [...queues.values()]
      .flatMap((queue) => queue.slice(0, 1))
      .toSorted((one, other) => backfillsLast(one, other) || count(one) - count(other) || inOrder(one, other));
    if (first === undefined) break;
    queues.get(first.metadata.namespace)?.shift();
    add(first);
    chosen.push(first);
  }
  return chosen;
}
