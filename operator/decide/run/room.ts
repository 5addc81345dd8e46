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
 *
 * Nobody is made to give a place back, so a share is left to those who may come, or a namespace whose pods find no node would
 * have all places until their deadline. A namespace gets another place while one is left for each other that has none at
 * work, or while it has fewer than are free, as in the dynamic thresholds of shared buffers (Choudhury and Hahne, 1998).
 * @param namespaces those whose programs may be run
 */
export function nextInRoom(
  waiting: readonly RunObject[],
  working: readonly RunObject[],
  free: number,
  namespaces: ReadonlySet<string>,
): readonly RunObject[] {
  const atWork = new Map<string, number>();
  const count = (namespace: string) => atWork.get(namespace) ?? 0;
  const add = ({ metadata }: RunObject) => atWork.set(metadata.namespace, count(metadata.namespace) + 1);
  for (const run of working) add(run);
  const mayHaveMore = (namespace: string, left: number) => {
    const idle = [...namespaces].filter((other) => other !== namespace && count(other) === 0);
    return left > idle.length || count(namespace) < left;
  };
  const queues = Map.groupBy(waiting.toSorted(inOrder), ({ metadata }) => metadata.namespace);
  const chosen: RunObject[] = [];
  for (let left = free; left > 0; left -= 1) {
    const [first] = [...queues]
      .flatMap(([namespace, queue]) => (mayHaveMore(namespace, left) ? queue.slice(0, 1) : []))
      .toSorted(
        (one, other) =>
          backfillsLast(one, other) ||
          count(one.metadata.namespace) - count(other.metadata.namespace) ||
          inOrder(one, other),
      );
    if (first === undefined) break;
    queues.get(first.metadata.namespace)?.shift();
    add(first);
    chosen.push(first);
  }
  return chosen;
}
