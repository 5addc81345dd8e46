import { isDeepStrictEqual } from 'node:util';
import { laneOf } from '../../contract/lane.ts';
import { pipelineOf } from '../../contract/pipelines.ts';
import { isBecause } from '../decide/conditions.ts';
import { isRightAfter } from '../decide/run/lane-order.ts';
import { inOrder } from '../decide/run/order.ts';
import { canBegin, isReplacedBy } from '../decide/run/replace.ts';
import { isActive, isUnderWay, waitsForRoom } from '../decide/run/room.ts';
import { hasSucceeded, isFinal, standsAside } from '../decide/run/snapshot.ts';
import { type KubeObject, keyOf, type ObjectKey } from '../kube/api.ts';
import type { JobObject, ProgramObject, RunObject } from '../kube/objects.ts';
import type { Change } from '../kube/reflector.ts';
import { objectsOf } from './caches.ts';
import type { Context } from './context.ts';
import { type CacheChange, type Caches, programKeyOf, runKeyOf, twinsOf, UNFINISHED } from './watched.ts';

type Concern = Pick<Context, 'caches' | 'pipelines' | 'room'>;

/** Keys of the runs that a change of another object concerns, or of another run. */
export function runsConcerned(change: CacheChange, context: Concern): readonly ObjectKey[] {
  const { caches } = context;
  switch (change.cache) {
    case 'runs':
      return [
        ...(letsGo(change) ? runsLetGo(change.before as RunObject, context) : []),
        ...(makesRoom(change) ? context.room.next() : []),
        ...runsAfter(change, context),
        ...runsReplaced(change, caches),
      ];
    case 'programs':
      if (changesMeaning(change)) {
        const told = objectsOf(change).flatMap((program) => runsToTell(program, context));
        return [...told, ...(needsNoPlace(change) ? context.room.next() : [])];
      }
      return recordsSuccess(change) ? waitingForBatch(keyOf(change.after as ProgramObject), caches).map(keyOf) : [];
    case 'jobs':
      return [...runsOf(objectsOf(change), caches), ...(endsWork(change, caches) ? context.room.next() : [])];
    case 'pods':
      return runsOf(objectsOf(change), caches);
    case 'revisions':
      return objectsOf(change).flatMap((revision) => runsPinnedTo(revision, caches));
    default:
      return [];
  }
}

function runsPinnedTo({ metadata }: KubeObject, { runs }: Caches): readonly ObjectKey[] {
  return runs
    .byIndex('state', UNFINISHED)
    .filter((run) => run.metadata.namespace === metadata.namespace && run.status?.revision === metadata.name)
    .map(keyOf);
}

/** Whether a run that others had to wait for holds them up no longer. */
function letsGo({ before, after }: Change<RunObject>): boolean {
  const holds = (run: RunObject) => !isFinal(run) && !standsAside(run);
  return before !== undefined && holds(before) && (after === undefined || !holds(after));
}

/** Those that are next once a run is out of the way, and whoever says that it waits for that one. */
function runsLetGo(run: RunObject, context: Concern): readonly ObjectKey[] {
  const program = programKeyOf(run);
  const after = context.caches.runs.byIndex('unfinished', program).filter((other) => isRightAfter(other, run));
  return [...nextRuns(program, context), ...after.map(keyOf)];
}

/** Of a program, those that wait for a run of another pipeline to succeed. */
function waitingForBatch(program: ObjectKey, caches: Caches): readonly RunObject[] {
  return caches.runs.byIndex('unfinished', program).filter((run) => isBecause(run, 'WaitingForBatch'));
}

/** Those that wait for a run of the pipeline of this one, which has succeeded. */
function runsAfter({ before, after }: Change<RunObject>, { caches, pipelines }: Concern): readonly ObjectKey[] {
  if (after === undefined || !hasSucceeded(after) || (before !== undefined && hasSucceeded(before))) return [];
  return waitingForBatch(programKeyOf(after), caches)
    .filter(({ spec }) => pipelineOf(spec.pipeline, pipelines)?.after === after.spec.pipeline)
    .map(keyOf);
}

/** Older runs of a schedule, whose place a newer one takes that can begin by now. */
function runsReplaced({ before, after }: Change<RunObject>, caches: Caches): readonly ObjectKey[] {
  if (after?.spec.trigger !== 'schedule' || !canBegin(after) || (before !== undefined && canBegin(before))) return [];
  // Of many runs that come at once, such as when they are listed, few concern others.
  if (caches.programs.get(programKeyOf(after))?.spec.concurrencyPolicy !== 'Replace') return [];
  return caches.runs
    .byIndex('unfinished', programKeyOf(after))
    .filter((run) => isReplacedBy(after, run))
    .map(keyOf);
}

/** Whether the status of a program says of another slot that it has succeeded: its run may be gone already. */
function recordsSuccess({ before, after }: Change<ProgramObject>): boolean {
  const slots = (program?: ProgramObject) =>
    program?.status?.pipelines?.map(({ lastSucceededSlot }) => lastSucceededSlot);
  return after !== undefined && !isDeepStrictEqual(slots(before), slots(after));
}

/** Whether a run that took one of the places, or was next to, is in the way of others no longer. */
function makesRoom({ before, after }: Change<RunObject>): boolean {
  const counts = (run: RunObject) => isUnderWay(run) || waitsForRoom(run);
  return before !== undefined && counts(before) && (after === undefined || !counts(after));
}

/** Whether a Job of a run has ended that is no longer under way, or never was by its status. */
function endsWork({ before, after }: Change<JobObject>, caches: Caches): boolean {
  if (before === undefined || !isActive(before) || (after !== undefined && isActive(after))) return false;
  const key = runKeyOf(before, caches);
  const run = key === undefined ? undefined : caches.runs.get(key);
  return run === undefined || !isUnderWay(run);
}

/** The runs that Jobs or pods are of. */
function runsOf(objects: readonly KubeObject[], caches: Caches): readonly ObjectKey[] {
  return objects.map((object) => runKeyOf(object, caches)).filter((key) => key !== undefined);
}

/** The run of each lane of a program that is next to begin: of many that wait only these are looked at. */
function nextRuns(program: ObjectKey, { caches, pipelines }: Concern): readonly ObjectKey[] {
  const waiting = caches.runs
    .byIndex('unfinished', program)
    .filter((run) => !run.spec.suspend && run.status?.startTime === undefined && !isBecause(run, 'WaitingForBatch'));
  const first = new Map<string | undefined, RunObject>();
  for (const run of waiting) {
    const lane = laneOf(run.spec.pipeline, pipelines);
    const before = first.get(lane);
    if (before === undefined || inOrder(run, before) < 0) first.set(lane, run);
  }
  return [...first.values()].map(keyOf);
}

/** Whether it is more than its status, or what people have noted on it, that has changed of a program. */
function changesMeaning({ before, after }: Change<ProgramObject>): boolean {
  return (
    before?.metadata.generation !== after?.metadata.generation ||
    before?.metadata.deletionTimestamp !== after?.metadata.deletionTimestamp
  );
}

/** Whether no run of a program may begin any more, for which a place may have been left to its namespace. */
function needsNoPlace({ before, after }: Change<ProgramObject>): boolean {
  return before?.spec.enabled === true && after?.spec.enabled !== true;
}

/** The runs that a change of a program concerns: not those that wait for another run anyway. And who waits for its programId. */
function runsToTell(program: ProgramObject, context: Concern): readonly ObjectKey[] {
  const { caches } = context;
  const runs = caches.runs.byIndex('unfinished', keyOf(program)).filter((run) => !isBecause(run, 'WaitingForRun'));
  return [
    ...runs.map(keyOf),
    ...[program, ...twinsOf(program, caches)].flatMap((one) => nextRuns(keyOf(one), context)),
  ];
}
