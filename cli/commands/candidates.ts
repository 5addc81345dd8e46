import { open } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { printable } from '../../base/text/printable.ts';
import { PUBLISHING } from '../../contract/pipelines.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';
import type { StoredCandidate } from '../../customers/columns/stored-columns.ts';
import { ARM_COLUMNS, LIST_COLUMNS, type ListColumn } from '../../customers/contact-list/list-columns.ts';
import { csvList, jsonLines, type ListText, listPieces } from '../../customers/contact-list/list-text.ts';
import { whyNoReasons } from '../../customers/contact-list/words.ts';
import type { Audience } from '../../database/candidates/candidates.ts';
import { countList, totalOf, wholeList } from '../../database/candidates/whole-list.ts';
import { currentRun, findRun, type OwnerKey, type RunRecord } from '../../database/runs/runs.ts';
import type { Io } from '../io.ts';
import { dataFolder } from '../local/data-folder.ts';
import { requireProgram } from '../local/known-program.ts';
import { keptRevision } from '../local/past-run.ts';
import { externalUrl, openRecord, requireState, type State } from '../local/state.ts';
import { candidatesText } from '../terminal/candidates-text.ts';
import { writeWholeFile } from '../terminal/whole-file.ts';
import { writeCandidatesParquet } from './candidates-parquet.ts';

export interface CandidatesOptions {
  readonly data: string;
  readonly namespace: string;
  readonly run?: string;
  readonly risk?: (typeof RISK_LEVELS)[number];
  readonly limit?: string;
  readonly arm?: Exclude<Audience, 'contact'>;
  readonly csv?: boolean;
  readonly json?: boolean;
  readonly parquet?: boolean;
  readonly excel?: boolean;
  readonly idColumn?: string;
  readonly out?: string;
}

type Format = 'text' | 'csv' | 'json' | 'parquet';

/** Customers that are shown to a person who asks for no file. */
const SHOWN = 20;

/**
 * Writes whom to contact of a batch (default: the current one), highest risk first: who is held out, who is offered
 * nothing and what has expired is not in it.
 * @throws HF_USAGE, HF_NOT_FOUND, HF_CURSOR_EXPIRED, HF_DISK_FULL, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export async function candidates(program: string, options: CandidatesOptions, io: Io): Promise<number> {
  const format = formatOf(options);
  const most = limitOf(options.limit, format);
  const columns = columnsOf(options);
  const key = { namespace: options.namespace, owner: program };
  await using state = await openList(options, io);
  const { database } = state;
  const place = externalUrl(io) === undefined ? dataFolder(options.data).path : state.place;
  const batch = await batchOf(database, key, options.run, place);
  const wanted = { batch, audience: options.arm, now: io.now() };
  const counts = await countList(database, wanted);
  warn(batch, totalOf(counts), options, io);
  const pages = wholeList(database, { ...wanted, riskLevel: options.risk, limit: most, signal: io.signal });
  if (format === 'text') {
    const shown: StoredCandidate[] = [];
    for await (const page of pages) shown.push(...page);
    const total = totalOf(counts, options.risk);
    // State in another Postgres may be of runs that are pinned elsewhere.
    const thresholds = await keptRevision(dataFolder(options.data).artifacts, batch).then(
      ({ spec }) => Object.values(spec.riskLevels),
      () => [],
    );
    io.stdout.write(candidatesText({ batch, counts, total, shown, columns, thresholds }));
    return 0;
  }
  if (format === 'parquet') await writeCandidatesParquet(columns, pages, options.out ?? '');
  else
    await writeText(
      format === 'csv' ? csvList(columns, { excel: options.excel === true }) : jsonLines(columns),
      pages,
      options.out,
      io,
    );
  return 0;
}

function formatOf({ csv, json, parquet, excel, out }: CandidatesOptions): Format {
  const asked = [
    ...(csv === true ? ['csv'] : []),
    ...(json === true ? ['json'] : []),
    ...(parquet === true ? ['parquet'] : []),
  ];
  if (asked.length > 1) throw usage(`--${asked.join(' and --')} ask for different files; give one of them`);
  const format = (asked[0] ?? byName(out)) as Format;
  if (excel === true && format !== 'csv') throw usage('--excel goes with --csv');
  if (format === 'text' && out !== undefined) throw usage('--out needs a format: --csv, --parquet or --json');
  if (format === 'parquet' && (out === undefined || out === '-')) throw usage('--parquet needs a file: --out FILE');
  return format;
}

function byName(out: string | undefined): Format {
  const ending = /\.(csv|jsonl|ndjson|parquet)$/i.exec(out ?? '')?.[1]?.toLowerCase();
  if (ending === undefined) return 'text';
  return ending === 'csv' || ending === 'parquet' ? ending : 'json';
}

function limitOf(text: string | undefined, format: Format): number | undefined {
  if (text === undefined) return format === 'text' ? SHOWN : undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw usage(`--limit ${text} is not a whole number from 1`);
}

function columnsOf({ arm, idColumn }: CandidatesOptions): readonly ListColumn[] {
  const columns = [...LIST_COLUMNS, ...(arm === undefined ? [] : ARM_COLUMNS)];
  if (idColumn === undefined) return columns;
  if (idColumn.trim() === '') throw usage('--id-column needs a name');
  const clash = columns.some(({ name }) => name !== 'customer_id' && name.toLowerCase() === idColumn.toLowerCase());
  if (clash) throw usage(`--id-column ${idColumn}: the list has another column of that name`);
  return columns.map((column) => (column.name === 'customer_id' ? { ...column, name: idColumn } : column));
}

function usage(message: string): HoldfastError {
  return new HoldfastError('HF_USAGE', message);
}

async function openList({ data }: CandidatesOptions, io: Io): Promise<State> {
  const folder = dataFolder(data);
  requireState(folder, io);
  const state = await openRecord(folder, io);
  if (state !== undefined) return state;
  throw externalUrl(io) === undefined
    ? new HoldfastError('HF_NOT_FOUND', `nothing has run in ${folder.path}: give --data, or DATABASE_URL`)
    : new HoldfastError(
        'HF_NOT_MIGRATED',
        'the Postgres of DATABASE_URL has no tables of Holdfast: run a program on it',
      );
}

async function batchOf(
  database: State['database'],
  key: OwnerKey,
  run: string | undefined,
  place: string,
): Promise<RunRecord> {
  const batch = run === undefined ? await currentRun(database, key) : await findRun(database, { ...key, run });
  if (batch?.pipeline === PUBLISHING) return batch;
  await requireProgram(database, key, place);
  const what = run === undefined ? `no batch of ${key.owner} has been published` : `${key.owner} has no batch ${run}`;
  throw new HoldfastError('HF_NOT_FOUND', what);
}

/** What a list does not say of itself. */
function warn(batch: RunRecord, total: number, { arm, run }: CandidatesOptions, io: Io): void {
  const tell = (text: string) => io.stderr.write(`warning: ${printable(text)}\n`);
  const stored = batch.stages.find(({ name }) => name === 'store')?.rowsOut ?? 0;
  if (total === 0)
    tell(`${batch.run} has nobody to contact${stored > 0 ? ': its candidates have expired, or get no offer' : ''}`);
  if (arm === 'holdout' || arm === 'all') tell('the list has customers who are held out: never contact them from it');
  if (batch.discardedAt !== undefined)
    tell(`the batch of ${batch.run} was discarded: what it decided counts as no offer`);
  const why = whyNoReasons(batch);
  if (why !== undefined) tell(why);
  if (run !== undefined && batch.phase !== 'Succeeded') tell(`the run ${run} is ${batch.phase}`);
}

/** Lines as a terminal shows them: its escapes come from a shop's data. */
function linesPrintable(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line.replace(/\r$/, '')))
    .join('\n');
}

async function writeText(
  list: ListText,
  pages: AsyncIterable<readonly StoredCandidate[]>,
  out: string | undefined,
  io: Io,
): Promise<void> {
  if (out === undefined || out === '-') {
    const shown = io.stdout.isTTY === true ? linesPrintable : (piece: string) => piece;
    for await (const piece of listPieces(list, pages)) io.stdout.write(shown(piece));
    return;
  }
  await writeWholeFile(out, async (partial) => {
    await using file = await open(partial, 'wx');
    for await (const piece of listPieces(list, pages)) await file.writeFile(piece);
  });
}
