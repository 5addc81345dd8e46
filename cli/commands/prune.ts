import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { readRevision } from '../../contract/revision.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { everyProgram, type RunStanding, runStandings } from '../../database/expiry/retired-runs.ts';
import type { OwnerKey } from '../../database/runs/runs.ts';
import { foreignWarning, type Pruned, pruneProgram, type Retention } from '../../jobs/prune/prune.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';
import type { Io } from '../io.ts';
import { clock } from '../local/clock.ts';
import { forgetProgram } from '../local/current-data.ts';
import { type DataFolder, dataFolder, isDataFolder, lockDataFolder } from '../local/data-folder.ts';
import { requireProgram } from '../local/known-program.ts';
import { revisionPath } from '../local/local-run.ts';
import { pruneSamples } from '../local/sample-files.ts';
import { externalUrl, openHistory, openState, type State } from '../local/state.ts';
import { bytes } from '../terminal/figures.ts';
import { terminalProgress } from '../terminal/progress.ts';
import { pruneText } from '../terminal/prune-report.ts';

export interface PruneOptions {
  readonly data: string;
  readonly output: 'text' | 'json';
  readonly namespace: string;
  readonly all?: boolean;
  readonly deleted?: boolean;
  readonly keepRuns?: string;
  readonly keepDays?: string;
  readonly dryRun?: boolean;
  readonly now?: string;
}

/** What holds where a program says nothing of its own: the defaults of the schema. */
const DEFAULTS = { runs: 10, failedDays: 30 } as const satisfies Retention;
const DEFAULT_DEADLINE_SECONDS = 3600;

/**
 * Deletes what programs no longer need from the state of this machine.
 * @throws HF_NOT_FOUND, HF_USAGE, HF_DATA_LOCKED, HF_INTERRUPTED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export async function prune(program: string | undefined, options: PruneOptions, io: Io): Promise<number> {
  if ((program === undefined) === (options.all !== true)) {
    throw new HoldfastError('HF_USAGE', 'name one program, or give --all');
  }
  const deleted = options.deleted === true;
  if (deleted && program === undefined)
    throw new HoldfastError('HF_USAGE', '--deleted is for one program, by its name');
  const overrides = {
    ...whole('--keep-runs', options.keepRuns, 1, 'runs'),
    ...whole('--keep-days', options.keepDays, 0, 'failedDays'),
  };
  const given = clock(options.now, io);
  const now = () => earlier(given(), io.now());
  const dryRun = options.dryRun === true;
  const folder = dataFolder(options.data);
  const isHere = isDataFolder(folder);
  // What a database has of a deleted program goes from wherever it can be reached.
  if (!isHere && !(deleted && externalUrl(io) !== undefined)) {
    throw new HoldfastError('HF_NOT_FOUND', `there is no state in ${folder.path}`);
  }
  using _lock = isHere ? lockDataFolder(folder) : undefined;
  await using state = dryRun ? await openHistory(folder, io) : await openState(folder, io);
  const programs = await programsOf(state, program, options, folder);

  const results: ({ readonly program: string; readonly namespace: string } & Pruned)[] = [];
  for (const key of programs) {
    if (state === undefined) break;
    const standings = await runStandings(state.database, key, now());
    const spec = await newestSpec(folder, key, standings);
    const reason = elsewhere(key, folder, standings, spec);
    if (reason !== undefined && deleted) io.stderr.write(`warning: ${remnants(key, folder)}\n`);
    else if (reason !== undefined) {
      if (options.all !== true) throw new HoldfastError('HF_NOT_FOUND', reason);
      io.stderr.write(`warning: ${reason}\n`);
      continue;
    }
    const pruned = await pruneOne(state, key, spec, { folder, overrides, now: now(), dryRun, deleted }, io);
    if (deleted && !dryRun && isHere) await forgetProgram(folder.artifacts, key);
    results.push({ namespace: key.namespace, program: key.owner, ...pruned });
    if (pruned.foreign > 0) io.stderr.write(`warning: ${key.owner}: ${foreignWarning(pruned.foreign)}\n`);
    if (options.output === 'text') io.stdout.write(pruneText(key.owner, pruned, dryRun));
  }
  const days = overrides.failedDays ?? DEFAULTS.failedDays;
  const samples = await pruneSamples(folder.samples, { days, now: now(), dryRun });
  if (options.output === 'json') io.stdout.write(`${JSON.stringify({ dryRun, programs: results, samples })}\n`);
  else if (samples.samples > 0) {
    io.stdout.write(`${samples.samples} sample warehouses ${dryRun ? 'would go' : 'gone'}   ${bytes(samples.bytes)}\n`);
  }
  return 0;
}

async function programsOf(
  state: State | undefined,
  program: string | undefined,
  { namespace }: PruneOptions,
  folder: DataFolder,
): Promise<readonly OwnerKey[]> {
  if (state === undefined) {
    throw new HoldfastError('HF_NOT_FOUND', `nothing has run in ${folder.path}`);
  }
  if (program === undefined) return everyProgram(state.database);
  await requireProgram(state.database, { namespace, owner: program }, folder.path);
  return [{ namespace, owner: program }];
}

/** What a person still has to do where the files of a deleted program are elsewhere. */
function remnants({ namespace, owner }: OwnerKey, { path }: DataFolder): string {
  return `the files of ${owner} are not in ${path}: delete the folder ${namespace}/${owner} of the volume that its runs had`;
}

interface How {
  readonly deleted: boolean;
  readonly folder: DataFolder;
  readonly overrides: Partial<Retention>;
  readonly now: Date;
  readonly dryRun: boolean;
}

/**
 * Why a program is not to be pruned from here: what a database knows of runs whose artifacts are elsewhere, on a cluster or
 * under another folder, is for the prune of that place.
 */
function elsewhere(
  { owner }: OwnerKey,
  { path }: DataFolder,
  runs: readonly RunStanding[],
  spec: Partial<RetentionProgramSpec> | undefined,
): string | undefined {
  const left = runs.filter(({ prunedAt }) => prunedAt === undefined);
  if (!left.some(({ onCluster }) => onCluster) && (spec !== undefined || left.length === 0)) return undefined;
  return `${owner} runs elsewhere: its artifacts are not in ${path}; prune it where it runs`;
}

async function pruneOne(
  { database }: State,
  key: OwnerKey,
  spec: Partial<RetentionProgramSpec> | undefined,
  { folder, overrides, now, dryRun, deleted }: How,
  io: Io,
): Promise<Pruned> {
  const step = terminalProgress(io).step('prune');
  try {
    const pruned = await pruneProgram({
      ...key,
      database,
      folders: openFolderStore(folder.artifacts).runFolders,
      retention: { ...DEFAULTS, ...spec?.retention, ...overrides },
      deadlineSeconds: spec?.execution?.deadlineSeconds ?? DEFAULT_DEADLINE_SECONDS,
      now,
      dryRun,
      deleted,
      signal: io.signal,
      progress: (done) => step.advance(done),
    });
    step.done(pruned.candidates + pruned.decisions + pruned.scores, 0);
    return pruned;
  } catch (error) {
    step.failed();
    throw error;
  }
}

/** The program as its newest run that left its revision here knew it. */
async function newestSpec(
  { artifacts }: DataFolder,
  key: OwnerKey,
  runs: readonly { readonly run: string }[],
): Promise<Partial<RetentionProgramSpec> | undefined> {
  for (const [place, { run }] of runs.toReversed().entries()) {
    const file = revisionPath(artifacts, { ...key, run });
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      // Pruned, or run elsewhere: the one before may have it.
      if (error.code === 'ENOENT') return undefined;
      throw new HoldfastError('HF_DATA_FOLDER', `the revision ${file} cannot be read`, { cause: error });
    });
    if (text === undefined) continue;
    const spec = readableSpec(text, file);
    if (place === 0 || spec.retention === undefined) return spec;
    // Decisions cannot be made anew: only the newest run's own word deletes them, never that of an older manifest.
    const { decisionDays: _, ...retention } = spec.retention;
    return { ...spec, retention };
  }
  return undefined;
}

/** @throws HF_ARTIFACT_CORRUPT */
function readableSpec(text: string, file: string): Partial<RetentionProgramSpec> {
  try {
    return readRevision<RetentionProgramSpec>(text).spec;
  } catch (cause) {
    throw new HoldfastError('HF_ARTIFACT_CORRUPT', `the revision ${file} was changed or cut off`, { cause });
  }
}

function whole(
  option: string,
  text: string | undefined,
  least: number,
  field: 'runs' | 'failedDays',
): Partial<Retention> {
  if (text === undefined) return {};
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value >= least) return { [field]: value };
  throw new HoldfastError('HF_USAGE', `${option} ${text}: give a whole number, ${least} or more`);
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
