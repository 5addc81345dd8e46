import { makesSomething, NO_ATTEMPTS } from '../decide/action.ts';
import { isDisrupted, isDisruptedSo } from '../decide/run/disruption.ts';
import { containerOf } from '../decide/run/report.ts';
import { decideRun } from '../decide/run/run.ts';
import { isFinal, type RunSnapshot, waitsForPerson, waitsForRun } from '../decide/run/snapshot.ts';
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
  seniority,
} from '../kube/objects.ts';
import type { Change } from '../kube/reflector.ts';
import { ANNOTATIONS } from '../objects/labels.ts';
import { boundProgram } from '../objects/program-bound.ts';
import { buildRevision } from '../objects/revision.ts';
import { apply } from './apply.ts';
import { type Caches, objectsOf, olderTwinsOf, ownedBy, programKeyOf, runKeyOf, twinsOf } from './caches.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { lookAgain } from './resync.ts';
import { jobHistory, lastComplaint } from './warning-events.ts';
import { writeStatus } from './write-status.ts';

/** Each round, one more object turns out to be in the way, or to be there. */
const MOST_ROUNDS = 5;

/** Takes a run through its tasks, one Job after the other. */
export const retentionRunController: Controller = {
  name: 'retention-run',
  objects: 'runs',
  workers: 6,

  concerned(change, caches) {
    switch (change.cache) {
      case 'runs':
        return letsGo(change) ? nextRun(programKeyOf(change.before as RunObject), caches) : [];
      case 'programs':
        return changesMeaning(change) ? objectsOf(change).flatMap((program) => runsToTell(program, caches)) : [];
      case 'jobs':
      case 'pods':
        return objectsOf<KubeObject>(change)
          .map((object) => runKeyOf(object, caches))
          .filter((key) => key !== undefined);
      case 'revisions':
        return objectsOf(change).flatMap((revision) =>
          unfinished(caches.runs.byIndex('revision', keyOf(revision))).map(keyOf),
        );
    }
  },

  async reconcile(key, context) {
    const run = context.caches.runs.get(key);
    // One run of a program at a time, or two could find each other not begun, and both begin.
    return run && (await context.inTurn(programKeyOf(run), () => settle(key, context)));
  },

  async complain(key, message, { api, caches, clock, newest }) {
    const known = caches.runs.get(key);
    if (known === undefined) return;
    const run = newest(known);
    await writeStatus(api, RESOURCES.retentionRuns, run, runNotRead(run, message, clock.now()));
  },
};

function unfinished(runs: readonly RunObject[]): readonly RunObject[] {
  return runs.filter((run) => !isFinal(run));
}

/** Whether a run that others had to wait for holds them up no longer. */
function letsGo({ before, after }: Change<RunObject>): boolean {
  const holds = (run: RunObject) => !isFinal(run) && !waitsForPerson(run);
  return before !== undefined && holds(before) && (after === undefined || !holds(after));
}

/** The run of a program that is next to begin: of many that wait only this one is looked at. */
function nextRun(program: ObjectKey, caches: Caches): readonly ObjectKey[] {
  const waiting = unfinished(caches.runs.byIndex('program', program)).filter(
    ({ spec, status }) => !spec.suspend && status?.startTime === undefined,
  );
  let first: RunObject | undefined;
  for (const run of waiting) {
    if (first === undefined || seniority(run) < seniority(first)) first = run;
  }
  return first === undefined ? [] : [keyOf(first)];
}

/** Whether it is more than its status, or what people have noted on it, that has changed of a program. */
function changesMeaning({ before, after }: Change<ProgramObject>): boolean {
  return (
    before?.metadata.generation !== after?.metadata.generation ||
    before?.metadata.deletionTimestamp !== after?.metadata.deletionTimestamp
  );
}

/** The runs that a change of a program concerns: not those that wait for another run anyway. And who waits for its programId. */
function runsToTell(program: ProgramObject, caches: Caches): readonly ObjectKey[] {
  const runs = unfinished(caches.runs.byIndex('program', keyOf(program))).filter((run) => !waitsForRun(run));
  return [...runs.map(keyOf), ...[program, ...twinsOf(program, caches)].flatMap((one) => nextRun(keyOf(one), caches))];
}

/** Decides and applies until nothing new turns up; resolves to when to look again. */
async function settle(key: ObjectKey, context: ControllerContext): Promise<Date | undefined> {
  const { api, caches, recorder, clock, newest } = context;
  const cached = caches.runs.get(key);
  let snapshot = cached && (await gather(newest(cached), context, false));
  let isLive = false;
  for (let round = 0; snapshot !== undefined && round < MOST_ROUNDS; round += 1) {
    const decision = decideRun(snapshot, clock.now());
    if (makesSomething(decision) && !isLive) {
      // The cache may be of before: what it takes for yet to be made may be done by now, and its Job collected.
      const fresh: RunObject | undefined = await api.get<RunObject>(RESOURCES.retentionRuns, key);
      isLive = true;
      if (fresh?.metadata.resourceVersion !== snapshot.run.metadata.resourceVersion) {
        snapshot = fresh && (await gather(fresh, context, true));
        continue;
      }
      const revision = await currentRevision(snapshot, context);
      if (revision !== undefined) {
        snapshot = { ...snapshot, revision };
        continue;
      }
    }
    const applied = await apply(decision.actions, api, recorder);
    const seen = await learn(snapshot, applied.existing, context);
    if (seen === snapshot && applied.taken.size === 0 && applied.refused.size === 0) {
      await writeStatus(api, RESOURCES.retentionRuns, snapshot.run, decision.status);
      return isFinal(decision) ? undefined : lookAgain(decision.requeueAt, clock.now());
    }
    snapshot = { ...seen, attempts: applied };
  }
  if (snapshot !== undefined) throw new Error(`not settled in ${MOST_ROUNDS} rounds`);
  return undefined;
}

/**
 * Everything that a decision rests on. A Job that has failed, or is not there, is read past the cache; and as a Job that
 * was done may be gone by now, so then is the run.
 */
async function gather(run: RunObject, context: ControllerContext, isLive: boolean): Promise<RunSnapshot | undefined> {
  const { api, caches, newest, settings } = context;
  const { namespace, uid } = run.metadata;
  const programKey = programKeyOf(run);
  const jobs = new Map(caches.jobs.byIndex('owner', ownedBy(run)).map((job) => [job.metadata.name, newest(job)]));
  const current = isFinal(run) ? undefined : currentStage(run.status?.stages);
  const name = current?.phase === 'Succeeded' ? undefined : current?.job;
  if (name !== undefined) {
    const cached = jobs.get(name);
    if (cached === undefined || outcomeOf(cached)?.succeeded === false) {
      const live = await api.get<JobObject>(RESOURCES.jobs, `${namespace}/${name}`);
      if (live !== undefined && isOwnedBy(live, uid)) {
        jobs.set(name, live);
      } else {
        jobs.delete(name);
        const fresh = isLive ? run : await api.get<RunObject>(RESOURCES.retentionRuns, keyOf(run));
        if (fresh?.metadata.resourceVersion !== run.metadata.resourceVersion) {
          return fresh && (await gather(fresh, context, true));
        }
      }
    }
  }
  const job = name === undefined ? undefined : jobs.get(name);
  const pods = job === undefined ? [] : await podsOf(job, context);
  const program = isFinal(run)
    ? undefined
    : (caches.programs.get(programKey) ?? (await liveProgram(programKey, context)));
  const others = caches.runs
    .byIndex('program', programKey)
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
    twins: program === undefined ? [] : olderTwinsOf(program, caches),
    revision: program === undefined ? undefined : await revisionOf(pin.name, run, context),
    ...(pin.digest === undefined ? {} : { revisionDigest: pin.digest }),
    jobs,
    pods,
    ...(job === undefined ? { complaint: undefined } : await toldAbout(run, job, pods, context)),
    attempts: NO_ATTEMPTS,
    settings,
  };
  const revision = isLive ? await currentRevision(snapshot, context) : undefined;
  return revision === undefined ? snapshot : { ...snapshot, revision };
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

async function liveProgram(key: ObjectKey, { api }: ControllerContext): Promise<ProgramObject | undefined> {
  const live = await api.get<ProgramObject>(RESOURCES.retentionPrograms, key);
  return live && boundProgram(live);
}

/** Pods of a Job; once it is over, with those that tell how it ended, for which the cache may be late. */
async function podsOf(job: JobObject, { api, caches }: ControllerContext): Promise<readonly PodObject[]> {
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
  { api, clock }: ControllerContext,
): Promise<Pick<RunSnapshot, 'complaint' | 'history'>> {
  const due = troubleDue(job, pods);
  const isDue = due !== undefined && due <= clock.now();
  const hasNone = due !== undefined && pods.every((pod) => isDisrupted(pod));
  if (hasNone && (isDue || pods.length > 0 || isDisruptedSo(run))) {
    const { complaint, ...history } = await jobHistory(api, stuckJob(job));
    return { complaint, history };
  }
  return { complaint: isDue ? await lastComplaint(api, stuckPods(pods)) : undefined };
}

async function revisionOf(
  name: string | undefined,
  run: RunObject,
  { api, caches, whole }: ControllerContext,
): Promise<ConfigMapObject | undefined> {
  if (name === undefined) return undefined;
  const key = `${run.metadata.namespace}/${name}`;
  const read = () => api.get<ConfigMapObject>(RESOURCES.configMaps, key);
  const cached = caches.revisions.get(key);
  return await (cached === undefined ? read() : whole(cached, read));
}

/**
 * The revision that a run which is about to begin would be pinned to now, where an earlier run has left it: it need not be
 * made again. Not asked for before, as what is large is not read for every run that waits.
 */
async function currentRevision(
  { run, program, revision }: RunSnapshot,
  { api, caches, settings }: ControllerContext,
): Promise<ConfigMapObject | undefined> {
  if (run.status?.revision !== undefined || program === undefined || revision !== undefined) return undefined;
  const key = keyOf(buildRevision(program, settings));
  if (caches.revisions.get(key) === undefined) return undefined;
  // The cache may be of before it was deleted, and then pods would wait for it for ever.
  const there = await api.get<ConfigMapObject>(RESOURCES.configMaps, key);
  return there !== undefined && isOwnedBy(there, program.metadata.uid) ? there : undefined;
}

/**
 * What objects that were there already tell: a Job of ours that was made before a crash may be pinned to the program as it
 * was then, and the run with it. The same snapshot when they tell nothing new.
 */
async function learn(
  snapshot: RunSnapshot,
  existing: readonly KubeObject[],
  context: ControllerContext,
): Promise<RunSnapshot> {
  const { run } = snapshot;
  const job = existing.find(({ kind }) => kind === RESOURCES.jobs.kind) as JobObject | undefined;
  if (job === undefined || run.status?.revision !== undefined) return snapshot;
  const { name, digest } = pinOf(run, [job]);
  if (snapshot.revision?.metadata.name === name && snapshot.revisionDigest === digest) return snapshot;
  const revision = await revisionOf(name, run, context);
  return {
    ...snapshot,
    jobs: new Map(snapshot.jobs).set(job.metadata.name, job),
    ...(revision === undefined ? {} : { revision }),
    ...(digest === undefined ? {} : { revisionDigest: digest }),
  };
}
