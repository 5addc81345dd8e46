import { pipelinesOf } from '../../../contract/pipelines.ts';
import { RESOURCES } from '../../kube/api.ts';
import { isOwnedBy, type RunObject } from '../../kube/objects.ts';
import { programOwner } from '../../objects/owner.ts';
import { buildRevision } from '../../objects/revision.ts';
import type { Action } from '../action.ts';
import { hasSucceeded, isFinal } from '../run/snapshot.ts';
import { lastOutcome } from './last-outcome.ts';
import { byAge, pipelineStatusIn } from './pipeline-status.ts';
import { calendarsOf } from './slots.ts';
import type { ProgramSnapshot } from './snapshot.ts';

/**
 * Deletes finished runs of the schedules beyond the history that is kept; those that people made are theirs. The one that
 * says how the program is goes once a newer one says so.
 */
export function forgetFinishedRuns(snapshot: ProgramSnapshot): readonly Action[] {
  return Object.keys(pipelinesOf('program', snapshot.pipelines)).flatMap((pipeline) =>
    forgetFinishedRunsOf(pipeline, snapshot),
  );
}

function forgetFinishedRunsOf(pipeline: string, snapshot: ProgramSnapshot): readonly Action[] {
  const { program, runs, pipelines } = snapshot;
  const { successful, failed } = program.spec.runHistory;
  const { lastSlot, lastSucceededSlot } = pipelineStatusIn(program.status, pipeline, pipelines);
  // A schedule that was taken away never takes up an old slot again.
  const isFollowed = calendarsOf(program.spec, pipelines).some((calendar) => calendar.pipeline === pipeline);
  // Until the status says that its slot was dealt with, and that it succeeded, the run itself is what says so.
  const isRecorded = (run: RunObject) =>
    (!isFollowed || isReached(run, lastSlot)) && (!hasSucceeded(run) || isReached(run, lastSucceededSlot));
  const takenUp = new Set(runs.filter((run) => !isFinal(run)).map(({ spec }) => spec.retryOf?.uid));
  const ours = byAge(
    runs.filter(
      (run) =>
        isFinal(run) &&
        run.spec.pipeline === pipeline &&
        isOwnedBy(run, program.metadata.uid) &&
        run.metadata.deletionTimestamp === undefined &&
        isRecorded(run) &&
        !takenUp.has(run.metadata.uid),
    ),
  );
  const succeeded = ours.filter(hasSucceeded);
  const others = ours.filter((run) => !hasSucceeded(run));
  const told = lastOutcome(snapshot)?.run;
  return [...succeeded.slice(successful), ...others.slice(failed)]
    .filter((run) => run !== told)
    .map((object) => ({ do: 'delete', resource: RESOURCES.retentionRuns, object }));
}

function isReached({ spec }: RunObject, slot: string | undefined): boolean {
  return spec.slot !== undefined && slot !== undefined && Date.parse(spec.slot) <= Date.parse(slot);
}

/** Deletes revisions that no run is pinned to, and that the next one would not be. */
export function forgetRevisions({ program, runs, pinned, revisions, settings }: ProgramSnapshot): readonly Action[] {
  // A run that is about to begin may be pinned to one already.
  if (runs.some((run) => !isFinal(run) && run.status?.revision === undefined)) return [];
  const used = new Set([...pinned, ...runs.map(({ status }) => status?.revision)]);
  used.add(buildRevision(programOwner(program), program, settings).metadata.name);
  return revisions
    .filter(({ metadata }) => !used.has(metadata.name) && metadata.deletionTimestamp === undefined)
    .map((object) => ({ do: 'delete', resource: RESOURCES.configMaps, object }));
}
