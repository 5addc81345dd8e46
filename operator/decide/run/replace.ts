import { pipelineOf } from '../../../contract/pipelines.ts';
import { controllerOf, isOwnedBy, type RunObject } from '../../kube/objects.ts';
import { endJobs, stopStages } from './end.ts';
import { event, type RunDecision, type RunSnapshot } from './snapshot.ts';
import { runStatus } from './status.ts';

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

/** The run that takes the place of this one, where the program says that the newer one does. */
export function replacementOf({ run, program, others, pipelines }: RunSnapshot): RunObject | undefined {
  if (program?.spec.concurrencyPolicy !== 'Replace' || !isOwnedBy(run, program.metadata.uid)) return undefined;
  if (pipelineOf(run.spec.pipeline, pipelines)?.reachesPeople === true) return undefined;
  return others.find((other) => !other.spec.cancel && isReplacedBy(other, run));
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
