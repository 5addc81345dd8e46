import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../../base/errors.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import { asFailure } from '../../contract/failure.ts';
import type { TaskSettings } from '../../contract/task-environment.ts';
import type { TaskReport } from '../../contract/termination-message.ts';
import { connect } from '../../database/client/connect.ts';
import type { Database } from '../../database/client/database.ts';
import { databaseIdentity } from '../../database/client/identity.ts';
import { lockTask } from '../../database/locks/task-lock.ts';
import { isMigrated } from '../../database/migrations/migrate.ts';
import { findRun, finishRun, type RunRecord, recordStage } from '../../database/runs/runs.ts';
import type { ArtifactKey, ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';
import { openWhole } from '../../providers/artifacts/open-whole.ts';
import type { ArtifactStore } from '../../providers/artifacts/store.ts';
import type { Preparation } from './prepare.ts';
import { readRevision } from './read-revision.ts';
import { resources } from './resources.ts';
import { shardArtifact } from './shard-artifact.ts';
import type { RunIdentity, Shard, ShardedStage, Stage, StageContext, StageResult } from './stage.ts';
import { stageReport } from './stage-report.ts';

/** How long a task waits for others to give their connections back. */
const CONNECTION_PATIENCE_MS = 10 * 60_000;

/** One task of a pipeline's stage, as the table of pipelines has it. */
export interface Task {
  readonly pipeline: string;
  readonly stage: string;
  readonly name: string;
  /** The earlier stages whose artifacts its own reads. */
  readonly reads: readonly string[];
  /** Whether the run is over when it is done. */
  readonly last: boolean;
  readonly work:
    | { readonly does: 'prepare'; readonly load: () => Promise<Preparation> }
    | { readonly does: 'shards'; readonly load: () => Promise<ShardedStage> }
    | {
        readonly does: 'work';
        readonly load: () => Promise<Stage>;
        /** Where other tasks of the stage may have done its work in shards. */
        readonly loadSharded?: () => Promise<ShardedStage>;
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
  const program = await readRevision(settings);
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
  const job: Job = { settings, task, io, database, program };
  try {
    const { work } = task;
    switch (work.does) {
      case 'prepare':
        return await inTurn(job, task.name, async () => prepareRun(job, await work.load()));
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
  readonly program: StageContext['program'];
}

/** Works while no other process does the same for the same run. */
async function inTurn<Result>(job: Job, task: string, work: () => Promise<Result>): Promise<Result> {
  const { settings, io, database, program } = job;
  const key = { namespace: settings.namespace, program: program.programId, run: settings.run };
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

async function prepareRun({ settings, task, database, program, io }: Job, prepare: Preparation): Promise<TaskReport> {
  // A dry run leaves no trace in Postgres.
  if (settings.dryRun) return {};
  const { namespace, run, owner, slot, trigger, revision } = settings;
  const { pipeline } = task;
  await prepare(database, {
    namespace,
    program: program.programId,
    run,
    owner,
    pipeline,
    slot,
    trigger,
    revision: revision.digest,
    startedAt: io.now(),
  });
  return {};
}

async function doWork(job: Job, stage: Stage): Promise<TaskReport> {
  const { settings, task, io, database } = job;
  const record = settings.dryRun ? undefined : await ownRecord(job);
  const store = openFolderStore(settings.artifactRoot);
  const made = (name: string) => openWhole(store, artifactKey(job, record, name));
  const done = record && (await alreadyDone(record, task, made));
  if (done) {
    if (task.last) await finishRun(database, record, { phase: 'Succeeded', finishedAt: io.now() });
    return done;
  }
  const began = io.elapsed();
  return await inContext(job, record, async (context) => {
    const result = await stage(context);
    for (const { message } of result.warnings ?? []) io.warn(message);
    if (record !== undefined) {
      await recordStage(database, record, stageReport(task.stage, io.elapsed() - began, result));
      if (task.last) await finishRun(database, record, { phase: 'Succeeded', finishedAt: io.now() });
    }
    return reportOf(result);
  });
}

/** A shard is done once its artifact is there; nothing but its stage is recorded. */
async function doShard(job: Job, work: ShardedStage, shard: Shard): Promise<TaskReport> {
  const { settings, task } = job;
  const record = settings.dryRun ? undefined : await ownRecord(job);
  return await inContext(job, record, async (context) => {
    const all = { stage: task.stage, revision: settings.revision.digest, work, context };
    const { digest, manifest } = await shardArtifact(all, shard);
    return { rowsOut: manifest.rows, artifact: digest };
  });
}

/** A stage's work: done here, or gathered from what its shards have made. */
async function workOf(job: Job, { load, loadSharded }: Extract<Task['work'], { does: 'work' }>): Promise<Stage> {
  const { settings, io, program, task } = job;
  const count = program.execution.shards;
  // A revision of an older version names no count.
  if (loadSharded === undefined || !(count > 1)) return await load();
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
function ownShard({ settings, program, task }: Job): Shard {
  const { shardIndex: index } = settings;
  const count = program.execution.shards;
  if (index !== undefined && index < count) return { index, count };
  const said = index === undefined ? 'is not set' : `is ${index}`;
  const sentence = `JOB_COMPLETION_INDEX ${said}: the stage ${task.stage} of this run has the shards 0 to ${count - 1}`;
  throw new HoldfastError('HF_USAGE', sentence);
}

/** What a shard's turn is called: the shards of a stage are done side by side. */
function shardTurn({ index }: Shard): string {
  return `shards/${index}`;
}

/** Gives the work its context; what it leaves in the scratch folder goes, and a failure that lasts is recorded. */
async function inContext<Result>(
  job: Job,
  record: RunRecord | undefined,
  work: (context: StageContext) => Promise<Result>,
): Promise<Result> {
  const { settings, io, database, program } = job;
  const key = { namespace: settings.namespace, program: program.programId, run: settings.run };
  const { slot, trigger } = settings;
  const { sequence, attempt } = record ?? FIRST;
  const identity: RunIdentity = { ...key, sequence, attempt, slot, trigger };
  const artifacts = openFolderStore(settings.artifactRoot);
  await artifacts.runFolders.claim(key, await databaseIdentity(database));
  const scratchFolder = await makeTemporaryFolder('task-', settings.scratchFolder);
  try {
    return await work({
      identity,
      program,
      baseFolder: settings.baseFolder,
      confined: true,
      artifacts,
      inputs: await openInputs(job, record, artifacts),
      database: record !== undefined || (await isMigrated(database)) ? database : undefined,
      sources: connectionsOf(program, settings),
      sampleFolder: join(scratchFolder, 'sample'),
      sampleCustomers: undefined,
      scratchFolder,
      resources: resources(),
      now: io.now,
      dryRun: settings.dryRun,
      signal: io.signal,
      progress: () => {},
    });
  } catch (error) {
    const failure = asFailure(error, io.signal);
    if (record !== undefined && failure.kind === 'terminal') await recordFailure(job, record, failure);
    throw failure;
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
}

/**
 * The artifacts of the earlier stages, each the one that its stage recorded in Postgres. A dry run records nothing.
 * @throws HF_ARTIFACT_CORRUPT when one is not there, was changed, or is another than was recorded
 */
async function openInputs(
  job: Job,
  record: RunRecord | undefined,
  artifacts: ArtifactStore,
): Promise<Record<string, ArtifactReference>> {
  const inputs: Record<string, ArtifactReference> = {};
  for (const stage of job.task.reads) {
    const input = await artifacts.open(artifactKey(job, record, stage));
    if (record !== undefined) requireRecorded(record, stage, input);
    inputs[stage] = input;
  }
  return inputs;
}

function requireRecorded({ run, stages }: RunRecord, stage: string, { digest }: ArtifactReference): void {
  const recorded = stages.find(({ name }) => name === stage)?.artifact;
  if (recorded === digest) return;
  const what = recorded === undefined ? 'no artifact was recorded' : `the artifact ${recorded} was recorded`;
  throw new HoldfastError(
    'HF_ARTIFACT_CORRUPT',
    `of the stage ${stage} of ${run} ${what}, and another lies there (${digest}): somebody else wrote it; run again under another name`,
  );
}

/** A dry run has no record. */
const FIRST = { sequence: 0, attempt: 1 };

/** Where what a stage of the run commits lies. */
function artifactKey({ settings, program }: Job, record: RunRecord | undefined, stage: string): ArtifactKey {
  const { namespace, run } = settings;
  return { namespace, program: program.programId, run, stage, attempt: (record ?? FIRST).attempt };
}

/** @throws HF_RUN_NOT_PREPARED, HF_DATA_LOCKED, HF_MANIFEST_INVALID */
async function ownRecord({ settings, database, program }: Job): Promise<RunRecord> {
  const { namespace, run, owner, revision } = settings;
  const record = await findRun(database, { namespace, program: program.programId, run });
  if (record === undefined) throw new HoldfastError('HF_RUN_NOT_PREPARED', `the run ${run} was not prepared`);
  if (record.owner !== owner || record.phase === 'Interrupted') {
    throw new HoldfastError('HF_DATA_LOCKED', `another run of ${program.programId} took the turn of ${run}`);
  }
  // The Job says which revision to read; which one the run was prepared with, nobody can change who only writes Jobs.
  if (record.revision === revision.digest) return record;
  throw new HoldfastError(
    'HF_MANIFEST_INVALID',
    `the run ${run} was prepared with the revision ${record.revision}, and this task is given ${revision.digest}`,
  );
}

/** The connections that this task is given. */
function connectionsOf({ dataConnectors }: Job['program'], { connection }: TaskSettings): Record<string, string> {
  return Object.fromEntries(
    dataConnectors.flatMap(({ connectorId }) => {
      const url = connection(connectorId);
      return url === undefined ? [] : [[connectorId, url]];
    }),
  );
}

/** What the stage reported when it was done before, if what it made is still there. */
async function alreadyDone(
  record: RunRecord,
  { stage, last }: Task,
  open: (stage: string) => Promise<ArtifactReference | undefined>,
): Promise<TaskReport | undefined> {
  const report = record.stages.find(({ name }) => name === stage);
  if (report === undefined) return undefined;
  const { rowsIn, rowsOut } = report;
  const counts = report.counts as StageResult['counts'];
  const artifact = report.artifact === undefined ? {} : { artifact: report.artifact };
  // The last stage publishes in Postgres, in one transaction; the others make artifacts.
  if (last || (await open(stage))?.digest === report.artifact) return { rowsIn, rowsOut, counts, ...artifact };
  return undefined;
}

/** Records it if Postgres still listens; what is true of the run does not depend on it. */
async function recordFailure({ database, io }: Job, record: RunRecord, failure: HoldfastError): Promise<void> {
  const error = { code: failure.code, message: failure.message };
  try {
    await finishRun(database, record, { phase: 'Failed', finishedAt: io.now(), error });
  } catch (cause) {
    io.warn(`the failure could not be recorded: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function reportOf({ rowsIn, rowsOut, counts, artifact }: StageResult): TaskReport {
  return { rowsIn, rowsOut, counts, ...(artifact === undefined ? {} : { artifact: artifact.digest }) };
}
