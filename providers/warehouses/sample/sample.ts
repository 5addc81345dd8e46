import { rename, rm } from 'node:fs/promises';
import { type Engine, literal, openEngine } from '../../../base/duckdb/engine.ts';
import { HoldfastError } from '../../../base/errors.ts';
import { AT_RISK, analyticsQuery, WAREHOUSE_SOURCES } from './analytics.ts';
import { BEHAVIOUR_MACROS } from './behaviour.ts';
import { type ChunkTable, chunkName, chunkTables, type Kept, spoilAnalytics, TABLES, TRUTH_TABLES } from './chunk.ts';
import { DEFECTS, IS_TWIN } from './defects.ts';
import { DEPARTURES, HAZARD_JUMPS } from './departures.ts';
import { drawMacros, jumpTable } from './draws.ts';
import { OFFER_JUMPS, PILOT_OFFERS } from './offers.ts';
import { idOf, people } from './people.ts';
import { WEEK_JUMPS } from './weeks.ts';

export interface SampleOptions {
  /** Where the DuckDB database is written; it is complete or absent. */
  readonly file: string;
  /** Rows that the query of the first use case returns from `customer_analytics`, exactly. */
  readonly customers: number;
  /** Same seed, same business. */
  readonly seed: number;
  /** The instant that `customer_analytics` is as of; 65 weeks of history end at its day in UTC. */
  readonly asOf: Date;
  readonly kept: Kept;
  readonly threads: number;
  readonly memoryMb: number;
  readonly scratchFolder: string;
  readonly signal?: AbortSignal;
  /** Rows returned by the query so far, and in all. */
  readonly progress?: (done: number, total: number) => void;
}

/** Customers made at a time: few enough for the memory, enough for every thread to have some. */
const CHUNK: Readonly<Record<Kept, number>> = { mart: 500_000, history: 250_000 };

/** Customers made for each row that the query returns, with some to spare. */
const CUSTOMERS_PER_ROW = 5.9;

/** Where the truth about a warehouse lies that keeps the mart only. */
export const truthOf = (file: string) => file.replace(/(\.duckdb)?$/, '.truth.duckdb');

/**
 * Makes the sample warehouse: a believable subscription business, seeded, of which the query of the first use
 * case returns exactly `customers` rows.
 * @throws HF_INTERRUPTED
 */
export async function makeSampleWarehouse(options: SampleOptions): Promise<void> {
  const { file, kept, threads, memoryMb, scratchFolder } = options;
  const unfinished = `${file}.unfinished`;
  const unfinishedTruth = `${truthOf(file)}.unfinished`;
  await Promise.all([removeDatabase(unfinished), removeDatabase(unfinishedTruth)]);
  const engine = await openEngine({ threads, memoryMb, scratchFolder });
  const interrupt = () => engine.interrupt();
  options.signal?.addEventListener('abort', interrupt);
  try {
    await engine.run(`ATTACH ${literal(unfinished)} AS warehouse`);
    if (kept === 'mart') await engine.run(`ATTACH ${literal(unfinishedTruth)} AS truth`);
    // Nothing depends on the order of rows, and keeping it takes memory.
    await engine.run('SET preserve_insertion_order = false');
    await fill(engine, options);
    await engine.run('DETACH warehouse');
    if (kept === 'mart') await engine.run('DETACH truth');
    else await defineAnalytics(unfinished, options);
    throwIfAborted(options.signal);
    // The warehouse last: where it is, its truth is.
    if (kept === 'mart') await rename(unfinishedTruth, truthOf(file));
    await rename(unfinished, file);
  } catch (cause) {
    throwIfAborted(options.signal, cause);
    throw cause;
  } finally {
    options.signal?.removeEventListener('abort', interrupt);
    engine.close();
    await Promise.all([removeDatabase(unfinished), removeDatabase(unfinishedTruth)]);
  }
}

async function removeDatabase(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(`${file}.wal`, { force: true });
}

function throwIfAborted(signal: AbortSignal | undefined, cause?: unknown): void {
  if (signal?.aborted === true) {
    throw new HoldfastError('HF_INTERRUPTED', 'Interrupted while making the sample warehouse; nothing was kept.', {
      cause,
    });
  }
}

async function fill(engine: Engine, options: SampleOptions): Promise<void> {
  const { customers, seed, asOf, kept, signal, progress } = options;
  await engine.run(drawMacros(seed));
  await engine.run(BEHAVIOUR_MACROS);
  for (const { table, steps, columns } of [OFFER_JUMPS, HAZARD_JUMPS, WEEK_JUMPS]) {
    await engine.run(jumpTable(table, steps, columns));
  }

  let next = 1;
  let rows = 0;
  let returned = 0;
  while (rows < customers) {
    throwIfAborted(signal);
    const until = next + Math.min(CHUNK[kept], Math.ceil((customers - rows) * CUSTOMERS_PER_ROW) + 500);
    const expected = Math.min(customers - rows, (until - next) / CUSTOMERS_PER_ROW);
    await live(engine, { from: next, until, asOf, kept }, signal, (share) =>
      progress?.(Math.floor(rows + share * expected), customers),
    );
    const chunk = await numberReturned(engine, { rows, returned, wanted: customers });
    if (chunk.last !== undefined) await cutAfter(engine, chunk.last, [...TABLES[kept], ...TRUTH_TABLES[kept]]);
    await engine.run(DEFECTS);
    if (kept === 'mart') await engine.run(spoilAnalytics(instantOf(asOf)));
    await append(engine, 'warehouse', TABLES[kept], { asOf, first: next === 1 });
    await append(engine, 'truth', TRUTH_TABLES[kept], { asOf, first: next === 1 });
    next = until;
    rows = chunk.rows;
    returned = chunk.returned;
    progress?.(rows, customers);
  }
}

/** The view of the as-of instant, and the same at any instant, for training. */
async function defineAnalytics(file: string, options: SampleOptions): Promise<void> {
  await using engine = await openEngine({ ...options, file });
  await engine.run(`
    CREATE MACRO customer_analytics_at(instant_of_view) AS TABLE ${analyticsQuery('instant_of_view', WAREHOUSE_SOURCES)};
    CREATE VIEW customer_analytics AS ${analyticsQuery(instantOf(options.asOf), WAREHOUSE_SOURCES)}`);
}

const instantOf = (asOf: Date) => `TIMESTAMP '${asOf.toISOString().slice(0, 19).replace('T', ' ')}'`;

/** Makes the customers [from, until) and all they did, in temporary tables. */
async function live(
  engine: Engine,
  { from, until, asOf, kept }: { readonly from: number; readonly until: number } & Pick<SampleOptions, 'asOf' | 'kept'>,
  signal: AbortSignal | undefined,
  progress: (share: number) => void,
): Promise<void> {
  const day = `DATE '${asOf.toISOString().slice(0, 10)}'`;
  const statements = [
    people(from, until),
    PILOT_OFFERS,
    DEPARTURES,
    ...chunkTables(kept, { day, instant: instantOf(asOf) }),
  ];
  for (const [done, statement] of statements.entries()) {
    throwIfAborted(signal);
    await engine.run(statement);
    progress((done + 1) / statements.length);
  }
}

interface Returned {
  /** Rows of the query so far, twins counted twice. */
  readonly rows: number;
  /** Customers of the query so far. */
  readonly returned: number;
  /** Number of the customer whose row is the last wanted one, if it is in this chunk. */
  readonly last?: number;
}

/** Numbers the customers that the query returns, as `returned`, up to the wanted number of rows. */
async function numberReturned(
  engine: Engine,
  before: { readonly rows: number; readonly returned: number; readonly wanted: number },
): Promise<Returned> {
  await engine.run(`
    CREATE OR REPLACE TEMP TABLE returned AS
    WITH numbered AS (
      SELECT i, customer_id, login_frequency, subscription_tenure, row_number() OVER (ORDER BY i) + ${before.returned} AS returned_number
      FROM ${chunkName('customer_analytics')} JOIN people USING (customer_id)
      WHERE ${AT_RISK}
    ),
    counted AS (
      SELECT *, ${IS_TWIN} AS twin,
        ${before.rows} + sum(1 + (${IS_TWIN})::INTEGER) OVER (ORDER BY i) AS rows_so_far
      FROM numbered
    )
    -- A twin that would be one row too many stays single.
    SELECT * REPLACE (twin AND rows_so_far <= ${before.wanted} AS twin, least(rows_so_far, ${before.wanted}) AS rows_so_far)
    FROM counted WHERE rows_so_far - twin::INTEGER <= ${before.wanted}`);
  const [end] = await engine.rows<{ rows: number | null; returned: number | null; last: number | null }>(`
    SELECT max(rows_so_far)::INTEGER AS rows, max(returned_number)::INTEGER AS returned, max(i)::INTEGER AS last FROM returned`);
  const rows = end?.rows ?? before.rows;
  const returned = end?.returned ?? before.returned;
  return rows === before.wanted && end?.last != null ? { rows, returned, last: end.last } : { rows, returned };
}

/** Forgets the customers after the last one wanted. */
async function cutAfter(engine: Engine, last: number, tables: readonly ChunkTable[]): Promise<void> {
  for (const table of tables) {
    await engine.run(
      `DELETE FROM ${chunkName(table)} WHERE customer_id IN (SELECT customer_id FROM people WHERE i > ${last})`,
    );
  }
}

async function append(
  engine: Engine,
  database: 'warehouse' | 'truth',
  tables: readonly ChunkTable[],
  { asOf, first }: { readonly asOf: Date; readonly first: boolean },
): Promise<void> {
  for (const table of tables) {
    const select = `SELECT * REPLACE (${idOf('customer_id', asOf)} AS customer_id) FROM ${chunkName(table)}`;
    await engine.run(
      first ? `CREATE TABLE ${database}.${table} AS ${select}` : `INSERT INTO ${database}.${table} ${select}`,
    );
  }
}
