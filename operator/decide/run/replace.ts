import { pipelineOf } from '../../../contract/pipelines.ts';
import { controllerOf, isOwnedBy, type RunObject } from '../../kube/objects.ts';
import { because } from '../conditions.ts';
import type { ConditionReason } from '../reasons.ts';
import { endJobs, stopStages } from './end.ts';
import { event, type RunDecision, type RunSnapshot } from './snapshot.ts';
import { runStatus } from './status.ts';

/** What a run says whose own turn is all that it waits for. */
const IN_TURN: ReadonlySet<string> = new Set<ConditionReason>(['WaitingForRun', 'StartSpread', 'WaitingForCapacity']);

/**
 * Whether a run has begun, or would once those before it have ended: one that waits for a batch or a person may never, and one
 * that nobody has looked at may be such a one.
 */
export function canBegin(run: RunObject): boolean {
  if (run.spec.cancel || run.spec.suspend) return false;
  return run.status?.startTime !== undefined || IN_TURN.has(because(run)?.reason ?? '');
}

/** Whether a run is of the same schedule as another, for a later slot: both made by the operator. */
export function isReplacedBy(newer: RunObject, run: RunObject): boolean {
  const isScheduled = [newer, run].every(({ spec }) => spec.trigger === 'schedule' && spec.slot !== undefined);
  return (
    isScheduled &&
    controllerOf(newer) === controllerOf(run) &&
    newer.spec.pipeline === run.spec.pipeline &&
    Date.parse(newer.spec.slot ?? '') > Date.parse(run.spec.slot ?? '')
  );
}

/** The run that takes the place of this one, where the program says that a newer one does, and it can begin. */
export function replacementOf({ run, program, others, pipelines }: RunSnapshot): RunObject | undefined {
  if (program?.spec.concurrencyPolicy !== 'Replace' || !isOwnedBy(run, program.metadata.uid)) return undefined;
  if (pipelineOf(run.spec.pipeline, pipelines)?.reachesPeople === true) return undefined;
  return others.find((other) => canBegin(other) && isReplacedBy(other, run));
}

/** The run stops for good, and its tasks with it: for what the program says, and for a run that is there. */
export function replaced(snapshot: RunSnapshot, { metadata }: RunObject, now: Date): RunDecision {
  const { run } = snapshot;
  const message = `the run ${metadata.name} of a newer slot took its place`;
  return {
    actions: [...endJobs(snapshot), event(run, 'RunReplaced', `${message}; its tasks were ended`)],
    status: runStatus(run, stopStages(run, 'Cancelled', now), { phase: 'Cancelled', reason: 'Replaced', message }, now),
    restsOn: 'all',
  };
}
