import { pipelinesOf } from '../../contract/pipelines.ts';
import { obstacleTo } from '../decide/run/admit.ts';
import { isDisrupted, isDisruptedSo } from '../decide/run/disruption.ts';
import { containerOf } from '../decide/run/report.ts';
import { decideRun } from '../decide/run/run.ts';
import { hasSucceeded, isFinal, type RunDecision, type RunSnapshot } from '../decide/run/snapshot.ts';
import { runNotRead } from '../decide/run/status.ts';
import { currentStage } from '../decide/run/tasks.ts';
import { outcomeOf, stuckJob, stuckPods, troubleDue } from '../decide/run/trouble.ts';
import { keyOf, RESOURCES } from '../kube/api.ts';
import {
  type ConfigMapObject,
  isOwnedBy,
  type JobObject,
  type PodObject,
  type ProgramObject,
  type RunObject,
} from '../kube/objects.ts';
import { ANNOTATIONS } from '../objects/labels.ts';
import { programOwner } from '../objects/owner.ts';
import { buildRevision } from '../objects/revision.ts';
import type { Context } from './context.ts';
import { kept } from './kept.ts';
import { type Kind, type Known, withExisting } from './kind.ts';
import { runsForRun } from './program-runs.ts';
import { runsConcerned } from './runs-concerned.ts';
import { jobHistory, lastWarning } from './warning-events.ts';
import { olderTwinsOf, ownedBy, programKeyOf } from './watched.ts';

/** A run is taken through its tasks, one Job after the other. */
export const retentionRun: Kind<RunObject, RunSnapshot, RunDecision['status']> = {
  name: 'retention-run',
  resource: RESOURCES.retentionRuns,
  workers: 6,
  objects: ({ runs }) => runs,

  concerned: runsConcerned,

  // One run of a program at a time, or two could find each other not begun, and both begin.
  turn: programKeyOf,
  gather,
  leave: (run, { newest, room }) => room.leave(newest(run)),
  decide: decideRun,
  unreadable: runNotRead,
  isOver: (status) => isFinal({ status }),
};

/** Everything that a decision rests on. A Job that has failed, or is not there, is read past the cache. */
async function gather(run: RunObject, known: Known, context: Context): Promise<RunSnapshot> {
  const { api, caches, newest, settings, pipelines, room, clock } = context;
  const { namespace, uid } = run.metadata;
  const there = withExisting(caches.jobs.byIndex('owner', ownedBy(run)), RESOURCES.jobs, known);
  const jobs = new Map(there.map((job) => [job.metadata.name, newest(job)]));
  const current = isFinal(run) ? undefined : currentStage(run.status?.stages);
  const name = current?.phase === 'Succeeded' ? undefined : current?.job;
  if (name !== undefined && isDoubtful(jobs.get(name))) {
    const live = await api.get<JobObject>(RESOURCES.jobs, `${namespace}/${name}`);
    if (live !== undefined && isOwnedBy(live, uid)) jobs.set(name, live);
    else jobs.delete(name);
  }
  const job = name === undefined ? undefined : jobs.get(name);
  const pods = job === undefined ? [] : await podsOf(job, context);
  const program = isFinal(run) ? undefined : await programOf(run, known, context);
  const original = isFinal(run) ? undefined : await originalOf(run, context);
  const runs = await runsForRun({ run, program, original, pipelines }, known, context);
  const others = runs.filter((other) => !isFinal(other));
  const hasJob = (other: RunObject) =>
    context.hasMadeFor(other.metadata.uid) || caches.jobs.byIndex('owner', ownedBy(other)).length > 0;
  const pin = pinOf(run, [...jobs.values()], original);
  const snapshot: RunSnapshot = {
    run,
    program,
    others,
    begun: new Set(others.filter(hasJob).map(({ metadata }) => metadata.uid)),
    succeeded: runs.filter(hasSucceeded),
    original,
    hasRoom: true,
    twins: program === undefined ? [] : olderTwinsOf(program, caches),
    revision: program === undefined ? undefined : await revisionOf(run, program, pin.name, known, context),
    ...(pin.identity === undefined ? {} : { revisionIdentity: pin.identity }),
    jobs,
    pods,
    ...(job === undefined ? { lastWarning: undefined } : await toldAbout(run, job, pods, context)),
    attempts: known,
    settings,
    pipelines: pipelinesOf('program', pipelines),
  };
  // Last, since others may take the place while this one waits for an answer.
  return { ...snapshot, hasRoom: obstacleTo(snapshot, clock.now()) === undefined && room.take(run) };
}

/** The run that this one is another try of: read past the cache where that has not heard of it, or of its end. */
async function originalOf({ metadata, spec, status }: RunObject, { api, caches, newest }: Context) {
  const { retryOf } = spec;
  if (retryOf === undefined) return undefined;
  const key = `${metadata.namespace}/${retryOf.name}`;
  const cached = caches.runs.get(key);
  const known = cached && newest(cached);
  if (status?.startTime !== undefined || (known?.metadata.uid === retryOf.uid && isFinal(known))) return known;
  const live = await api.get<RunObject>(RESOURCES.retentionRuns, key);
  return live && kept(live);
}

/** Whether the run would fail, or its Job be made again, for a cache that may be late. */
function isDoubtful(job: JobObject | undefined): boolean {
  return job === undefined || outcomeOf(job)?.succeeded === false;
}

/**
 * What the run is pinned to: by its status, by a Job of it that was made before a crash, perhaps for the program as it was
 * then, or by the run that it is another try of.
 */
function pinOf(
  { status }: RunObject,
  jobs: readonly JobObject[],
  original: RunObject | undefined,
): { readonly name?: string; readonly identity?: string } {
  const annotations = jobs.find(({ metadata }) => metadata.annotations?.[ANNOTATIONS.revision])?.metadata.annotations;
  const name = status?.revision ?? annotations?.[ANNOTATIONS.revision] ?? original?.status?.revision;
  const identity = status?.revision === undefined ? annotations?.[ANNOTATIONS.revisionIdentity] : status.revisionDigest;
  return { ...(name === undefined ? {} : { name }), ...(identity === undefined ? {} : { identity }) };
}

/** The program that the run names, read past the cache where that has not heard of it. */
async function programOf(run: RunObject, known: Known, { api, caches }: Context): Promise<ProgramObject | undefined> {
  const key = programKeyOf(run);
  const cached = known.freshness === 'program' || known.freshness === 'all' ? undefined : caches.programs.get(key);
  if (cached !== undefined) return cached;
  const found = await api.get<ProgramObject>(RESOURCES.retentionPrograms, key);
  return found && kept(found);
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
): Promise<Pick<RunSnapshot, 'lastWarning' | 'history'>> {
  const due = troubleDue(job, pods);
  const isDue = due !== undefined && due <= clock.now();
  const hasNone = due !== undefined && pods.every((pod) => isDisrupted(pod));
  if (hasNone && (isDue || pods.length > 0 || isDisruptedSo(run))) {
    const { warning, ...history } = await jobHistory(api, stuckJob(job));
    return { lastWarning: warning, history };
  }
  return { lastWarning: isDue ? await lastWarning(api, stuckPods(pods)) : undefined };
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
    if (revision !== undefined || run.status?.revision !== undefined || run.spec.retryOf !== undefined) return revision;
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
  const key = keyOf(buildRevision(programOwner(program), program, settings));
  const [existing] = withExisting<ConfigMapObject>([], RESOURCES.configMaps, known);
  if (existing !== undefined && keyOf(existing) === key) return existing;
  if (caches.revisions.get(key) === undefined) return undefined;
  // The cache may be of before it was deleted, and then pods would wait for it for ever.
  const there = await api.get<ConfigMapObject>(RESOURCES.configMaps, key);
  return there !== undefined && isOwnedBy(there, program.metadata.uid) ? there : undefined;
}
