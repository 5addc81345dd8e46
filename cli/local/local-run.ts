import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { asFailure } from '../../contract/failure.ts';
import { type OwnerSpec, ownerName } from '../../contract/owner.ts';
import { isSharded, type Pipelines, pipelineOf, type StageDefinition } from '../../contract/pipelines.ts';
import { REVISION_FILE, revisionDigest, revisionText } from '../../contract/revision.ts';
import type { Warning } from '../../contract/warning.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { Database } from '../../database/client/database.ts';
import { findRun, type RunRecord } from '../../database/runs/runs.ts';
import { reuseStages } from '../../jobs/run/reuse.ts';
import { inRun, type StageToRun, type Workplace } from '../../jobs/run/run-context.ts';
import { runStages } from '../../jobs/run/run-stages.ts';
import { inProcesses } from '../../jobs/run/shards.ts';
import type { RunContext, RunIdentity, Stage } from '../../jobs/run/stage.ts';
import { loadSharded, loadWork, RUNNABLE, type RunnablePipelines } from '../../jobs/stages.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { VERSION } from '../../providers/artifacts/producer.ts';
import type { ArtifactStore } from '../../providers/artifacts/store.ts';
import type { ConnectorSettings } from '../../providers/warehouses/connector.ts';
import { isServer } from '../../providers/warehouses/index.ts';
import type { Io } from '../io.ts';
import type { Progress } from '../terminal/progress.ts';
import type { RunReport } from '../terminal/report.ts';
import { beginLaptopRun, type LaptopRecorder, phaseOf } from './laptop-recorder.ts';
import { keepOrigin } from './origin.ts';

/** What to run: the manifest, resolved, and where. */
export interface LocalRun<Spec extends OwnerSpec = RetentionProgramSpec> {
  readonly namespace: string;
  /** The owner's spec, such as a program's. */
  readonly spec: Spec;
  readonly pipeline: string;
  readonly slot: Date;
  readonly trigger: RunIdentity['trigger'];
  readonly dryRun: boolean;
  /** Folder of the manifest. */
  readonly baseFolder: string;
  /** Path of the manifest; undefined where it is no file. */
  readonly manifest?: string | undefined;
  readonly connectors: ConnectorSettings;
  readonly artifactRoot: string;
  readonly scratchFolder: string;
  readonly database: Database | undefined;
  /** Processes that a stage is divided among, where its work can be. */
  readonly shards: number;
  readonly now: () => Date;
  /** What is known before it begins, and was said: of the manifest. */
  readonly warnings?: readonly Warning[];
  /** The run that this one is to go on from, where it is a retry. */
  readonly retry?: { readonly of: RunRecord; readonly fromStage: string | undefined };
  /** What is to be there before the first stage, and is none of its work. */
  readonly before?: (run: RunContext<Spec>) => Promise<void>;
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
 * @throws HF_DATA_LOCKED when the owner has a run of the lane under way on this database
 */
export async function runLocally<Spec extends OwnerSpec>(
  run: LocalRun<Spec>,
  io: Io,
  progress: Progress,
): Promise<LocalRunResult> {
  const { runnable = RUNNABLE } = io;
  const revision = { schemaVersion: 'v1alpha1', spec: run.spec } as const;
  const began = io.elapsed();
  const taken = () => (io.elapsed() - began) / 1000;
  const owner = ownerName(pipelineOf(run.pipeline, runnable.table)?.owner ?? 'program', run.spec);
  const retryOf = run.retry?.of.run;
  const beginning = { ...run, owner, retryOf, revision: revisionDigest(revision), taken };
  const recorder = await beginLaptopRun(beginning, runnable.table);
  const { identity, stages, warnings, artifacts } = recorder;
  const startedAt = run.now();
  const onlooker = { elapsed: io.elapsed, step: (stage: string) => progress.step(stage) };
  let failure: HoldfastError | undefined;
  try {
    const place = { ...placeOf(run, identity, io), makesNothing: isInPlace(run, runnable.table) };
    await inRun(place, recorder, async (context) => {
      if (!place.makesNothing) await keepRevision(run, identity, revisionText(revision), io);
      await recorder.keep(run.warnings ?? []);
      await reuse(run, runnable, recorder, context.artifacts, progress);
      if (Object.keys(artifacts).length === 0) await run.before?.(context);
      await runStages(context, stagesOf(run, runnable), recorder, onlooker);
    });
  } catch (error) {
    failure = asFailure(error, io.signal);
  } finally {
    await recorder.release();
  }
  const report: RunReport = {
    run: identity.run,
    ...(retryOf === undefined ? {} : { retryOf }),
    namespace: run.namespace,
    program: owner,
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

/** Whether a run makes nothing, and only counts what there is. */
export function isInPlace({ pipeline, dryRun }: Pick<LocalRun, 'pipeline' | 'dryRun'>, pipelines?: Pipelines): boolean {
  return dryRun && pipelineOf(pipeline, pipelines)?.dryRun === 'in-place';
}

function placeOf<Spec extends OwnerSpec>(
  run: LocalRun<Spec>,
  identity: RunIdentity,
  { signal, providers }: Io,
): Workplace<Spec> {
  const { spec, baseFolder, connectors, artifactRoot, scratchFolder, database, now, dryRun } = run;
  return {
    identity,
    spec,
    baseFolder,
    confined: false,
    connectors,
    providers,
    artifactRoot,
    scratchFolder,
    database,
    claimant: database,
    resources: laptopResources(),
    now,
    dryRun,
    signal,
  };
}

function stagesOf(run: Divided, runnable: RunnablePipelines): StageToRun<OwnerSpec>[] {
  const stages = pipelineOf(run.pipeline, runnable.table)?.stages ?? [];
  return stages.map((definition) => ({
    name: definition.name,
    reads: definition.reads,
    secrets: definition.secrets ?? [],
    last: definition === stages.at(-1),
    load: () => workOf(definition, run, runnable),
  }));
}

type Divided = Pick<LocalRun, 'pipeline' | 'shards' | 'artifactRoot'>;

/** A stage's work: in this process, or divided among as many as were asked for. */
async function workOf(
  definition: StageDefinition,
  { pipeline, shards, artifactRoot }: Divided,
  runnable: RunnablePipelines,
): Promise<Stage<OwnerSpec>> {
  const { name: stage } = definition;
  if (shards === 1 || !isSharded(definition)) return loadWork(runnable, pipeline, stage);
  return inProcesses({ pipeline, stage }, await loadSharded(runnable, pipeline, stage), shards, artifactRoot);
}

/** Takes over what the run before a retry has committed. */
async function reuse(
  { retry, database, pipeline }: Pick<LocalRun, 'retry' | 'database' | 'pipeline'>,
  { table }: RunnablePipelines,
  recorder: LaptopRecorder,
  artifacts: ArtifactStore,
  progress: Progress,
): Promise<void> {
  const run = retry && database && (await findRun(database, recorder.identity));
  if (retry === undefined || database === undefined || run === undefined) return;
  const { of, fromStage } = retry;
  const stages = (pipelineOf(pipeline, table)?.stages ?? []).map(({ name }) => name);
  const reused = await reuseStages({ database, artifacts, run, of, stages, fromStage });
  recorder.take(reused);
  for (const { report } of reused.stages) progress.reused(report.name, of.run);
}

/** Keeps what a run is pinned to, and where it came from, beside its artifacts. */
async function keepRevision(
  run: Omit<LocalRun<OwnerSpec>, 'before'>,
  of: RunIdentity,
  revision: string,
  { providers }: Io,
): Promise<void> {
  const { artifactRoot, baseFolder, manifest, spec, connectors } = run;
  const file = revisionPath(artifactRoot, of);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, revision);
  const servers = new Set(
    (spec.dataConnectors ?? [])
      .filter((connector) => isServer(connector, providers?.warehouses))
      .map(({ connectorId }) => connectorId),
  );
  const files = Object.entries(connectors.sources).filter(([connector]) => !servers.has(connector));
  await keepOrigin(artifactRoot, of, {
    baseFolder,
    ...(manifest === undefined ? {} : { manifest }),
    sources: Object.fromEntries(files),
    ...(connectors.ofSlot === undefined ? {} : { ofSlot: connectors.ofSlot }),
    ...(connectors.sampleCustomers === undefined ? {} : { sampleCustomers: connectors.sampleCustomers }),
  });
}

/** Where the revision that a run is pinned to lies. */
export function revisionPath(artifactRoot: string, of: Pick<RunIdentity, 'namespace' | 'owner' | 'run'>): string {
  return join(artifactRoot, of.namespace, of.owner, of.run, REVISION_FILE);
}

/** All processors, and a quarter of the memory within reason: DuckDB spills to the scratch folder beyond it. */
function laptopResources(): RunContext['resources'] {
  const quarter = totalmem() / 4 / 1024 / 1024;
  return { threads: availableParallelism(), memoryMb: Math.round(Math.min(1536, Math.max(512, quarter))) };
}
