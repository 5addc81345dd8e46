import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { openEngine } from '../../base/duckdb/engine.ts';
import { forField, HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import { pathForShell } from '../../base/text/printable.ts';
import { asFailure } from '../../contract/failure.ts';
import { PIPELINES, PUBLISHING } from '../../contract/pipelines.ts';
import { slotError, slotOfRun } from '../../contract/slot-guard.ts';
import { told, type Warning } from '../../contract/warning.ts';
import { connectionVariable, MOST_SHARDS, type RetentionProgramSpec } from '../../crds/index.ts';
import { riskiestCustomer } from '../../customers/explanations/explain.ts';
import { currentRun } from '../../database/runs/runs.ts';
import type { RunContext } from '../../jobs/run/stage.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { VERSION } from '../../providers/artifacts/producer.ts';
import { loadModel } from '../../providers/models/index.ts';
import { PROVIDERS } from '../../providers/registry.ts';
import { isServer, requireWarehouseProvider } from '../../providers/warehouses/index.ts';
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
import { faultLine } from '../terminal/fault-list.ts';
import { terminalProgress } from '../terminal/progress.ts';
import { prunedIn, pruneText } from '../terminal/prune-report.ts';
import { funnel, type Places, type RunReport } from '../terminal/report.ts';
import { withTruth } from './compare-with-truth.ts';
import { type RunnableManifest, readRunnable } from './manifests.ts';

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
    program: program.spec,
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
    now,
  } satisfies Partial<LocalRun>;
  const { namespace, pipeline } = plan;
  seen.plan = { namespace, program: plan.program.programId, pipeline, slot: rfc3339(plan.slot), dryRun };
  if (plan.pipeline === PUBLISHING) await checkProviders(plan, io);
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
  const ran = await runOver(folder.samples, local, io);
  if (ran.failure !== undefined) return ran;
  const current = await currentRun(state.database, { namespace: plan.namespace, owner: plan.program.programId });
  const isCurrent = current?.run === ran.report.run;
  const result = await withData(ran, isCurrent ? folder.artifacts : undefined);
  if (isShown(result, options)) {
    const places = {
      command: calledAs(io),
      state: near(folder.path),
      database: `${state.place}${isCurrent ? '' : ', but not the current batch'}`,
      elsewhere: explainOptions(plan.namespace, isCurrent ? undefined : result.report.run, options.data),
    };
    await printFunnel(result, plan, places, io);
  }
  return result;
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
    if (isShown(result, options)) await printFunnel(result, plan, places, io);
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Runs with the samples that it reads in a folder, made first. */
export async function runOver(sampleFolder: string, run: Omit<LocalRun, 'before'>, io: Io): Promise<LocalRunResult> {
  await requireUpstream(run, io.runnable?.table ?? PIPELINES);
  const progress = terminalProgress(io);
  const local = { ...run, connectors: { ...run.connectors, sampleFolder } };
  const before = (context: RunContext<RetentionProgramSpec>) => makeSamples(context, sampleFolder, progress);
  const result = await runLocally(local.pipeline === PUBLISHING ? { ...local, before } : local, io, progress);
  return withTruth(result, local, sampleFolder, io.signal);
}

/** The result with where its data are; the program's stable path leads there when they are the current batch's. */
async function withData(result: LocalRunResult, currentIn: string | undefined): Promise<LocalRunResult> {
  const made = decidedIn(result);
  if (made === undefined) return result;
  const stages = Object.fromEntries(Object.entries(result.artifacts).map(([stage, { folder }]) => [stage, folder]));
  const data = { decisions: decisionsOf(made), stages };
  if (currentIn === undefined) return { ...result, report: { ...result.report, data } };
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

/** The artifact with the decisions of a run: those that were stored, or else those that were offered. */
function decidedIn({ artifacts }: LocalRunResult): ArtifactReference | undefined {
  return artifacts['store'] ?? artifacts['offer'];
}

/** Whether a person is to see the funnel. */
function isShown({ failure }: LocalRunResult, { output }: Pick<RunOptions, 'output'>): boolean {
  return output === 'text' && failure === undefined;
}

async function printFunnel(
  result: LocalRunResult,
  plan: Plan,
  places: Pick<Places, 'command' | 'state' | 'database' | 'elsewhere'>,
  io: Io,
): Promise<void> {
  const { extract } = result.artifacts;
  const decided = decidedIn(result);
  const { data } = result.report;
  // Progress above, where a terminal shows both.
  if (io.stdout.isTTY === true) io.stdout.write('\n');
  if (plan.pipeline === 'prune') {
    io.stdout.write(pruneText(plan.program.programId, prunedIn(result.report), plan.dryRun));
    return;
  }
  io.stdout.write(
    funnel(result.report, {
      ...places,
      slot: rfc3339(plan.slot),
      rejects: extract === undefined || plan.dryRun ? undefined : near(join(extract.folder, 'rejects.parquet')),
      data: data === undefined ? undefined : near(data.current ?? data.decisions),
      customer: decided === undefined || plan.dryRun ? undefined : await exampleCustomer(decided),
      program: plan.program.programId,
      dryRun: plan.dryRun,
    }),
  );
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

async function exampleCustomer(decided: ArtifactReference): Promise<string | undefined> {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  return await riskiestCustomer(engine, decided);
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

const FEWEST_CUSTOMERS = 100;
const MOST_CUSTOMERS = 10_000_000;

export function customersOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const customers = Number(text.replaceAll('_', ''));
  if (!/^[\d_]+$/.test(text) || customers < FEWEST_CUSTOMERS || customers > MOST_CUSTOMERS) {
    throw new HoldfastError(
      'HF_USAGE',
      `--customers ${text}: give a whole number from ${FEWEST_CUSTOMERS} to ${MOST_CUSTOMERS}`,
    );
  }
  return customers;
}

export function shardsOf(text = '1'): number {
  const shards = Number(text);
  if (/^\d+$/.test(text) && shards >= 1 && shards <= MOST_SHARDS) return shards;
  throw new HoldfastError('HF_USAGE', `--shards ${text}: give a whole number from 1 to ${MOST_SHARDS}`);
}

/**
 * Where connectors read: files, from the environment or from `--source`, which wins, in place of their `path`; and the
 * connections of servers, from the environment only.
 */
export function sourcesOf(
  program: RetentionProgramSpec,
  given: readonly string[],
  environment: Io['environment'],
  providers: Io['providers'] = PROVIDERS,
): Record<string, string> {
  const known = program.dataConnectors.map(({ connectorId }) => connectorId);
  const servers = new Set(
    program.dataConnectors
      .filter((connector) => isServer(connector, providers.warehouses))
      .map(({ connectorId }) => connectorId),
  );
  const sources: Record<string, string> = {};
  for (const connector of known) {
    if (servers.has(connector)) {
      const connection = environment[connectionVariable(connector)];
      if (connection !== undefined && connection !== '') sources[connector] = connection;
      continue;
    }
    const path = environment[`HOLDFAST_SOURCE_${connector.toUpperCase().replaceAll('-', '_')}`];
    if (path !== undefined && path !== '') sources[connector] = resolve(path);
  }
  for (const one of given) {
    const [, connector = '', path] = /^([^=]+)=(.+)$/.exec(one) ?? [];
    if (servers.has(connector) || /^[^=]*=?postgres(ql)?:/i.test(one)) {
      // It may hold a password: it is not repeated, and everybody on this machine can see it already.
      const variable = connectionVariable(known.includes(connector) ? connector : 'connector');
      throw new HoldfastError(
        'HF_USAGE',
        `--source takes files only: give the connection of a server by the environment, as ${variable}=postgres://…`,
      );
    }
    if (path === undefined || !known.includes(connector)) {
      throw new HoldfastError(
        'HF_USAGE',
        `--source ${one}: give CONNECTOR=PATH; the connectors are ${known.join(', ')}`,
      );
    }
    sources[connector] = resolve(path);
  }
  return sources;
}

/**
 * Refuses, before anything is read, what only the end of a long run would find out.
 * @throws HF_PROVIDER_UNAVAILABLE, HF_USAGE, HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED,
 *   HF_MODEL_UNREACHABLE
 */
export async function checkProviders(
  { program, baseFolder, connectors: { sources } }: Pick<Plan, 'program' | 'baseFolder' | 'connectors'>,
  { signal, providers }: Io,
): Promise<void> {
  for (const [index, connector] of program.dataConnectors.entries()) {
    const check = async () =>
      requireWarehouseProvider(connector, sources[connector.connectorId], providers?.warehouses);
    await forField(['spec', 'dataConnectors', index], check);
  }
  for (const [index, scoringModel] of program.scoringModels.entries()) {
    const load = () => loadModel({ ...scoringModel, baseFolder, threads: 1, signal }, providers?.models);
    const model = await forField(['spec', 'scoringModels', index, 'endpoint'], load);
    await model.close();
  }
}

/** A path as short as it can be said from here. */
function near(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') ? path : short;
}
