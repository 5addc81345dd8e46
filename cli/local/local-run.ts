import { mkdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import { asFailure } from '../../contract/failure.ts';
import { inputsOf, isSharded, PIPELINES, type PipelineName, type StageDefinition } from '../../contract/pipelines.ts';
import { revisionDigest, revisionText } from '../../contract/revision.ts';
import { runName } from '../../contract/run-name.ts';
import type { Warning } from '../../contract/warning.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { Database } from '../../database/client/database.ts';
import { databaseIdentity } from '../../database/client/identity.ts';
import { beginRun } from '../../database/runs/begin-run.ts';
import { finishRun, type StageReport as RecordedStage, recordStage } from '../../database/runs/runs.ts';
import { inProcesses } from '../../jobs/run/shards.ts';
import type { RunIdentity, Stage, StageContext } from '../../jobs/run/stage.ts';
import { stageReport } from '../../jobs/run/stage-report.ts';
import { loadSharded, loadWork } from '../../jobs/stages.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';
import { VERSION } from '../../providers/artifacts/producer.ts';
import { sampleWarehouse } from '../../providers/warehouses/duckdb/sample-file.ts';
import type { Io } from '../io.ts';
import type { Progress, Step } from '../terminal/progress.ts';
import type { RunReport, StageReport } from '../terminal/report.ts';

/** What to run: the manifest, resolved, and where. */
export interface LocalRun {
  readonly namespace: string;
  readonly program: RetentionProgramSpec;
  readonly pipeline: PipelineName;
  readonly slot: Date;
  readonly trigger: RunIdentity['trigger'];
  readonly dryRun: boolean;
  /** Folder of the manifest. */
  readonly baseFolder: string;
  readonly sources: Readonly<Record<string, string>>;
  readonly sampleCustomers: number | undefined;
  readonly artifactRoot: string;
  readonly sampleFolder: string;
  readonly scratchFolder: string;
  readonly database: Database | undefined;
  /** Processes that a stage is divided among, where its work can be. */
  readonly shards: number;
  readonly now: () => Date;
}

export interface LocalRunResult {
  readonly report: RunReport;
  readonly artifacts: Readonly<Record<string, ArtifactReference>>;
  readonly warnings: readonly Warning[];
  /** Why the run did not succeed. */
  readonly failure?: HoldfastError;
}

/**
 * Runs the stages of a pipeline one after the other in this process: the same code that a cluster runs as Jobs.
 * A failure ends up in the report, not in an exception; what earlier stages committed stays for a look.
 * @throws HF_DATA_LOCKED when the program is already running on this database
 */
export async function runLocally(run: LocalRun, io: Io, progress: Progress): Promise<LocalRunResult> {
  const revision = { schemaVersion: 'v1alpha1', spec: run.program } as const;
  const began = io.elapsed();
  const taken = () => (io.elapsed() - began) / 1000;
  const record =
    run.database === undefined || run.dryRun
      ? unrecorded(run)
      : await recorded(run.database, run, revisionDigest(revision), taken);
  const { identity } = record;
  const stages: StageReport[] = [];
  const startedAt = run.now();
  const warnings: Warning[] = [];
  const artifacts: Record<string, ArtifactReference> = {};
  let failure: HoldfastError | undefined;
  const scratchFolder = await makeTemporaryFolder('run-', run.scratchFolder);
  try {
    const store = openFolderStore(run.artifactRoot);
    const revisionFile = revisionPath(run.artifactRoot, identity);
    if (run.database !== undefined) await store.runFolders.claim(identity, await databaseIdentity(run.database));
    await mkdir(dirname(revisionFile), { recursive: true });
    await writeFile(revisionFile, revisionText(revision));
    await writeFile(originPath(run.artifactRoot, identity), `${JSON.stringify({ baseFolder: run.baseFolder })}\n`);
    if (run.pipeline === 'batch') await makeSamples(run, scratchFolder, io, progress);
    for (const definition of PIPELINES[run.pipeline].stages) {
      io.signal.throwIfAborted();
      const step = progress.step(definition.name);
      const context: StageContext = {
        identity,
        program: run.program,
        baseFolder: run.baseFolder,
        confined: false,
        artifacts: store,
        inputs: inputsOf(definition, artifacts),
        database: run.database,
        sources: definition.secrets?.includes('connections') ? run.sources : {},
        providers: io.providers,
        sampleFolder: run.sampleFolder,
        sampleCustomers: run.sampleCustomers,
        scratchFolder,
        resources: resources(),
        now: run.now,
        dryRun: run.dryRun,
        signal: io.signal,
        progress: (done, total) => step.advance(done, total),
      };
      const started = io.elapsed();
      try {
        const work = await workOf(definition, run);
        const result = await work(context);
        if (result.artifact !== undefined) artifacts[definition.name] = result.artifact;
        const { rowsIn, rowsOut, counts } = result;
        const done = stageReport(definition.name, io.elapsed() - started, result);
        stages.push({ name: done.name, rowsIn, rowsOut, seconds: done.seconds, counts });
        warnings.push(...(result.warnings ?? []));
        step.done(rowsIn, rowsOut);
        await record.stage(done);
      } catch (error) {
        step.failed();
        throw error;
      }
    }
    await record.finish();
  } catch (error) {
    failure = asFailure(error, io.signal);
    await abandon(record, failure);
  } finally {
    await record.release();
    await rm(scratchFolder, { recursive: true, force: true });
  }
  const report: RunReport = {
    run: identity.run,
    namespace: run.namespace,
    program: run.program.programId,
    pipeline: run.pipeline,
    slot: rfc3339(run.slot),
    startedAt: rfc3339(startedAt),
    finishedAt: rfc3339(run.now()),
    seconds: taken(),
    dryRun: run.dryRun,
    version: VERSION,
    phase: failure === undefined ? 'Succeeded' : phaseOf(failure),
    stages,
    ...(failure === undefined ? {} : { error: { code: failure.code, message: failure.message } }),
  };
  return { report, artifacts, warnings, ...(failure === undefined ? {} : { failure }) };
}

/** A stage's work: in this process, or divided among as many as were asked for. */
async function workOf(definition: StageDefinition, { pipeline, shards, artifactRoot }: LocalRun): Promise<Stage> {
  const { name: stage } = definition;
  if (shards === 1 || !isSharded(definition)) return loadWork(pipeline, stage);
  return inProcesses({ pipeline, stage }, await loadSharded(pipeline, stage), shards, artifactRoot);
}

/** Where the revision that a run is pinned to lies. */
export function revisionPath(artifactRoot: string, of: Pick<RunIdentity, 'namespace' | 'program' | 'run'>): string {
  return join(artifactRoot, of.namespace, of.program, of.run, 'revision.json');
}

/** Where it is kept which folder the manifest of a run was in: models that it names are explained from there. */
export function originPath(artifactRoot: string, of: Pick<RunIdentity, 'namespace' | 'program' | 'run'>): string {
  return join(artifactRoot, of.namespace, of.program, of.run, 'origin.json');
}

/** What is kept of a run while it goes on. */
interface RunRecorder {
  readonly identity: RunIdentity;
  stage(report: RecordedStage): Promise<void>;
  finish(failure?: HoldfastError): Promise<void>;
  release(): Promise<void>;
}

/** @param taken seconds since the run began */
async function recorded(
  database: Database,
  run: LocalRun,
  revision: string,
  taken: () => number,
): Promise<RunRecorder> {
  const { namespace, program, pipeline, slot, trigger, now } = run;
  const started = await beginRun(database, {
    namespace,
    program: program.programId,
    run: (sequence) => runName(program.programId, slot, sequence),
    pipeline,
    slot,
    trigger,
    revision,
    startedAt: now(),
  });
  return {
    identity: { ...identityOf(run), run: started.run, sequence: started.sequence, attempt: started.attempt },
    stage: (report) => recordStage(database, started, report),
    finish: (failure) =>
      finishRun(database, started, {
        phase: failure === undefined ? 'Succeeded' : phaseOf(failure),
        finishedAt: now(),
        seconds: taken(),
        ...(failure === undefined ? {} : { error: { code: failure.code, message: failure.message } }),
      }),
    release: () => started.release(),
  };
}

/** A dry run leaves no trace in Postgres. */
function unrecorded(run: LocalRun): RunRecorder {
  const nothing = async () => {};
  const identity = { ...identityOf(run), run: runName(run.program.programId, run.slot, 0), sequence: 0, attempt: 1 };
  return { identity, stage: nothing, finish: nothing, release: nothing };
}

function identityOf({ namespace, program, slot, trigger }: LocalRun) {
  return { namespace, program: program.programId, slot, trigger };
}

/** Records the failure if Postgres still listens; what is true of the run does not depend on it. */
async function abandon(record: RunRecorder, failure: HoldfastError): Promise<void> {
  try {
    await record.finish(failure);
  } catch {
    // The failure itself says more than that it could not be recorded: the next run marks this one as interrupted.
  }
}

function phaseOf(failure: HoldfastError): 'Failed' | 'Interrupted' {
  return failure.code === 'HF_INTERRUPTED' ? 'Interrupted' : 'Failed';
}

/** All processors, and a quarter of the memory within reason: DuckDB spills to the scratch folder beyond it. */
function resources(): StageContext['resources'] {
  const quarter = totalmem() / 4 / 1024 / 1024;
  return { threads: availableParallelism(), memoryMb: Math.round(Math.min(1536, Math.max(512, quarter))) };
}

/** Makes the sample warehouses that the program reads: a step of its own, so that the stages' times are theirs. */
async function makeSamples(run: LocalRun, scratchFolder: string, io: Io, progress: Progress): Promise<void> {
  const { sampleFolder, sampleCustomers, slot: asOf } = run;
  for (const { connectorId, config } of run.program.dataConnectors) {
    if (config.sample === undefined || run.sources[connectorId] !== undefined) continue;
    let step: Step | undefined;
    const options = {
      sampleFolder,
      sampleCustomers,
      asOf,
      scratchFolder,
      resources: resources(),
      signal: io.signal,
      progress: (done: number, total: number) => {
        step ??= progress.step('sample');
        step.advance(done, total);
      },
    };
    await sampleWarehouse(config.sample, options);
    step?.done(0, 0);
  }
}
