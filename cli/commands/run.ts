import { rm } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import { pathForShell } from '../../base/text/printable.ts';
import { asFailure } from '../../contract/failure.ts';
import { PIPELINES, PUBLISHING, pipelineOf, type StageDefinition } from '../../contract/pipelines.ts';
import { slotError, slotOfRun } from '../../contract/slot-guard.ts';
import { told, type Warning } from '../../contract/warning.ts';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { currentRun, recordWarnings } from '../../database/runs/runs.ts';
import type { RunContext } from '../../jobs/run/stage.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { VERSION } from '../../providers/artifacts/producer.ts';
import { calledAs } from '../called-as.ts';
import type { Io } from '../io.ts';
import { clock } from '../local/clock.ts';
import { decisionsOf, pointAtCurrent } from '../local/current-data.ts';
import {
  clearScratch,
  createDataFolder,
  type DataFolder,
  DEFAULT_DATA,
  dataFolder,
  isDataFolder,
  lockDataFolder,
} from '../local/data-folder.ts';
import { isInPlace, type LocalRun, type LocalRunResult, runLocally } from '../local/local-run.ts';
import { makeSamples } from '../local/samples.ts';
import { openHistory, openState, type State } from '../local/state.ts';
import { requireUpstream } from '../local/upstream.ts';
import { Stopped } from '../stopped.ts';
import { faultLine } from '../terminal/fault-list.ts';
import { near } from '../terminal/near.ts';
import { terminalProgress } from '../terminal/progress.ts';
import type { RunReport } from '../terminal/report.ts';
import { checkProviders, isGiven, sayCosts } from './check-providers.ts';
import { withTruth } from './compare-with-truth.ts';
import { type RunnableManifest, readRunnable } from './manifests.ts';
import { customersOf, shardsOf, sourcesOf } from './run-options.ts';
import { decidedIn, type RunPlaces, summaryOf } from './run-summary.ts';

/** Options as the command line gives them. */
export interface RunOptions {
  readonly output: 'text' | 'json';
  readonly data: string;
  readonly now?: string;
  readonly customers?: string;
  readonly shards?: string;
  readonly source: readonly string[];
  readonly dryRun?: boolean;
}

/**
 * Runs a manifest on this machine. With `--output json` exactly one JSON object goes to stdout, however it ends,
 * with the `warnings` of its stages.
 * @throws every code of the stages; HF_MANIFEST_INVALID, HF_DATA_LOCKED, HF_DATABASE_UNREACHABLE, HF_USAGE
 */
export async function run(file: string, options: RunOptions, io: Io): Promise<number> {
  const read = (now: Date) => readRunnable(file, io, now);
  return reported(options, io, (seen) => prepareAndRun(read, options, seen, io));
}

/** Does a run and says how it went; with `--output json` also of one that was refused. */
export async function reported(
  options: Pick<RunOptions, 'output'>,
  io: Io,
  work: (seen: Seen) => Promise<LocalRunResult>,
): Promise<number> {
  const print = (report: RunReport, warnings: readonly Warning[]) =>
    io.stdout.write(`${JSON.stringify({ ...report, warnings })}\n`);
  let result: LocalRunResult;
  const seen: Seen = { warnings: [] };
  try {
    result = await work(seen);
  } catch (error) {
    if (options.output === 'json') {
      const failure = asFailure(error, io.signal);
      print(
        {
          run: '',
          ...seen.plan,
          startedAt: seen.startedAt ?? rfc3339(io.now()),
          finishedAt: rfc3339(io.now()),
          version: VERSION,
          phase: 'Refused',
          stages: [],
          error: { code: failure.code, message: failure.message },
        },
        seen.warnings,
      );
    }
    throw error;
  }
  for (const { message } of result.warnings) io.stderr.write(`warning: ${message}\n`);
  if (options.output === 'json') print(result.report, [...seen.warnings, ...result.warnings]);
  if (result.failure !== undefined) throw result.failure;
  return 0;
}

/** What is known of a run by the time that it is refused. */
export interface Seen {
  startedAt?: string;
  plan?: Pick<RunReport, 'namespace' | 'program' | 'pipeline' | 'slot' | 'dryRun'>;
  /** Of the manifest, which were said already. */
  readonly warnings: Warning[];
}

/**
 * Runs a manifest, or tries to: what the stages find is in the result.
 * @throws every code of what comes before the stages
 */
export async function prepareAndRun(
  read: (now: Date) => Promise<RunnableManifest>,
  options: RunOptions,
  seen: Seen,
  io: Io,
): Promise<LocalRunResult> {
  const now = clock(options.now, io);
  // Looked at once: a clock that is moved meanwhile must not give the run another slot.
  const begun = now();
  seen.startedAt = rfc3339(begun);
  const manifest = await read(begun);
  refuseRetry(manifest);
  seen.warnings.push(...told('MANIFEST', manifest.warnings.map(faultLine)));
  const { program, baseFolder } = manifest;
  const dryRun = options.dryRun === true || manifest.run?.spec.dryRun === true;
  const plan = {
    namespace: program.metadata.namespace ?? 'default',
    spec: program.spec,
    pipeline: manifest.run?.spec.pipeline ?? PUBLISHING,
    slot: slotOf(manifest, begun, dryRun, io),
    trigger: manifest.run?.spec.trigger ?? 'manual',
    dryRun,
    baseFolder,
    manifest: manifest.file,
    connectors: {
      sources: sourcesOf(program.spec, options.source, io.environment, io.providers),
      sampleCustomers: customersOf(options.customers),
    },
    shards: shardsOf(options.shards),
    warnings: [...seen.warnings],
    now,
  } satisfies Partial<LocalRun>;
  const { namespace, pipeline } = plan;
  seen.plan = { namespace, program: plan.spec.programId, pipeline, slot: rfc3339(plan.slot), dryRun };
  await checkProviders(plan, stagesOf(pipeline, io), io);
  await sayCosts(plan, stagesOf(pipeline, io), io);
  const folder = dataFolder(options.data);
  return plan.dryRun ? runDry(plan, folder, options, io) : runForReal(plan, folder, options, io);
}

export type Plan = Omit<LocalRun, 'artifactRoot' | 'scratchFolder' | 'database' | 'before'>;

function runForReal(plan: Plan, folder: DataFolder, options: RunOptions, io: Io): Promise<LocalRunResult> {
  createDataFolder(folder);
  return inDataFolder(folder, io, (state) => runOn(state, plan, folder, options, io));
}

/**
 * Works on a data folder while no other process does.
 * @throws HF_DATA_LOCKED, and as `openState`
 */
export async function inDataFolder<Result>(
  folder: DataFolder,
  io: Io,
  work: (state: State) => Promise<Result>,
): Promise<Result> {
  using _lock = lockDataFolder(folder);
  clearScratch(folder);
  await using state = await openState(folder, io);
  return await work(state);
}

/** Runs in a data folder that is ours, and shows a person what came of it. */
export async function runOn(
  state: State,
  plan: Plan,
  folder: DataFolder,
  options: Pick<RunOptions, 'output' | 'data'>,
  io: Io,
): Promise<LocalRunResult> {
  const local = {
    ...plan,
    artifactRoot: folder.artifacts,
    scratchFolder: folder.scratch,
    database: state.database,
  };
  const ran = toGoOn(await runOver(folder.samples, local, io), explainOptions(plan.namespace, undefined, options.data));
  if (ran.failure !== undefined) return ran;
  const current = await currentRun(state.database, { namespace: plan.namespace, owner: plan.spec.programId });
  const isCurrent = current?.run === ran.report.run;
  const decided = publishes(plan, io) ? decidedIn(ran) : undefined;
  const result = await withData(ran, decided, isCurrent ? folder.artifacts : undefined);
  await keepLater(local, ran, result);
  const places = {
    command: calledAs(io),
    state: near(folder.path),
    database: `${state.place}${isCurrent ? '' : ', but not the current batch'}`,
    elsewhere: explainOptions(plan.namespace, isCurrent ? undefined : result.report.run, options.data),
  };
  await print(result, plan, places, options, io);
  return result;
}

/** Shows a person what came of a run that succeeded. */
async function print(
  result: LocalRunResult,
  plan: Plan,
  places: RunPlaces,
  { output }: Pick<RunOptions, 'output'>,
  io: Io,
): Promise<void> {
  if (output !== 'text' || result.failure !== undefined) return;
  const text = await summaryOf(plan.pipeline)(result, plan, places);
  // Progress above, where a terminal shows both.
  io.stdout.write(io.stdout.isTTY === true ? `\n${text}` : text);
}

function stagesOf(pipeline: string, { runnable }: Io): readonly StageDefinition[] {
  return pipelineOf(pipeline, runnable?.table)?.stages ?? [];
}

/** A run that was interrupted has its record, by which it is taken up. */
function toGoOn(ran: LocalRunResult, options: string | undefined): LocalRunResult {
  const { failure, report } = ran;
  if (failure?.code !== 'HF_INTERRUPTED') return ran;
  const command = `holdfast retry ${report.run}${options === undefined ? '' : ` ${options}`}`;
  const message = `${failure.message.replace(/; run it again\.?$/, '')}; \`${command}\` goes on with it`;
  const error = { code: failure.code, message };
  return { ...ran, failure: new Stopped(message, failure), report: { ...report, error } };
}

/** A dry run reads the history that is there, and writes to a folder that goes with it, if it writes at all. */
async function runDry(plan: Plan, folder: DataFolder, options: RunOptions, io: Io): Promise<LocalRunResult> {
  // Nobody takes away the history while it is read.
  using _lock = isDataFolder(folder) ? lockDataFolder(folder) : undefined;
  const temporary = await makeTemporaryFolder('holdfast-dry-run-');
  try {
    await using state = await openHistory(folder, io);
    const local = {
      ...plan,
      artifactRoot: isInPlace(plan, io.runnable?.table) ? folder.artifacts : temporary,
      scratchFolder: temporary,
      database: state?.database,
    };
    const result = await runOver(temporary, local, io);
    const places = { command: calledAs(io), state: '', database: '', elsewhere: undefined };
    await print(result, plan, places, options, io);
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Runs with the samples that it reads in a folder, made first. */
export async function runOver(sampleFolder: string, run: Omit<LocalRun, 'before'>, io: Io): Promise<LocalRunResult> {
  await requireUpstream(run, io.runnable?.table ?? PIPELINES);
  const stages = stagesOf(run.pipeline, io);
  const progress = terminalProgress(
    io,
    stages.map(({ name }) => name),
  );
  const local = { ...run, connectors: { ...run.connectors, sampleFolder } };
  const before = (context: RunContext<RetentionProgramSpec>) => makeSamples(context, sampleFolder, progress);
  const ran = await runLocally(isGiven('connections', stages) ? { ...local, before } : local, io, progress);
  if (!publishes(run, io)) return ran;
  const result = await withTruth(ran, local, sampleFolder, io.signal);
  await keepLater(local, ran, result);
  return result;
}

/** Keeps with a run what it warns of after its end. */
async function keepLater(
  { database, dryRun, namespace, spec }: Pick<LocalRun, 'database' | 'dryRun' | 'namespace' | 'spec'>,
  before: LocalRunResult,
  { report, warnings }: LocalRunResult,
): Promise<void> {
  if (database === undefined || dryRun) return;
  const run = { namespace, owner: spec.programId, run: report.run, attempt: 1 };
  await recordWarnings(database, run, warnings.slice(before.warnings.length));
}

/** The result with where its data are; the program's stable path leads there when they are the current batch's. */
async function withData(
  result: LocalRunResult,
  made: ArtifactReference | undefined,
  currentIn: string | undefined,
): Promise<LocalRunResult> {
  const stages = Object.fromEntries(Object.entries(result.artifacts).map(([stage, { folder }]) => [stage, folder]));
  if (Object.keys(stages).length === 0) return result;
  const data = { ...(made === undefined ? {} : { decisions: decisionsOf(made) }), stages };
  if (made === undefined || currentIn === undefined) return { ...result, report: { ...result.report, data } };
  try {
    const current = await pointAtCurrent(currentIn, made);
    return { ...result, report: { ...result.report, data: { ...data, current } } };
  } catch (error) {
    // The batch is published, whatever becomes of the link.
    const warning = `No path leads to the current batch (${(error as NodeJS.ErrnoException).code ?? String(error)}).`;
    const warnings = [...result.warnings, ...told('CURRENT_PATH_MISSING', [warning])];
    return { ...result, warnings, report: { ...result.report, data } };
  }
}

/** Options that `explain` needs to look where this run was. */
function explainOptions(namespace: string, run: string | undefined, data: string): string | undefined {
  const options = [
    ...(namespace === 'default' ? [] : ['--namespace', namespace]),
    ...(run === undefined ? [] : ['--run', run]),
    ...(data === DEFAULT_DATA ? [] : ['--data', pathForShell(data)]),
  ];
  return options.length === 0 ? undefined : options.join(' ');
}

/** Whether what a run makes becomes the current batch. */
function publishes({ pipeline }: Pick<LocalRun, 'pipeline'>, { runnable }: Io): boolean {
  return pipelineOf(pipeline, runnable?.table)?.publishes === true;
}

/** What a run of a cluster, or of this machine, has committed is reused by a command of its own. */
function refuseRetry({ run }: RunnableManifest): void {
  const of = run?.spec.retryOf;
  if (of === undefined) return;
  throw new HoldfastError(
    'HF_USAGE',
    `the run ${run?.metadata.name} is another try of ${of.name}: \`holdfast retry ${of.name}\` does it`,
  );
}

/** The instant of a run: its own, or the newest of its pipeline's schedule. A dry run may be as of any. */
function slotOf({ program, run }: RunnableManifest, now: Date, dryRun: boolean, { runnable }: Io): Date {
  const { pipeline = PUBLISHING, trigger = 'manual', slot: said } = run?.spec ?? {};
  const asked = { pipeline, trigger, slot: said === undefined ? undefined : new Date(said), made: now };
  const slot = slotOfRun(asked, program.spec, dryRun ? undefined : now, runnable?.table);
  if ('reason' in slot) throw slotError(slot);
  return slot;
}
