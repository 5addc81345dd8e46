import { rm } from 'node:fs/promises';
import { type Engine, identifier, literal, timestamp } from '../../base/duckdb/engine.ts';
import { parquetColumns } from '../../base/duckdb/parquet.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Counts } from '../../contract/counts.ts';
import { told } from '../../contract/warning.ts';
import { CANDIDATE_COLUMNS } from '../../customers/columns/candidate.ts';
import { customerIdInDuckdb, MISSING_IF_REPEATED } from '../../customers/columns/customer-id.ts';
import { namesTotal } from '../../customers/columns/total-words.ts';
import { currentRun, type SourceTypes } from '../../database/runs/runs.ts';
import { inStage, withEngine } from '../run/in-stage.ts';
import { type Parts, writeParts } from '../run/parts.ts';
import type { StageResult } from '../run/stage.ts';
import type { BatchContext, BatchStage } from './batch-stage.ts';
import { goesNoFurther, type RawExtract, typedRows } from './candidate-rows.ts';
import { churnSignals, signalThresholds } from './churn-signals.ts';
import { type ExtractSize, failedGate } from './extract-gates.ts';
import { canonicalNames, neededColumns } from './needed-columns.ts';
import { queryWarnings } from './query-warnings.ts';
import { type ConnectorFiles, readConnectors } from './read-connectors.ts';

/** What the current batch of the program was made from; undefined before the first. */
export type LastExtract = (context: BatchContext) => Promise<
  | {
      readonly rows: number;
      readonly fingerprint?: number;
      readonly sources?: SourceTypes;
      readonly run: string;
      readonly slot: Date;
    }
  | undefined
>;

/**
 * Reads the customers of every connector, gives each column its type, sets bad rows apart with their reasons,
 * and derives the churn signals. Parts, all sorted, so that the same rows make the same files:
 * `candidates.parquet`, `rejects.parquet`, and `offers.parquet` (past offers to these customers).
 * @throws HF_REJECTS_OVER_THRESHOLD, HF_EXTRACT_EMPTY, HF_EXTRACT_COLLAPSED, HF_COLUMN_MISSING, HF_QUERY_REFUSED,
 *   HF_WAREHOUSE_UNREADABLE, HF_PROVIDER_UNAVAILABLE, HF_DISK_FULL, HF_INTERRUPTED
 */
export const extract: BatchStage = (context) => extractCandidates(context, extractOfCurrent);

/** The stage with its knowledge of the last batch given. */
export async function extractCandidates(context: BatchContext, lastExtract: LastExtract): Promise<StageResult> {
  return writeParts(context, 'extract', async (parts) => {
    const last = await lastExtract(context);
    const earlier = last?.sources === undefined ? undefined : { run: last.run, sources: last.sources };
    const files = await inStage('extract', () => readConnectors(context, earlier));
    const { size, counts, totals, doubts } = await withEngine(context, 'extract', (engine) =>
      writeRows(parts, engine, context, files),
    );
    const failure = failedGate({ ...size, last: last?.rows }, context.spec.quality);
    if (failure !== undefined) throw await withRejects(failure, size.rejected, parts, context);
    const { rows: rowsIn, good: rowsOut } = size;
    const artifact = await parts.commit({ rows: rowsOut, counts });
    context.progress(rowsIn, rowsIn);
    await Promise.all(files.extracts.map(({ file }) => rm(file, { force: true })));
    const warnings = [
      ...files.warnings,
      ...told('SOURCE_DOUBTFUL', doubts),
      ...told('SOURCE_TOTAL', totals),
      ...told('SOURCE_UNCHANGED', unchanged(counts, last, context)),
    ];
    const { sources } = files;
    return { rowsIn, rowsOut, counts, artifact, sources, ...(warnings.length === 0 ? {} : { warnings }) };
  });
}

async function extractOfCurrent({ database, identity }: BatchContext) {
  const current = database === undefined ? undefined : await currentRun(database, identity);
  const report = current?.stages.find(({ name }) => name === 'extract');
  if (current === undefined || report === undefined) return undefined;
  const { fingerprint } = report.counts ?? {};
  const known = typeof fingerprint === 'number' ? { fingerprint } : {};
  const { sources } = report;
  return {
    rows: report.rowsOut,
    ...known,
    ...(sources === undefined ? {} : { sources }),
    run: current.run,
    slot: current.slot,
  };
}

/** Rows that did not change from one slot to the next are most likely an export that nobody has written anew. */
function unchanged(
  { fingerprint }: Counts,
  last: Awaited<ReturnType<LastExtract>>,
  { identity }: BatchContext,
): string[] {
  if (last?.fingerprint !== fingerprint || last === undefined || last.slot >= identity.slot) return [];
  return [
    `Every customer reads as in the batch of ${last.slot.toISOString().slice(0, 10)} (${last.run}): has the source been written anew since then?`,
  ];
}

interface Written {
  readonly size: Omit<ExtractSize, 'last'>;
  readonly counts: Counts;
  readonly totals: readonly string[];
  /** What the queries warn of. */
  readonly doubts: readonly string[];
}

async function writeRows(parts: Parts, engine: Engine, context: BatchContext, files: ConnectorFiles): Promise<Written> {
  const { columns, doubts } = await defineRows(engine, context, files);
  await markBadRows(engine);
  const [candidates, rejects] = [parts.path('candidates.parquet'), parts.path('rejects.parquet')];
  const good = await parts.write(engine, 'candidates.parquet', goodRows(columns, context));
  const rejected = await parts.write(engine, 'rejects.parquet', BAD_ROWS);
  await parts.write(engine, 'offers.parquet', offersTo(candidates, files.offers));
  const rows = files.extracts.reduce((sum, extracted) => sum + extracted.rows, 0);
  if (good + rejected !== rows) {
    throw new HoldfastError(
      'HF_INTERNAL',
      `Stage extract read ${rows} rows and wrote ${good} good and ${rejected} bad ones.`,
    );
  }
  const { fingerprint, totals } = await lookOver(engine, candidates);
  const counts = { rejected, reasons: await reasonCounts(engine, rejects), fingerprint };
  return { size: { rows, rejected, reasons: counts.reasons, good }, counts, doubts, totals };
}

/**
 * Makes `typed_rows`, the rows of all connectors, and `typed_doubtful_rows`, those of them in the table `doubtful`; resolves to
 * their columns, those of the candidate first, and what the queries warn of.
 */
async function defineRows(
  engine: Engine,
  context: BatchContext,
  { extracts }: ConnectorFiles,
): Promise<{ readonly columns: string[]; readonly doubts: string[] }> {
  const needed = neededColumns(context.spec);
  const found = new Set<string>();
  const raws: RawExtract[] = [];
  for (const [index, { connectorId, file }] of extracts.entries()) {
    const columns = await parquetColumns(engine, file);
    const names = canonicalNames(
      columns.map(({ name }) => name),
      needed,
    );
    for (const name of names.values()) if (!goesNoFurther({ name })) found.add(name);
    raws.push({ connectorId, file, columns, names, index, marketplaces: context.spec.marketplaces });
  }
  await engine.run('CREATE TEMP TABLE doubtful (holdfast_index INTEGER, holdfast_position BIGINT)');
  for (const [view, within] of [['typed_rows'], ['typed_doubtful_rows', 'doubtful']] as const) {
    const selects = raws.map((raw) => typedRows(raw, within));
    await engine.run(`CREATE TEMP VIEW ${view} AS ${selects.join('\nUNION ALL BY NAME\n')}`);
  }
  const ordered = CANDIDATE_COLUMNS.map(({ name }) => name as string).filter((name) => found.has(name));
  const doubts = [];
  for (const raw of raws) doubts.push(...(await queryWarnings(engine, raw)));
  return { columns: [...ordered, ...[...found].filter((name) => !ordered.includes(name))], doubts };
}

/**
 * Makes `bad`: rows that cannot be read, and of the rows of one customer all but the first good one, whatever order they
 * came in. Reasons, and the row as text, are made of the few that need them.
 */
async function markBadRows(engine: Engine): Promise<void> {
  await engine.run(`
    CREATE TEMP TABLE looked_at AS
    SELECT holdfast_index, holdfast_position, customer_id, holdfast_is_bad FROM typed_rows`);
  await engine.run(`
    INSERT INTO doubtful
    SELECT holdfast_index, holdfast_position FROM looked_at WHERE holdfast_is_bad OR customer_id IN (
      SELECT customer_id FROM looked_at GROUP BY customer_id HAVING count(customer_id) > 1)`);
  await engine.run('DROP TABLE looked_at');
  await engine.run(`
    CREATE TEMP TABLE bad AS
    WITH judged AS (
      SELECT *, customer_id IS NOT NULL AND count(*) OVER (PARTITION BY customer_id) > 1 AS is_repeated,
        row_number() OVER (PARTITION BY customer_id ORDER BY holdfast_is_bad, holdfast_index, holdfast_row) AS place
      FROM typed_doubtful_rows)
    SELECT holdfast_index, holdfast_position, customer_id, source, holdfast_row,
      list_concat(holdfast_reasons, CASE
        WHEN is_repeated AND ${STANDS_FOR_MISSING} THEN ['customer_id missing']
        WHEN is_repeated AND place > 1 THEN ['customer_id duplicate']
        ELSE [] END) AS holdfast_why
    FROM judged WHERE len(holdfast_why) > 0`);
}

const STANDS_FOR_MISSING = `customer_id IN (${MISSING_IF_REPEATED.map(literal).join(', ')})`;

function goodRows(columns: readonly string[], { spec: program, identity }: BatchContext): string {
  const given = new Set(columns);
  const kept = columns.filter((name) => name !== 'segment' && name !== 'segment_risk').map(identifier);
  // What is the same for all, and lists, are added after the sort, which would carry them along.
  return `
    SELECT ${kept.join(', ')},
      ${churnSignals(signalThresholds(program), given)} AS churn_signals,
      ${given.has('segment') ? 'segment' : 'CAST(NULL AS VARCHAR)'} AS segment,
      ${given.has('segment_risk') ? 'segment_risk' : 'CAST(NULL AS DOUBLE)'} AS segment_risk,
      source,
      ${timestamp(identity.slot)} AS extracted_at
    FROM (
      SELECT ${[...columns.map(identifier), 'source'].join(', ')}
      FROM typed_rows ANTI JOIN bad USING (holdfast_index, holdfast_position)
      ORDER BY customer_id)`;
}

const BAD_ROWS = `
  SELECT customer_id, source, holdfast_why AS reasons, holdfast_row AS row
  FROM bad
  ORDER BY ALL`;

/**
 * A number of 48 bits that other candidates would hardly have, whatever their order, and a warning of a line of sums below the
 * customers, which nothing leaves out.
 */
async function lookOver(
  engine: Engine,
  candidates: string,
): Promise<{ readonly fingerprint: number; readonly totals: readonly string[] }> {
  const [row] = await engine.rows<{ fingerprint: string; totals: string }>(`
    SELECT coalesce(bit_xor(hash(rows_read) & 281474976710655), 0) AS fingerprint,
      count(*) FILTER (${namesTotal('rows_read.customer_id')}) AS totals
    FROM (SELECT * EXCLUDE (extracted_at) FROM read_parquet(${literal(candidates)})) AS rows_read`);
  const totals = Number(row?.totals);
  const sentence = `customer_id names a total in ${totals} of the rows: if that is a line of sums, take it out of the source.`;
  return { fingerprint: Number(row?.fingerprint), totals: totals === 0 ? [] : [sentence] };
}

/** Past offers to the customers of the batch; other people's are nobody's business here. */
function offersTo(candidates: string, offers: string | undefined): string {
  if (offers === undefined) {
    return `SELECT CAST(NULL AS VARCHAR) AS customer_id, CAST(NULL AS VARCHAR) AS program_id,
      CAST(NULL AS TIMESTAMP) AS offered_at WHERE false`;
  }
  return `
    SELECT customer_id, program_id, offered_at
    FROM (SELECT * REPLACE (${customerIdInDuckdb('customer_id', 'VARCHAR').id} AS customer_id) FROM read_parquet(${literal(offers)}))
    SEMI JOIN (SELECT customer_id FROM read_parquet(${literal(candidates)})) USING (customer_id)
    ORDER BY ALL`;
}

async function reasonCounts(engine: Engine, rejects: string): Promise<Record<string, number>> {
  const rows = await engine.rows<{ reason: string; count: string }>(`
    SELECT reason, count(*) AS count FROM (SELECT unnest(reasons) AS reason FROM read_parquet(${literal(rejects)}))
    GROUP BY reason ORDER BY reason`);
  return Object.fromEntries(rows.map(({ reason, count }) => [reason, Number(count)]));
}

/** A failed extract leaves no artifact, but a person must be able to read what was wrong with the rows. */
async function withRejects(failure: HoldfastError, rejected: number, parts: Parts, { dryRun }: BatchContext) {
  if (rejected === 0 || dryRun) return failure;
  const kept = await parts.keep('rejects.parquet');
  return new HoldfastError(failure.code, `${failure.message} The rejected rows and their reasons are in ${kept}`);
}
