import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../../base/errors.ts';
import type { Counts } from '../../contract/counts.ts';
import type { Secret } from '../../contract/credentials.ts';
import { asFailure } from '../../contract/failure.ts';
import { type OwnerKind, type OwnerSpec, ownerName, shardsOf } from '../../contract/owner.ts';
import type { TaskSettings } from '../../contract/task-environment.ts';
import type { TaskReport } from '../../contract/termination-message.ts';
import { connect } from '../../database/client/connect.ts';
import type { Database } from '../../database/client/database.ts';
import { lockTask } from '../../database/locks/task-lock.ts';
import { isMigrated } from '../../database/migrations/migrate.ts';
import { findRun, type RunRecord } from '../../database/runs/runs.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';
import { mountedRevision } from './mounted-revision.ts';
import { podRecorder } from './pod-recorder.ts';
import type { Preparation } from './prepare.ts';
import type { Recorder } from './recorder.ts';
import { containerResources } from './resources.ts';
import { reuseStages } from './reuse.ts';
import { inRun, stageContext, type Workplace } from './run-context.ts';
import { runStages } from './run-stages.ts';
import { shardArtifact } from './shard-artifact.ts';
import type { Shard, ShardedStage, Stage } from './stage.ts';

/** How long a task waits for others to give their connections back. */
const CONNECTION_PATIENCE_MS = 10 * 60_000;

/** One task of a pipeline's stage, as the table of pipelines has it. */
export interface Task {
  readonly pipeline: string;
  /** Kind of whose run it is part of. */
  readonly ownerKind: OwnerKind;
  readonly stage: string;
  readonly name: string;
  /** The earlier stages whose artifacts its own reads. */
  readonly reads: readonly string[];
  /** What the stage's work is given besides the database. */
  readonly secrets: readonly Secret[];
  /** Whether the run is over when it is done. */
  readonly last: boolean;
  readonly work:
    | {
        readonly does: 'prepare';
        readonly load: () => Promise<Preparation>;
        /** Of the pipeline, in order. */
        readonly stages: readonly string[];
      }
    | { readonly does: 'shards'; readonly load: () => Promise<ShardedStage<OwnerSpec>> }
    | {
        readonly does: 'work';
        readonly load: () => Promise<Stage<OwnerSpec>>;
        /** Where other tasks of the stage may have done its work in shards. */
        readonly loadSharded?: () => Promise<ShardedStage<OwnerSpec>>;
      };
}

export interface TaskIo {
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
  readonly warn: (sentence: string) => void;
}

/**
 * Does one task of a run in a process of its own. One that was done before is not done again, and one that another
 * process is doing is waited for, so that however often it is started, the state is that of one run.
 * @throws every code of the stages; HF_RUN_NOT_PREPARED when the run was never prepared, HF_DATA_LOCKED when another took its turn
 */
export async function runTask(settings: TaskSettings, task: Task, io: TaskIo): Promise<TaskReport> {
  const spec = await mountedRevision<OwnerSpec>(settings);
  const owner = ownerName(task.ownerKind, spec);
  const database = await connect(settings.databaseUrl, {
    applicationName: `holdfast ${task.stage}/${task.name}`,
    readOnly: settings.dryRun,
    // More shards than there are connections take turns.
    patience: {
      longestMs: CONNECTION_PATIENCE_MS,
      elapsed: io.elapsed,
      random: Math.random,
      pause: (milliseconds) => pause(milliseconds, undefined, { signal: io.signal }),
    },
  });
  const job: Job = { settings, task, io, database, spec, owner };
  try {
    const { work } = task;
    switch (work.does) {
      case 'prepare':
        return await inTurn(job, task.name, async () => prepareRun(job, await work.load(), work.stages));
      case 'shards': {
        const shard = ownShard(job);
        return await inTurn(job, shardTurn(shard), async () => doShard(job, await work.load(), shard));
      }
      case 'work':
        return await inTurn(job, task.name, async () => doWork(job, await workOf(job, work)));
    }
  } finally {
    await database.close();
  }
}

interface Job {
  readonly settings: TaskSettings;
  readonly task: Task;
  readonly io: TaskIo;
  readonly database: Database;
  readonly spec: OwnerSpec;
  /** Name of the owner. */
  readonly owner: string;
}

/** Works while no other process does the same for the same run. */
async function inTurn<Result>(job: Job, task: string, work: () => Promise<Result>): Promise<Result> {
  const { settings, io, database, owner } = job;
  const key = { namespace: settings.namespace, owner, run: settings.run };
  const lock = await lockTask(database, { ...key, task: `${job.task.stage}/${task}` }, io.signal);
  try {
    return await work();
  } catch (error) {
    const failure = asFailure(error, io.signal);
    if (!lock.lost()) throw failure;
    // Whoever got the lock instead may have swept our files away: that says nothing about the program.
    throw new HoldfastError('HF_INTERRUPTED', 'the connection to Postgres was lost, and the turn with it', {
      cause: failure,
    });
  } finally {
    await lock.release();
  }
}

async function prepareRun(job: Job, prepare: Preparation, stages: readonly string[]): Promise<TaskReport> {
  const { settings, task, database, owner, io } = job;
  // A dry run leaves no trace in Postgres.
  if (settings.dryRun) return {};
  const { namespace, run, runUid, slot, trigger, retryOf, fromStage, revision } = settings;
  const { pipeline } = task;
  await prepare(database, {
    namespace,
    owner,
    run,
    runUid,
    pipeline,
    slot,
    trigger,
    retryOf: retryOf?.name,
    revision: revision.digest,
    startedAt: io.now(),
  });
  if (retryOf === undefined) return {};
  const { place, recorder } = await ownRun(job);
  const of = { run: retryOf.name, runUid: retryOf.uid };
  const reused = await inRun(place, recorder, async ({ artifacts }) =>
    reuseStages({ database, artifacts, run: await ownRecord(job), of, stages, fromStage }),
  );
  for (const { message } of reused.stages.flatMap(({ warnings }) => warnings)) io.warn(message);
  if (reused.because !== undefined) io.warn(`not all of ${retryOf.name} is reused: ${reused.because}`);
  return { reused: reused.stages.map(({ report }) => report.name) };
}

async function doWork(job: Job, stage: Stage<OwnerSpec>): Promise<TaskReport> {
  const { task, io } = job;
  const { place, recorder } = await ownRun(job);
  const [report] = await inRun(place, recorder, (run) =>
    runStages(run, [{ ...task, name: task.stage, load: async () => stage }], recorder, {
      elapsed: io.elapsed,
      step: () => UNSEEN,
    }),
  );
  if (report === undefined) return {};
  const { rowsIn, rowsOut, artifact } = report;
  const counts = report.counts as Counts;
  return { rowsIn, rowsOut, counts, ...(artifact === undefined ? {} : { artifact }) };
}

/** Nobody looks on. */
const UNSEEN = { advance: () => {}, done: () => {}, failed: () => {} };

/** A shard is done once its artifact is there; nothing but its stage is recorded. */
async function doShard(job: Job, work: ShardedStage<OwnerSpec>, shard: Shard): Promise<TaskReport> {
  const { settings, task } = job;
  const { place, recorder } = await ownRun(job);
  // A retry does not ask again about the parts of a whole that it has.
  if ((await recorder.earlier(task.stage))?.reusedFrom !== undefined) return {};
  return await inRun(place, recorder, async (run) => {
    const context = await stageContext(run, task, (stage) => recorder.input(stage), UNSEEN.advance);
    const all = { stage: task.stage, revision: settings.revision.digest, work, context };
    const { digest, manifest } = await shardArtifact(all, shard);
    return { rowsOut: manifest.rows, artifact: digest };
  });
}

/** A stage's work: done here, or gathered from what its shards have made. */
async function workOf(
  job: Job,
  { load, loadSharded }: Extract<Task['work'], { does: 'work' }>,
): Promise<Stage<OwnerSpec>> {
  const { settings, io, spec, task } = job;
  const count = shardsOf(spec);
  if (loadSharded === undefined || count === 1) return await load();
  const work = await loadSharded();
  return async (context) => {
    const all = { stage: task.stage, revision: settings.revision.digest, work, context };
    const made: ArtifactReference[] = [];
    for (let index = 0; index < count; index += 1) {
      const shard = { index, count };
      // One that was lost since is made again, rather than to fail a run that only somebody's hand can mend.
      const lost = () => io.warn(`shard ${index} of ${count} of the stage ${task.stage} is gone; it is made again`);
      made.push(await inTurn(job, shardTurn(shard), () => shardArtifact(all, shard, lost)));
    }
    return await work.gather(context, made);
  };
}

/**
 * Which shard this process is to do.
 * @throws HF_USAGE
 */
function ownShard({ settings, spec, task }: Job): Shard {
  const { shardIndex: index } = settings;
  const count = shardsOf(spec);
  if (index !== undefined && index < count) return { index, count };
  const said = index === undefined ? 'is not set' : `is ${index}`;
  const sentence = `JOB_COMPLETION_INDEX ${said}: the stage ${task.stage} of this run has the shards 0 to ${count - 1}`;
  throw new HoldfastError('HF_USAGE', sentence);
}

/** What a shard's turn is called: the shards of a stage are done side by side. */
function shardTurn({ index }: Shard): string {
  return `shards/${index}`;
}

/** A dry run has no record. */
const FIRST = { sequence: 0, attempt: 1 };

/**
 * Where this pod does its part of the run, and who keeps what of it.
 * @throws HF_RUN_NOT_PREPARED, HF_DATA_LOCKED, HF_MANIFEST_INVALID
 */
async function ownRun(job: Job): Promise<{ readonly place: Workplace<OwnerSpec>; readonly recorder: Recorder }> {
  const { settings, task, io, database, spec, owner } = job;
  const { namespace, run, slot, artifactRoot, scratchFolder, baseFolder, dryRun } = settings;
  const { now, signal, warn } = io;
  const record = dryRun ? undefined : await ownRecord(job);
  const trigger = record?.trigger ?? settings.trigger;
  const { sequence, attempt } = record ?? FIRST;
  const identity = { namespace, owner, run, sequence, attempt, slot, trigger };
  const place: Workplace<OwnerSpec> = {
    identity,
    spec,
    baseFolder,
    confined: true,
    artifactRoot,
    claimant: database,
    database: record !== undefined || (await isMigrated(database)) ? database : undefined,
    connectors: { sources: connectionsOf(spec, settings) },
    scratchFolder,
    resources: containerResources(),
    now,
    dryRun,
    signal,
  };
  const artifacts = openFolderStore(artifactRoot);
  return { place, recorder: podRecorder({ identity, artifacts, record, database, last: task.last, now, warn }) };
}

/** @throws HF_RUN_NOT_PREPARED, HF_DATA_LOCKED, HF_MANIFEST_INVALID */
async function ownRecord({ settings, database, owner }: Job): Promise<RunRecord> {
  const { namespace, run, runUid, revision } = settings;
  const record = await findRun(database, { namespace, owner, run });
  if (record === undefined) throw new HoldfastError('HF_RUN_NOT_PREPARED', `the run ${run} was not prepared`);
  if (record.runUid !== runUid || record.phase === 'Interrupted') {
    throw new HoldfastError('HF_DATA_LOCKED', `another run of ${owner} took the turn of ${run}`);
  }
  // The Job says which revision to read; which one the run was prepared with, nobody can change who only writes Jobs.
  if (record.revision === revision.digest) return record;
  throw new HoldfastError(
    'HF_MANIFEST_INVALID',
    `the run ${run} was prepared with the revision ${record.revision}, and this task is given ${revision.digest}`,
  );
}

/** The connections that this task is given. */
function connectionsOf({ dataConnectors = [] }: OwnerSpec, { connection }: TaskSettings): Record<string, string> {
  return Object.fromEntries(
    dataConnectors.flatMap(({ connectorId }) => {
      const url = connection(connectorId);
      return url === undefined ? [] : [[connectorId, url]];
    }),
  );
}
