import { laneOf } from '../../contract/lane.ts';
import { isBecause } from '../decide/conditions.ts';
import { wantsRoom } from '../decide/run/admit.ts';
import { isDisrupted, isDisruptedSo } from '../decide/run/disruption.ts';
import { inOrder } from '../decide/run/order.ts';
import { containerOf } from '../decide/run/report.ts';
import { isActive, waitsForRoom } from '../decide/run/room.ts';
import { decideRun } from '../decide/run/run.ts';
import { isFinal, type RunDecision, type RunSnapshot, waitsForPerson } from '../decide/run/snapshot.ts';
import { runNotRead } from '../decide/run/status.ts';
import { currentStage } from '../decide/run/tasks.ts';
import { outcomeOf, stuckJob, stuckPods, troubleDue } from '../decide/run/trouble.ts';
import { type KubeObject, keyOf, type ObjectKey, RESOURCES } from '../kube/api.ts';
import {
  type ConfigMapObject,
  isOwnedBy,
  type JobObject,
  type PodObject,
  type ProgramObject,
  type RunObject,
} from '../kube/objects.ts';
import type { Change } from '../kube/reflector.ts';
import { ANNOTATIONS } from '../objects/labels.ts';
import { buildRevision } from '../objects/revision.ts';
import { objectsOf } from './caches.ts';
import type { Context } from './context.ts';
import { kept } from './kept.ts';
import { type Kind, type Known, withExisting } from './kind.ts';
import { jobHistory, lastWarning } from './warning-events.ts';
import { type Caches, olderTwinsOf, ownedBy, programKeyOf, runKeyOf, twinsOf } from './watched.ts';

/** A run is taken through its tasks, one Job after the other. */
export const retentionRun: Kind<RunObject, RunSnapshot, RunDecision['status']> = {
  name: 'retention-run',
  resource: RESOURCES.retentionRuns,
  workers: 6,
  objects: ({ runs }) => runs,

  concerned(change, context) {
    const { caches } = context;
    switch (change.cache) {
      case 'runs':
        return [
          ...(letsGo(change) ? nextRuns(programKeyOf(change.before as RunObject), context) : []),
          ...(makesRoom(change) ? context.room.next() : []),
        ];
      case 'programs':
        return changesMeaning(change) ? objectsOf(change).flatMap((program) => runsToTell(program, context)) : [];
      case 'jobs':
        return [...runsOf(objectsOf(change), caches), ...(endsWork(change, caches) ? context.room.next() : [])];
      case 'pods':
        return runsOf(objectsOf(change), caches);
      case 'revisions':
        return objectsOf(change).flatMap((revision) =>
          unfinished(caches.runs.byIndex('revision', keyOf(revision))).map(keyOf),
        );
      default:
        return [];
    }
  },

  // One run of a program at a time, or two could find each other not begun, and both begin.
  turn: programKeyOf,
  gather,
  leave: (run, { newest, room }) => room.leave(newest(run)),
  decide: decideRun,
  unreadable: runNotRead,
  isOver: (status) => isFinal({ status }),
};

type Concern = Pick<Context, 'caches' | 'pipelines' | 'room'>;

function unfinished(runs: readonly RunObject[]): readonly RunObject[] {
  return runs.filter((run) => !isFinal(run));
}

/** Whether a run that others had to wait for holds them up no longer. */
function letsGo({ before, after }: Change<RunObject>): boolean {
  const holds = (run: RunObject) => !isFinal(run) && !waitsForPerson(run);
  return before !== undefined && holds(before) && (after === undefined || !holds(after));
}

/** Whether a run that took one of the places, or was next to, is in the way of others no longer. */
function makesRoom({ before, after }: Change<RunObject>): boolean {
  const counts = (run: RunObject) => run.status?.phase === 'Running' || waitsForRoom(run);
  return before !== undefined && counts(before) && (after === undefined || !counts(after));
}

/** Whether a Job of a run has ended that is no longer under way, or never was by its status. */
function endsWork({ before, after }: Change<JobObject>, caches: Caches): boolean {
  if (before === undefined || !isActive(before) || (after !== undefined && isActive(after))) return false;
  const run = runKeyOf(before, caches);
  return run === undefined || caches.runs.get(run)?.status?.phase !== 'Running';
}

function runsOf(objects: readonly KubeObject[], caches: Caches): readonly ObjectKey[] {
  return objects.map((object) => runKeyOf(object, caches)).filter((key) => key !== undefined);
}

/** The run of each lane of a program that is next to begin: of many that wait only these are looked at. */
function nextRuns(program: ObjectKey, { caches, pipelines }: Concern): readonly ObjectKey[] {
  const waiting = unfinished(caches.runs.byIndex('program', program)).filter(
    ({ spec, status }) => !spec.suspend && status?.startTime === undefined,
  );
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

/** The runs that a change of a program concerns: not those that wait for another run anyway. And who waits for its programId. */
function runsToTell(program: ProgramObject, context: Concern): readonly ObjectKey[] {
  const { caches } = context;
  const runs = unfinished(caches.runs.byIndex('program', keyOf(program))).filter(
    (run) => !isBecause(run, 'WaitingForRun'),
  );
  return [
    ...runs.map(keyOf),
    ...[program, ...twinsOf(program, caches)].flatMap((one) => nextRuns(keyOf(one), context)),
  ];
}

/**
 * Everything that a decision rests on. A Job that has failed, or is not there, is read past the cache; and as a Job that
 * was done may be gone by now, so then is the run.
 */
async function gather(run: RunObject, known: Known, context: Context): Promise<RunSnapshot | 'stale'> {
  const { api, caches, newest, settings, pipelines, room, clock } = context;
  const { namespace, uid } = run.metadata;
  const cached = caches.jobs.byIndex('owner', ownedBy(run)).map((job) => newest(job));
  const jobs = new Map(withExisting(cached, RESOURCES.jobs, known).map((job) => [job.metadata.name, job]));
  const current = isFinal(run) ? undefined : currentStage(run.status?.stages);
  const name = current?.phase === 'Succeeded' ? undefined : current?.job;
  if (name !== undefined && isDoubtful(jobs.get(name))) {
    const live = await api.get<JobObject>(RESOURCES.jobs, `${namespace}/${name}`);
    if (live !== undefined && isOwnedBy(live, uid)) jobs.set(name, live);
    else if (known.freshness === 'cached') return 'stale';
    else jobs.delete(name);
  }
  const job = name === undefined ? undefined : jobs.get(name);
  const pods = job === undefined ? [] : await podsOf(job, context);
  const program = isFinal(run) ? undefined : await programOf(run, context);
  const others = caches.runs
    .byIndex('program', programKeyOf(run))
    .map((other) => newest(other))
    .filter((other) => other.metadata.uid !== uid && !isFinal(other));
  const hasJob = (other: RunObject) =>
    context.hasMadeFor(other.metadata.uid) || caches.jobs.byIndex('owner', ownedBy(other)).length > 0;
  const pin = pinOf(run, [...jobs.values()]);
  const snapshot: RunSnapshot = {
    run,
    program,
    others,
    begun: new Set(others.filter(hasJob).map(({ metadata }) => metadata.uid)),
    hasRoom: true,
    twins: program === undefined ? [] : olderTwinsOf(program, caches),
    revision: program === undefined ? undefined : await revisionOf(run, program, pin.name, known, context),
    ...(pin.digest === undefined ? {} : { revisionDigest: pin.digest }),
    jobs,
    pods,
    ...(job === undefined ? { complaint: undefined } : await toldAbout(run, job, pods, context)),
    attempts: known,
    settings,
    pipelines,
  };
  // Last, since others may take the place while this one waits for an answer.
  return { ...snapshot, hasRoom: wantsRoom(snapshot, clock.now()) && room.take(run) };
}

/** Whether the run would fail, or its Job be made again, for a cache that may be late. */
function isDoubtful(job: JobObject | undefined): boolean {
  return job === undefined || outcomeOf(job)?.succeeded === false;
}

/**
 * What the run is pinned to: by its status, or by a Job of it that was made before a crash, perhaps for the program as it
 * was then.
 */
function pinOf(
  { status }: RunObject,
  jobs: readonly JobObject[],
): { readonly name?: string; readonly digest?: string } {
  const annotations = jobs.find(({ metadata }) => metadata.annotations?.[ANNOTATIONS.revision])?.metadata.annotations;
  const name = status?.revision ?? annotations?.[ANNOTATIONS.revision];
  const digest = status?.revision === undefined ? annotations?.[ANNOTATIONS.revisionDigest] : status.revisionDigest;
  return { ...(name === undefined ? {} : { name }), ...(digest === undefined ? {} : { digest }) };
}

async function programOf(run: RunObject, { api, caches }: Context): Promise<ProgramObject | undefined> {
  const key = programKeyOf(run);
  const cached = caches.programs.get(key);
  if (cached !== undefined) return cached;
  const live = await api.get<ProgramObject>(RESOURCES.retentionPrograms, key);
  return live && kept(live);
}

/** Pods of a Job; once it is over, with those that tell how it ended, for which the cache may be late. */
async function podsOf(job: JobObject, { api, caches }: Context): Promise<readonly PodObject[]> {
  const cached = caches.pods.byIndex('owner', ownedBy(job));
  const end = outcomeOf(job);
  if (end === undefined || toldBy(cached, end.succeeded) >= (end.succeeded ? 1 : (job.status?.failed ?? 1)))
    return cached;
  const labelSelector = `batch.kubernetes.io/job-name=${job.metadata.name}`;
  const { items } = await api.list<PodObject>(RESOURCES.pods, { namespace: job.metadata.namespace, labelSelector });
  return items.filter((pod) => isOwnedBy(pod, job.metadata.uid));
}

function toldBy(pods: readonly PodObject[], succeeded: boolean): number {
  return pods.filter((pod) => {
    const exitCode = containerOf(pod)?.state?.terminated?.exitCode;
    return exitCode !== undefined && (exitCode === 0) === succeeded;
  }).length;
}

/** Why the Job has no pod, or its pod no container, for so long that it is time to ask. */
async function toldAbout(
  run: RunObject,
  job: JobObject,
  pods: readonly PodObject[],
  { api, clock }: Context,
): Promise<Pick<RunSnapshot, 'complaint' | 'history'>> {
  const due = troubleDue(job, pods);
  const isDue = due !== undefined && due <= clock.now();
  const hasNone = due !== undefined && pods.every((pod) => isDisrupted(pod));
  if (hasNone && (isDue || pods.length > 0 || isDisruptedSo(run))) {
    const { warning: complaint, ...history } = await jobHistory(api, stuckJob(job));
    return { complaint, history };
  }
  return { complaint: isDue ? await lastWarning(api, stuckPods(pods)) : undefined };
}

/** The revision that the run is pinned to; of one that is about to begin, the one that it will be, where it is there. */
async function revisionOf(
  run: RunObject,
  program: ProgramObject,
  pinned: string | undefined,
  known: Known,
  context: Context,
): Promise<ConfigMapObject | undefined> {
  const { api, caches, readOnce } = context;
  if (pinned !== undefined) {
    const key = `${run.metadata.namespace}/${pinned}`;
    const read = () => api.get<ConfigMapObject>(RESOURCES.configMaps, key);
    const cached = caches.revisions.get(key);
    const revision = await (cached === undefined ? read() : readOnce(cached, read));
    if (revision !== undefined || run.status?.revision !== undefined) return revision;
  }
  // What is large is not read for every run that waits.
  return known.freshness === 'cached' ? undefined : await currentRevision(program, known, context);
}

/** The revision of the program as it is now, where an earlier run has left it, or a crash: it need not be made again. */
async function currentRevision(
  program: ProgramObject,
  known: Known,
  { api, caches, settings }: Context,
): Promise<ConfigMapObject | undefined> {
  const key = keyOf(buildRevision(program, settings));
  const [existing] = withExisting<ConfigMapObject>([], RESOURCES.configMaps, known);
  if (existing !== undefined && keyOf(existing) === key) return existing;
  if (caches.revisions.get(key) === undefined) return undefined;
  // The cache may be of before it was deleted, and then pods would wait for it for ever.
  const there = await api.get<ConfigMapObject>(RESOURCES.configMaps, key);
  return there !== undefined && isOwnedBy(there, program.metadata.uid) ? there : undefined;
}
