import { statSync } from 'node:fs';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { parseSchedule } from '../../base/schedules/index.ts';
import { asFailure } from '../../contract/failure.ts';
import { PIPELINES, PUBLISHING } from '../../contract/pipelines.ts';
import { told } from '../../contract/warning.ts';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { listRuns, type RunRecord } from '../../database/runs/runs.ts';
import { succeededSlots } from '../../database/runs/succeeded-slots.ts';
import { isServer } from '../../providers/warehouses/index.ts';
import type { Io } from '../io.ts';
import { clock } from '../local/clock.ts';
import { createDataFolder, type DataFolder, dataFolder } from '../local/data-folder.ts';
import { requireProgram } from '../local/known-program.ts';
import { readOrigin } from '../local/origin.ts';
import { connectorsByDate, requireSlotFiles, sourcesOfSlot } from '../local/slot-files.ts';
import { requireState, type State } from '../local/state.ts';
import { slotsBetween } from '../slots-between.ts';
import { inColumns, took } from '../terminal/columns.ts';
import { faultLine } from '../terminal/fault-list.ts';
import { checkProviders } from './check-providers.ts';
import { type RunnableManifest, readRunnable } from './manifests.ts';
import { inDataFolder, type Plan, type RunOptions, runOver } from './run.ts';
import { customersOf, shardsOf, sourcesOf } from './run-options.ts';

export interface LocalBackfillOptions
  extends Pick<RunOptions, 'output' | 'data' | 'now' | 'customers' | 'shards' | 'source'> {
  /** Of the program; that of its manifest, unless given. */
  readonly namespace?: string;
  readonly from: string;
  readonly to: string;
  readonly max: string;
  /** Also slots whose batch succeeded before. */
  readonly again?: boolean;
  /** Whether sources that only know of now may be read for slots of the past. */
  readonly presentData?: boolean;
}

/** What became of a slot, as `--output json` gives it. */
interface SlotLine {
  readonly slot: string;
  /** Null where it was not begun. */
  readonly run: string | null;
  readonly phase: string;
  /** Whether its batch succeeded in a run before. */
  readonly before: boolean;
  readonly candidates: number | null;
  readonly seconds: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/**
 * Runs a program of this machine for slots of the past, the oldest first, one after the other; none of them becomes the
 * current batch. It ends at the first that does not succeed; repeated, it goes on with what is left.
 * @throws HF_SLOT_REFUSED, HF_USAGE, and as `run`
 */
export async function backfillInFolder(program: string, options: LocalBackfillOptions, io: Io): Promise<number> {
  const now = clock(options.now, io);
  const file = await manifestOf(program, options, io);
  const manifest = await readRunnable(file, io, now());
  if (manifest.run !== undefined) {
    throw new HoldfastError('HF_USAGE', `${file} holds a RetentionRun, which has a slot of its own: run it by itself`);
  }
  const { spec, metadata } = manifest.program;
  const { namespace = 'default' } = metadata;
  if (options.namespace !== undefined && options.namespace !== namespace) {
    throw new HoldfastError(
      'HF_USAGE',
      `the program of ${file} is of the namespace ${namespace}, not of ${options.namespace}: a data folder keeps it under that of its manifest`,
    );
  }
  const { batchSchedule: schedule, timeZone } = spec;
  const slots = slotsBetween({ schedule, timeZone }, options, now());
  // A connector that is none would be missed by what comes next, and not be named.
  sourcesOf(spec, options.source, io.environment, io.providers);
  requireKnownThen(spec, slots, options, now(), io);
  requireSlotFiles(options.source, slots, timeZone);
  const plans = slots.map((slot) => planOf(manifest, slot, options, now, io));
  for (const plan of plans.slice(0, 1)) await checkProviders(plan, PIPELINES[PUBLISHING].stages, io);
  const folder = dataFolder(options.data);
  createDataFolder(folder);
  const { lines, failure } = await inDataFolder(folder, io, (state) => runAll(state, plans, folder, options, io));
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ namespace, program: spec.programId, slots: lines })}\n`
      : table(lines),
  );
  if (failure === undefined) return 0;
  throw failure;
}

/** A manifest, or that of a program which has run here. */
async function manifestOf(
  program: string,
  { data, namespace = 'default' }: LocalBackfillOptions,
  io: Io,
): Promise<string> {
  const isThere = statSync(program, { throwIfNoEntry: false })?.isDirectory() === false;
  if (program === '-' || isThere || /[./]/.test(program)) return program;
  const folder = dataFolder(data);
  requireState(folder, io);
  return inDataFolder(folder, io, async ({ database, place }) => {
    await requireProgram(database, { namespace, owner: program }, place);
    const [last] = await listRuns(database, { namespace, owner: program, limit: 1, pipeline: PUBLISHING });
    const origin = last && (await readOrigin(folder.artifacts, last));
    if (origin?.manifest !== undefined) return origin.manifest;
    throw new HoldfastError('HF_NOT_FOUND', `the manifest of ${program} is not known here: give its file`);
  });
}

/** What a source says of today's customers is not what it said of those of then: that is never taken for it in silence. */
function requireKnownThen(
  { dataConnectors, batchSchedule, timeZone }: RetentionProgramSpec,
  slots: readonly Date[],
  { source, presentData }: LocalBackfillOptions,
  now: Date,
  { providers }: Io,
): void {
  const newest = parseSchedule(batchSchedule, timeZone).newest(now);
  const [oldest] = slots;
  if (presentData === true || oldest === undefined || newest === undefined || oldest >= newest) return;
  const byDate = connectorsByDate(source);
  const ofNow = dataConnectors.filter(
    ({ connectorId, config }) => config.sample === undefined && !byDate.includes(connectorId),
  );
  if (ofNow.length === 0) return;
  const names = ofNow.map(({ connectorId }) => connectorId).join(', ');
  // Of a server there is no file to give.
  const file = ofNow.find((connector) => !isServer(connector, providers?.warehouses));
  const remedy =
    file === undefined
      ? 'Give --present-data if the rows of now are meant'
      : `Give a file for each day, as in --source ${file.connectorId}='exports/{date}/customers.csv', or --present-data if the rows of now are meant`;
  throw new HoldfastError(
    'HF_SLOT_REFUSED',
    `nothing was run: what ${names} gives is as of now, not as of ${rfc3339(oldest)}. ${remedy}`,
  );
}

function planOf(
  { program, baseFolder, file, warnings }: RunnableManifest,
  slot: Date,
  options: LocalBackfillOptions,
  now: () => Date,
  io: Io,
): Plan {
  const given = sourcesOfSlot(options.source, slot, program.spec.timeZone);
  return {
    namespace: program.metadata.namespace ?? 'default',
    spec: program.spec,
    pipeline: PUBLISHING,
    slot,
    trigger: 'backfill',
    dryRun: false,
    baseFolder,
    manifest: file,
    connectors: {
      sources: sourcesOf(program.spec, given, io.environment, io.providers),
      ofSlot: connectorsByDate(options.source),
      sampleCustomers: customersOf(options.customers),
    },
    shards: shardsOf(options.shards),
    warnings: told('MANIFEST', warnings.map(faultLine)),
    now,
  };
}

interface Backfilled {
  readonly lines: readonly SlotLine[];
  readonly failure?: HoldfastError;
}

async function runAll(
  state: State,
  plans: readonly Plan[],
  folder: DataFolder,
  { again }: LocalBackfillOptions,
  io: Io,
): Promise<Backfilled> {
  const [first] = plans;
  if (first === undefined) return { lines: [] };
  const key = { namespace: first.namespace, owner: first.spec.programId, slots: plans.map(({ slot }) => slot) };
  const before = again === true ? new Map<number, RunRecord>() : await succeededSlots(state.database, key);
  const lines: SlotLine[] = [];
  for (const [index, plan] of plans.entries()) {
    const slot = rfc3339(plan.slot);
    const done = before.get(plan.slot.getTime());
    if (done !== undefined) {
      lines.push(lineOf(slot, done.run, done, true));
      continue;
    }
    try {
      io.signal.throwIfAborted();
      io.stderr.write(`${slot}  ${index + 1} of ${plans.length}\n`);
      const { report, failure, warnings } = await runOver(
        folder.samples,
        { ...plan, artifactRoot: folder.artifacts, scratchFolder: folder.scratch, database: state.database },
        io,
      );
      for (const { message } of warnings) io.stderr.write(`warning: ${message}\n`);
      lines.push(lineOf(slot, report.run, report, false));
      if (failure !== undefined) return stopped(lines, plans, failure);
    } catch (error) {
      return stopped(lines, plans, asFailure(error, io.signal));
    }
  }
  return { lines };
}

/** The slots that were not begun are named, too. */
function stopped(lines: readonly SlotLine[], plans: readonly Plan[], failure: HoldfastError): Backfilled {
  const waiting = plans.slice(lines.length).map(({ slot }) => lineOf(rfc3339(slot), null, undefined, false));
  return { lines: [...lines, ...waiting], failure };
}

function lineOf(
  slot: string,
  run: string | null,
  ended:
    | {
        readonly phase: string;
        readonly seconds?: number | undefined;
        readonly stages: readonly { readonly name: string; readonly rowsOut: number }[];
        readonly error?: SlotLine['error'] | undefined;
      }
    | undefined,
  before: boolean,
): SlotLine {
  return {
    slot,
    run,
    phase: ended?.phase ?? 'NotBegun',
    before,
    candidates: ended?.stages.find(({ name }) => name === 'store')?.rowsOut ?? null,
    seconds: ended?.seconds ?? null,
    error: ended?.error ?? null,
  };
}

const NONE = '<none>';

function table(lines: readonly SlotLine[]): string {
  return inColumns(
    ['SLOT', 'RUN', 'PHASE', 'CANDIDATES', 'DURATION', 'REASON'],
    lines.map(({ slot, run, phase, before, candidates, seconds, error }) => [
      slot,
      run ?? NONE,
      phase,
      candidates === null ? NONE : String(candidates),
      seconds === null ? NONE : took(seconds),
      before ? 'DoneBefore' : (error?.code ?? ''),
    ]),
  );
}
