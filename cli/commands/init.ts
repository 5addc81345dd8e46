import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { interruptible } from '../../base/duckdb/interruption.ts';
import { HoldfastError } from '../../base/errors.ts';
import { randomNumbers } from '../../base/math/random-numbers.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import { connectionVariable, loadManifests, validateManifest } from '../../crds/index.ts';
import { modelManifestText } from '../../providers/models/model-card.ts';
import { asPattern, isOfTexts } from '../../providers/warehouses/duckdb/file-format.ts';
import { costOfWorkbook } from '../../providers/warehouses/duckdb/workbook-cost.ts';
import { calledAs } from '../called-as.ts';
import type { Connector } from '../init/manifest.ts';
import type { InitOptions } from '../init/options.ts';
import { openPostgresTable } from '../init/postgres-source.ts';
import { type ProposedProgram, writeProgram } from '../init/program.ts';
import { type Proposal, prepareRows, propose } from '../init/proposal.ts';
import { type ProposedModel, proposeModel } from '../init/proposed-model.ts';
import { CONNECTOR_ID, isDatabase, openFile, type Source, type SourceOptions } from '../init/source.ts';
import { slug } from '../init/words.ts';
import type { Io } from '../io.ts';
import { faultLine } from '../terminal/fault-list.ts';
import { type InitReport, initReport, reportOf } from '../terminal/init-report.ts';
import { near } from '../terminal/near.ts';
import { type Progress, type Step, terminalProgress } from '../terminal/progress.ts';
import { refuseWithoutTable } from './init-tables.ts';

const MEMORY_MB = 2048;

/**
 * Looks at a file of customers, or of their transactions, and writes a program that runs on it, with a model.
 * @throws HF_SOURCE_UNSUITABLE, HF_FILE_EXISTS, HF_WAREHOUSE_UNREADABLE, HF_USAGE, HF_DISK_FULL
 */
export async function init(given: string | undefined, options: InitOptions, io: Io): Promise<number> {
  await refuseWithoutTable(given, options, io);
  const origin = originOf(given, options, io);
  const settings = checked(origin.title, options);
  const places = placesOf(settings, options);
  refuseMissingFolder(places.folder);
  refuseOverwriting([places.manifest, places.modelFile, places.modelManifest], options);
  const scratchFolder = await makeTemporaryFolder('holdfast-init-');
  try {
    const report = await initialise(origin, options, settings, places, scratchFolder, io);
    const text = options.output === 'json' ? `${JSON.stringify(report)}\n` : initReport(report, calledAs(io));
    // The manifest has standard output to itself.
    (places.manifest === undefined ? io.stderr : io.stdout).write(text);
    return 0;
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
}

interface Settings {
  readonly programId: string;
  readonly seed: number;
  readonly horizon: number | undefined;
}

interface Places {
  /** Undefined for standard output. */
  readonly manifest: string | undefined;
  readonly folder: string;
  readonly modelFile: string;
  readonly modelManifest: string;
}

async function initialise(
  origin: Origin,
  options: InitOptions,
  settings: Settings,
  places: Places,
  scratchFolder: string,
  io: Io,
): Promise<InitReport> {
  const cost = await origin.cost?.();
  if (cost !== undefined) io.stderr.write(`note: ${cost}\n`);
  const progress = terminalProgress(io);
  const resources = { threads: Math.min(4, availableParallelism()), memoryMb: MEMORY_MB };
  await using source = await inStep(progress, 'open', async (step) => {
    const opened = await origin.open({ scratchFolder, resources, signal: io.signal });
    step.done(opened.rows, opened.rows);
    return opened;
  });
  const proposed = await interruptible(source.engine, io.signal, () =>
    proposeProgram(source, origin, options, settings, places, progress),
  );
  await save(proposed, places, io);
  const manifest = places.manifest === undefined ? undefined : near(places.manifest);
  return reportOf(proposed.proposal, proposed.model, proposed.program, { manifest, model: near(places.modelFile) });
}

interface Proposed {
  readonly proposal: Proposal;
  readonly model: ProposedModel;
  readonly program: ProposedProgram;
}

async function proposeProgram(
  source: Source,
  origin: Origin,
  options: InitOptions,
  { programId, seed, horizon }: Settings,
  places: Places,
  progress: Progress,
): Promise<Proposed> {
  const proposal = await inStep(progress, 'look', async (step) => {
    const advance = (done: number, total: number) =>
      step.advance(Math.round((source.rows * done) / total), source.rows);
    const looked = await propose(source, { ...options, horizon }, advance);
    step.done(looked.sampled, looked.sampled);
    return looked;
  });
  const model = await inStep(progress, 'model', async (step) => {
    const prepared = await prepareRows(source.engine, proposal);
    const made = await proposeModel(source.engine, proposal, basename(places.modelFile, '.onnx'), randomNumbers(seed));
    step.done(prepared, prepared);
    return made;
  });
  const program = await writeProgram(source.engine, proposal, model, {
    programId,
    title: origin.title,
    modelFile: basename(places.modelFile),
    connector: origin.connector(places.folder),
  });
  await source.check?.(program.query);
  assertValid(program.text, places.manifest ?? 'stdout');
  return { proposal, model, program };
}

/** Runs a step whose line says how it ended. */
async function inStep<Result>(
  progress: Progress,
  name: string,
  work: (step: Step) => Promise<Result>,
): Promise<Result> {
  const step = progress.step(name);
  try {
    return await work(step);
  } catch (error) {
    step.failed();
    throw error;
  }
}

/** The manifest last: where it is, its model is too. */
async function save({ model, program }: Proposed, places: Places, io: Io): Promise<void> {
  await write(places.modelFile, model.bytes);
  await write(places.modelManifest, modelManifestText(model.manifest));
  if (places.manifest === undefined) io.stdout.write(program.text);
  else await write(places.manifest, program.text);
}

function checked(title: string, { name, seed, marketplace, cut, horizon }: InitOptions): Settings {
  if (cut !== undefined && !isDay(cut))
    throw new HoldfastError('HF_USAGE', `--cut ${cut}: give a day such as 2026-09-01`);
  if (horizon !== undefined && !/^[1-9]\d{0,3}$/.test(horizon))
    throw new HoldfastError('HF_USAGE', `--horizon ${horizon}: give a whole number of days, such as 90`);
  if (!/^\d{1,9}$/.test(seed))
    throw new HoldfastError('HF_USAGE', `--seed ${seed}: give a whole number of at most 9 digits`);
  if (!/^[A-Z]{2}$/.test(marketplace)) {
    throw new HoldfastError('HF_USAGE', `--marketplace ${marketplace}: give two capital letters, such as DE`);
  }
  const guessed = slug(title.replace(/\..*$/, ''), 30).replaceAll('_', '-');
  const programId = name ?? `${guessed}-retention`.slice(0, 40);
  if (!/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(programId)) {
    throw new HoldfastError(
      'HF_USAGE',
      `--name ${programId}: give lower-case letters, digits and inner hyphens, at most 40`,
    );
  }
  return { programId, seed: Number(seed), horizon: horizon === undefined ? undefined : Number(horizon) };
}

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function placesOf({ programId }: Settings, { out }: InitOptions): Places {
  const manifest = out === '-' ? undefined : resolve(out);
  const folder = manifest === undefined ? process.cwd() : dirname(manifest);
  const model = join(folder, `${programId}-risk`);
  return { manifest, folder, modelFile: `${model}.onnx`, modelManifest: `${model}.json` };
}

/** Where customers come from. */
interface Origin {
  /** The file, or the table, for people. */
  readonly title: string;
  /** What reading it will take, where that is much. */
  cost?(): Promise<string | undefined>;
  open(options: SourceOptions): Promise<Source>;
  /** What a manifest in a folder says of it. */
  connector(folder: string): Connector;
}

function originOf(file: string | undefined, { table, sheet, connector }: InitOptions, io: Io): Origin {
  if (file !== undefined) return fileOrigin(file, table, sheet);
  if (table === undefined)
    throw new HoldfastError(
      'HF_USAGE',
      `give a file, or a Postgres: ${connectionVariable(connector)} says how to connect, --table SCHEMA.TABLE what to read`,
    );
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(connector)) {
    throw new HoldfastError('HF_USAGE', `--connector ${connector}: give lower-case letters, digits and inner hyphens`);
  }
  const variable = connectionVariable(connector);
  const connection = io.environment[variable];
  return {
    title: table.replace(/^.*\./, ''),
    open: (options) => openPostgresTable(table, connector, connection === '' ? undefined : connection, options),
    connector: () => ({
      connectorId: connector,
      type: 'postgres',
      config: {},
      comments: [`How to connect is in the environment, as ${variable}; on a cluster name a connectionSecretRef.`],
    }),
  };
}

function fileOrigin(file: string, table: string | undefined, sheet: string | undefined): Origin {
  return {
    title: basename(file),
    cost: () => costOfWorkbook(file),
    open: (options) => openFile(file, isDatabase(file) ? table : sheet, true, options),
    connector(folder) {
      const path = relative(folder, resolve(file));
      return {
        connectorId: CONNECTOR_ID,
        type: 'duckdb',
        config: isDatabase(file)
          ? { path }
          : {
              path: asPattern(path),
              table: CONNECTOR_ID,
              ...(sheet === undefined ? {} : { sheet }),
              ...(isOfTexts(file) ? { allVarchar: true } : {}),
            },
        comments: [
          `Relative to this file; another file of the same columns: holdfast run --source ${CONNECTOR_ID}=PATH`,
          ...(isOfTexts(file) ? ['All columns are texts: the query says how days and numbers are written.'] : []),
        ],
      };
    },
  };
}

function refuseMissingFolder(folder: string): void {
  if (existsSync(folder)) return;
  throw new HoldfastError('HF_USAGE', `-o: the folder ${near(folder)} does not exist`);
}

function refuseOverwriting(files: readonly (string | undefined)[], { force }: InitOptions): void {
  if (force === true) return;
  const there = files.filter((file) => file !== undefined && existsSync(file)).map((file) => near(file ?? ''));
  if (there.length === 0) return;
  throw new HoldfastError(
    'HF_FILE_EXISTS',
    `${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already: give another name with -o FILE or --name ID, or --force to replace`,
  );
}

/** A file complete or as it was. */
async function write(file: string, content: string | Buffer): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await writeFile(partial, content);
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new HoldfastError('HF_DISK_FULL', `no room left on the disk for ${near(file)}`, { cause });
    }
    throw new HoldfastError('HF_USAGE', `cannot write ${near(file)} (${code ?? 'unwritable'})`, { cause });
  }
}

/** What is written is valid, or it is not written. */
function assertValid(text: string, file: string): void {
  const faults = loadManifests(text, file).flatMap((document) => validateManifest(document).faults);
  if (faults.length === 0) return;
  throw new HoldfastError(
    'HF_INTERNAL',
    `the proposed program would not be valid: ${faults.slice(0, 5).map(faultLine).join('; ')}`,
  );
}
