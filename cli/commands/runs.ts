import { HoldfastError } from '../../base/errors.ts';
import { rfc3339Second } from '../../base/instant.ts';
import { parseSchedule } from '../../base/schedules/index.ts';
import { PUBLISHING, pipelinesOf, scheduleOf } from '../../contract/pipelines.ts';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { programsOfRun } from '../../database/batches/discard.ts';
import { listPrograms } from '../../database/runs/programs.ts';
import type { RunWarning } from '../../database/runs/run-warnings.ts';
import {
  currentRun,
  findRun,
  hasProgram,
  listRuns,
  type OwnerKey,
  type RunRecord,
  storedCounts,
} from '../../database/runs/runs.ts';
import type { Io } from '../io.ts';
import { dataFolder } from '../local/data-folder.ts';
import { refuseNamespace, requireProgram } from '../local/known-program.ts';
import { keptRevision } from '../local/past-run.ts';
import { openRecord, requireState, type State } from '../local/state.ts';
import { age, inColumns, took } from '../terminal/columns.ts';

export interface RunsOptions {
  readonly data: string;
  readonly namespace: string;
  readonly output: 'text' | 'wide' | 'json';
}

/** Runs of each program that are shown. */
const MOST_RUNS = 20;
const MOST_PROGRAMS = 1000;
const NONE = '<none>';

/** A run as `--output json` gives it. */
interface RunLine {
  readonly namespace: string;
  readonly program: string;
  readonly run: string;
  readonly pipeline: string;
  readonly slot: string;
  readonly phase: string;
  /** Whether its batch is the current one. */
  readonly current: boolean;
  readonly trigger: string;
  /** The run that it is a retry of. */
  readonly retryOf: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly seconds: number | null;
  /** Stored, those held out as well; null before that. */
  readonly candidates: number | null;
  readonly heldOut: number | null;
  /** Of the candidates, as `holdfast candidates` lists them; null also where a version before this one stored them. */
  readonly toContact: number | null;
  /** When somebody said that its batch was never sent. */
  readonly discardedAt: string | null;
  /** Those of stages that it reused as well. */
  readonly warnings: readonly RunWarning[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/**
 * Lists the newest runs of a program, or of every one of a namespace; or one by its name, with what it warned of.
 * @throws HF_NOT_FOUND, HF_USAGE, HF_DATABASE_UNREACHABLE, HF_DATABASE_REFUSED, HF_DATABASE_FAILED
 */
export async function runs(name: string | undefined, options: RunsOptions, io: Io): Promise<number> {
  await using state = await openRuns(options, io);
  const lines: RunLine[] = [];
  const only = await runOf(state, name, options);
  if (only !== undefined) lines.push(lineOf(only, (await currentRun(state.database, only))?.run));
  for (const key of only === undefined ? await programsOf(state, name, options) : []) {
    const current = await currentRun(state.database, key);
    for (const record of await listRuns(state.database, { ...key, limit: MOST_RUNS })) {
      lines.push(lineOf(record, current?.run));
    }
  }
  const now = io.now();
  const isWide = options.output === 'wide';
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ runs: lines })}\n`
      : inColumns(
          [
            'RUN',
            'SLOT',
            'PHASE',
            'CURRENT',
            ...COUNTED,
            'DURATION',
            'AGE',
            ...(isWide ? ['PIPELINE', 'TRIGGER', 'RETRY OF', 'START', 'END'] : []),
            'WARNINGS',
            'REASON',
          ],
          lines.map((line) => [
            line.run,
            line.slot,
            line.phase,
            line.current ? '*' : '',
            ...counted(line),
            line.seconds === null ? NONE : took(line.seconds),
            age(now.getTime() - Date.parse(line.startedAt)),
            ...(isWide
              ? [line.pipeline, line.trigger, line.retryOf ?? NONE, line.startedAt, line.finishedAt ?? NONE]
              : []),
            String(line.warnings.length),
            reasonOf(line, isWide),
          ]),
        ) + (only?.warnings ?? []).map(({ code, message }) => `warning: ${code}: ${message}\n`).join(''),
  );
  return 0;
}

/** A program as `--output json` gives it. */
interface ProgramLine {
  readonly namespace: string;
  readonly program: string;
  readonly current: RunLine | null;
  /** Of the batch, as is the next slot. */
  readonly last: RunLine | null;
  readonly nextSlot: string | null;
  /** Those that have run or have a schedule. */
  readonly pipelines: readonly PipelineLine[];
}

interface PipelineLine {
  readonly pipeline: string;
  readonly last: RunLine | null;
  /** By the program of the last batch; null where that is not on this machine, or has no schedule for it. */
  readonly nextSlot: string | null;
}

/**
 * Says of a program, or of every one of a namespace, which batch is current, and of each pipeline how the last run ended and
 * when the next is due.
 * @throws as `runs`
 */
export async function status(program: string | undefined, options: RunsOptions, io: Io): Promise<number> {
  await using state = await openRuns(options, io);
  const now = io.now();
  const lines: ProgramLine[] = [];
  for (const key of await programsOf(state, program, options)) lines.push(await programLine(state, key, options, now));
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ programs: lines })}\n`
      : programsTable(lines, options.output === 'wide', now),
  );
  return 0;
}

async function programLine({ database }: State, key: OwnerKey, options: RunsOptions, now: Date): Promise<ProgramLine> {
  const current = await currentRun(database, key);
  const lastOf = async (pipeline: string) => (await listRuns(database, { ...key, limit: 1, pipeline }))[0];
  const batch = await lastOf(PUBLISHING);
  const spec = batch && (await specOf(batch, options));
  const pipelines: PipelineLine[] = [];
  for (const pipeline of Object.keys(pipelinesOf('program'))) {
    const last = pipeline === PUBLISHING ? batch : await lastOf(pipeline);
    const schedule = spec && scheduleOf(pipeline, spec)?.schedule;
    if (last === undefined && schedule === undefined && pipeline !== PUBLISHING) continue;
    const next = schedule === undefined ? undefined : parseSchedule(schedule, spec?.timeZone ?? 'UTC').next(now);
    pipelines.push({
      pipeline,
      last: last === undefined ? null : lineOf(last, current?.run),
      nextSlot: next === undefined ? null : rfc3339Second(next),
    });
  }
  const published = pipelines.find(({ pipeline }) => pipeline === PUBLISHING);
  return {
    namespace: key.namespace,
    program: key.owner,
    current: current === undefined ? null : lineOf(current, current.run),
    last: published?.last ?? null,
    nextSlot: published?.nextSlot ?? null,
    pipelines,
  };
}

function programsTable(programs: readonly ProgramLine[], isWide: boolean, now: Date): string {
  const since = (instant: string | undefined) =>
    instant === undefined ? NONE : age(now.getTime() - Date.parse(instant));
  const heading = ['PROGRAM', 'PIPELINE', 'SLOT', ...COUNTED, 'LAST', 'AGE', 'NEXT'];
  return inColumns(
    [...heading, ...(isWide ? ['CURRENT', 'LAST RUN'] : []), 'REASON'],
    programs.flatMap(({ program, current, pipelines }) =>
      pipelines.map(({ pipeline, last, nextSlot }) => {
        const published = pipeline === PUBLISHING ? current : null;
        return [
          program,
          pipeline,
          published?.slot ?? NONE,
          ...counted(published),
          last?.phase ?? NONE,
          since(last?.startedAt),
          nextSlot ?? '<unknown>',
          ...(isWide ? [published?.run ?? NONE, last?.run ?? NONE] : []),
          last === null ? '' : reasonOf(last, isWide),
        ];
      }),
    ),
  );
}

/** @throws HF_NOT_FOUND where nothing has run */
async function openRuns({ data }: RunsOptions, io: Io): Promise<State> {
  const folder = dataFolder(data);
  requireState(folder, io);
  const state = await openRecord(folder, io);
  if (state !== undefined) return state;
  throw new HoldfastError('HF_NOT_FOUND', `nothing has run in ${folder.path}: give --data, or DATABASE_URL`);
}

/** A run by its name, where no program is called so. */
async function runOf(
  { database }: State,
  name: string | undefined,
  { namespace }: RunsOptions,
): Promise<RunRecord | undefined> {
  if (name === undefined || (await hasProgram(database, { namespace, owner: name }))) return undefined;
  const [program, another] = await programsOfRun(database, { namespace, run: name });
  if (another !== undefined) {
    throw new HoldfastError('HF_USAGE', `${name} is a run of ${program} and of ${another}: list those of a program`);
  }
  return program === undefined ? undefined : await findRun(database, { namespace, owner: program, run: name });
}

async function programsOf(
  { database, place }: State,
  program: string | undefined,
  { namespace }: RunsOptions,
): Promise<readonly OwnerKey[]> {
  if (program === undefined) {
    const programs = await listPrograms(database, { namespaces: [namespace], limit: MOST_PROGRAMS });
    if (programs.length === 0) await refuseNamespace(database, namespace, place);
    return programs.map(({ namespace: own, program: owner }) => ({ namespace: own, owner }));
  }
  await requireProgram(database, { namespace, owner: program }, place);
  return [{ namespace, owner: program }];
}

function lineOf(record: RunRecord, current: string | undefined): RunLine {
  const { namespace, owner, run, pipeline, slot, phase, trigger, startedAt, finishedAt, discardedAt, error } = record;
  const stored = record.stages.find(({ name }) => name === 'store');
  const toContact = stored?.counts['toContact'];
  return {
    namespace,
    program: owner,
    run,
    pipeline,
    slot: rfc3339Second(slot),
    phase,
    current: run === current,
    trigger,
    retryOf: record.retryOf ?? null,
    startedAt: rfc3339Second(startedAt),
    finishedAt: finishedAt === undefined ? null : rfc3339Second(finishedAt),
    seconds: record.seconds ?? null,
    candidates: stored === undefined ? null : stored.rowsOut,
    heldOut: stored === undefined ? null : (storedCounts(record, 'arms')?.['holdout'] ?? null),
    toContact: typeof toContact === 'number' ? toContact : null,
    discardedAt: discardedAt === undefined ? null : rfc3339Second(discardedAt),
    warnings: record.warnings,
    error: error ?? null,
  };
}

/** The program that a run was pinned to, where its artifacts are here. */
async function specOf(record: RunRecord, { data }: RunsOptions): Promise<RetentionProgramSpec | undefined> {
  return await keptRevision(dataFolder(data).artifacts, record).then(
    ({ spec }) => spec,
    () => undefined,
  );
}

const COUNTED = ['CANDIDATES', 'HELD OUT', 'TO CONTACT'];

function counted(line: RunLine | null): readonly string[] {
  return [line?.candidates, line?.heldOut, line?.toContact].map((count) => (count == null ? NONE : String(count)));
}

/** The code of a failure; the sentence too where there is room for it. */
function reasonOf({ error, discardedAt }: RunLine, isWide: boolean): string {
  if (discardedAt !== null) return 'Discarded';
  if (error === null) return '';
  return isWide ? `${error.code}: ${error.message}` : error.code;
}
