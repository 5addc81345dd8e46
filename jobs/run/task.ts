import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { ArtifactReference } from '../artifacts/artifact.ts';
import { openFolderStore } from '../artifacts/folder.ts';
import { HoldfastError } from '../errors.ts';
import { connect } from '../postgres/connect.ts';
import type { Database } from '../postgres/database.ts';
import { databaseIdentity } from '../postgres/identity.ts';
import { isMigrated } from '../postgres/migrate.ts';
import { findRun, finishRun, type RunRecord, recordStage } from '../postgres/runs.ts';
import { lockTask } from '../postgres/task-lock.ts';
import { asFailure } from './failure.ts';
import type { Preparation } from './prepare.ts';
import type { Revision } from './revision.ts';
import type { RunIdentity, Stage, StageContext, StageResult } from './stage.ts';
import { stageReport } from './stage-report.ts';
import type { TaskSettings } from './task-settings.ts';
import type { TaskReport } from './termination-message.ts';

/** One task of a pipeline's stage, as the table of pipelines has it. */
export interface Task {
  readonly pipeline: string;
  readonly stage: string;
  readonly name: string;
  /** The stages before its own, in order. */
  readonly earlier: readonly string[];
  /** Whether the run is over when it is done. */
  readonly last: boolean;
  readonly work:
    | { readonly does: 'prepare'; readonly load: () => Promise<Preparation> }
    | { readonly does: 'work'; readonly load: () => Promise<Stage> };
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
 * @throws every code of the stages; HF_NOT_FOUND when the run was never prepared, HF_DATA_LOCKED when another took its turn
 */
export async function runTask(settings: TaskSettings, task: Task, io: TaskIo): Promise<TaskReport> {
  const program = await readRevision(settings);
  const database = await connect(settings.databaseUrl, {
    applicationName: `holdfast ${task.stage}/${task.name}`,
    readOnly: settings.dryRun,
  });
  const key = { namespace: settings.namespace, program: program.programId, run: settings.run };
  try {
    const lock = await lockTask(database, { ...key, task: `${task.stage}/${task.name}` }, io.signal);
    try {
      const job: Job = { settings, task, io, database, program };
      return task.work.does === 'prepare'
        ? await prepareRun(job, await task.work.load())
        : await doWork(job, await task.work.load());
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

/** The program that the run is pinned to, down to the byte. */
async function readRevision({ revision }: TaskSettings): Promise<StageContext['program']> {
  const bytes = await readFile(revision.file).catch((cause: unknown) => {
    throw new HoldfastError('HF_MANIFEST_UNREADABLE', `the revision ${revision.file} cannot be read`, { cause });
  });
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== revision.digest) {
    throw new HoldfastError(
      'HF_MANIFEST_INVALID',
      `the revision ${revision.file} was changed: its SHA-256 is ${digest}, the run is pinned to ${revision.digest}`,
    );
  }
  return (JSON.parse(bytes.toString('utf8')) as Revision).spec;
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
  const { settings, task, io, database, program } = job;
  const store = openFolderStore(settings.artifactRoot);
  const record = settings.dryRun ? undefined : await ownRecord(job);
  const { sequence, attempt } = record ?? { sequence: 0, attempt: 1 };
  const key = { namespace: settings.namespace, program: program.programId, run: settings.run };
  const open = (name: string) => store.open({ ...key, stage: name, attempt });
  const done = record && (await alreadyDone(record, task, open));
  if (done) {
    if (task.last) await finishRun(database, record, { phase: 'Succeeded', finishedAt: io.now() });
    return done;
  }

  const identity: RunIdentity = { ...key, sequence, attempt, slot: settings.slot, trigger: settings.trigger };
  const previous = task.earlier.at(-1);
  await store.runFolders.claim(key, await databaseIdentity(database));
  await mkdir(settings.scratchFolder, { recursive: true });
  const scratchFolder = await mkdtemp(join(settings.scratchFolder, 'task-'));
  const began = io.elapsed();
  try {
    const result = await stage({
      identity,
      program,
      baseFolder: settings.baseFolder,
      artifacts: store,
      inputs: previous === undefined ? {} : { [previous]: await open(previous) },
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
    for (const warning of result.warnings ?? []) io.warn(warning);
    if (record !== undefined) {
      await recordStage(database, record, stageReport(task.stage, io.elapsed() - began, result));
      if (task.last) await finishRun(database, record, { phase: 'Succeeded', finishedAt: io.now() });
    }
    return reportOf(result);
  } catch (error) {
    const failure = asFailure(error, io.signal);
    if (record !== undefined && failure.kind === 'terminal') await recordFailure(job, record, failure);
    throw failure;
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
}

/** @throws HF_NOT_FOUND, HF_DATA_LOCKED */
async function ownRecord({ settings, database, program }: Job): Promise<RunRecord> {
  const { namespace, run, owner } = settings;
  const record = await findRun(database, { namespace, program: program.programId, run });
  if (record === undefined) throw new HoldfastError('HF_NOT_FOUND', `the run ${run} was not prepared`);
  if (record.owner === owner && record.phase !== 'Interrupted') return record;
  throw new HoldfastError('HF_DATA_LOCKED', `another run of ${program.programId} took the turn of ${run}`);
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
  open: (stage: string) => Promise<ArtifactReference>,
): Promise<TaskReport | undefined> {
  const report = record.stages.find(({ name }) => name === stage);
  if (report === undefined) return undefined;
  const { rowsIn, rowsOut } = report;
  const counts = report.counts as StageResult['counts'];
  // The last stage publishes in Postgres, in one transaction; the others make artifacts.
  if (last) return { rowsIn, rowsOut, counts };
  try {
    return { rowsIn, rowsOut, counts, artifact: (await open(stage)).digest };
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'HF_ARTIFACT_CORRUPT') return undefined;
    throw error;
  }
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

/** The processors that the container may use, and half of its memory: models and Node take the rest. */
function resources(): StageContext['resources'] {
  const limit = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
  const half = limit / 2 / 1024 / 1024;
  return { threads: availableParallelism(), memoryMb: Math.round(Math.min(4096, Math.max(256, half))) };
}
