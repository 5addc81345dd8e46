import type { JobObject, RunObject } from '../../kube/objects.ts';
import { isBecause } from '../conditions.ts';
import { isFinal } from './snapshot.ts';
import { outcomeOf } from './trouble.ts';

/** Whether a run is one of those that are at work: it is under way, or a Job of it is. */
export function hasPlace(run: RunObject, jobs: readonly JobObject[]): boolean {
  return !isFinal(run) && (run.status?.phase === 'Running' || jobs.some(isActive));
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
