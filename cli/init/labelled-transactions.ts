import { join } from 'node:path';
import { type Engine, literal } from '../../base/duckdb/engine.ts';
import { REJECTED_BECAUSE } from '../../customers/columns/candidate.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import type { Warehouse } from '../../providers/warehouses/warehouse.ts';
import { LABEL_COLUMN } from './query.ts';
import { daysFrom, plusDays } from './transactions/horizon.ts';
import { outcomeLabel, trainedCut } from './transactions/outcome-label.ts';
import { asOfDay, DAY_COLUMN, FIRST_COLUMN, leastDays, type QueryDays, RECENCY } from './transactions/query-as-of.ts';

/** Customers of a cut, whose label is what they did in the days after it. */
export interface LabelledTransactions {
  /** A SELECT of DuckDB of the program's columns and `holdfast_label`. */
  readonly select: string;
  readonly label: string;
  readonly cut: string;
  readonly horizon: number;
  /** What of it the model has seen; undefined where it has seen nothing. */
  readonly seen: string | undefined;
}

/** What is read, and by which query. */
export interface TransactionSource {
  readonly engine: Engine;
  readonly warehouse: Warehouse;
  readonly query: string;
  readonly days: QueryDays;
  /** The label that the model's JSON has. */
  readonly trainedOn: string;
  /** The file or the table, for people. */
  readonly name: string;
  readonly scratchFolder: string;
  readonly signal: AbortSignal;
}

/**
 * Customers as the program's own query has them one horizon before the newest purchase. Whoever it has with a purchase
 * after that cut, as of the newest day, came back.
 * @throws HF_SOURCE_UNSUITABLE where the source is too short, or older than the model
 */
export async function labelledTransactions(source: TransactionSource): Promise<LabelledTransactions> {
  const { engine, warehouse, query, days, trainedOn, name, scratchFolder, signal } = source;
  const { horizon } = days;
  const [atNewest, atCut] = ['newest.parquet', 'cut.parquet'].map((file) => join(scratchFolder, file)) as [
    string,
    string,
  ];
  await warehouse.extract({ query: asOfDay(query) }, atNewest, { signal });
  const [found] = await engine.rows<{ first: string | null; newest: string | null }>(
    `SELECT CAST(min(${FIRST_COLUMN}) AS VARCHAR) AS first, CAST(max(${DAY_COLUMN}) AS VARCHAR) AS newest FROM read_parquet(${literal(atNewest)})`,
  );
  const [first, newest] = [found?.first, found?.newest];
  if (first == null || newest == null) throw unsuitable(`${name} has no customer with a purchase that has come.`);
  const cut = plusDays(newest, -horizon);
  const trained = trainedCut(trainedOn);
  refuseShort(name, { first, newest, cut }, days, trained);
  if (trained !== undefined && cut < trained) refuseOld(name, newest, trained, horizon);
  await warehouse.extract({ query: asOfDay(query, cut) }, atCut, { signal });
  const returned = `(SELECT customer_id FROM read_parquet(${literal(atNewest)}) WHERE ${RECENCY} < ${horizon})`;
  return {
    select: `SELECT *, CASE WHEN customer_id IN ${returned} THEN 0 ELSE 1 END AS ${LABEL_COLUMN} FROM read_parquet(${literal(atCut)})`,
    label: outcomeLabel({ cut, horizon }),
    cut,
    horizon,
    seen: seenBy(trained, cut, horizon),
  };
}

interface Span {
  readonly first: string;
  readonly newest: string;
  readonly cut: string;
}

function refuseShort(name: string, { first, newest, cut }: Span, { horizon, lookback }: QueryDays, trained = ''): void {
  const history = Math.max(0, daysFrom(first, cut) + 1);
  const least = leastDays(lookback);
  if (history >= least) return;
  const earliest = plusDays(first, least - 1);
  const measurable = plusDays(earliest < trained ? trained : earliest, horizon);
  throw unsuitable(
    `${name} has purchases from ${first} to ${newest}: ${horizon} days before its newest, ${history} days of them are there to look back on, ` +
      `and the model looks back on ${lookback}. Give the whole history; one that begins on ${first} can be measured from ${measurable} on.`,
  );
}

function refuseOld(name: string, newest: string, trained: string, horizon: number): never {
  throw unsuitable(
    `${name} has purchases up to ${newest}: the model was trained on those up to ${plusDays(trained, horizon)}. Give a later file: ` +
      `from ${plusDays(trained, 2 * horizon)} on, all of the ${horizon} days after the cut are new to the model.`,
  );
}

function seenBy(trained: string | undefined, cut: string, horizon: number): string | undefined {
  if (trained === undefined) return undefined;
  const later = plusDays(trained, 2 * horizon);
  if (cut === trained)
    return `it is the cut of the training: the model has seen most of these customers. It can be measured on days that it has not seen from ${later} on`;
  const known = horizon - daysFrom(trained, cut);
  return known <= 0
    ? undefined
    : `of the ${horizon} days after the cut, the model was trained on ${known}: from ${later} on, all of them are new to it`;
}

/** Area under the curve of recency alone, of the rows that are not set apart; NaN where a class is empty. */
export async function recencyAuc(engine: Engine, select: string, isApart: string): Promise<number> {
  const [row] = await engine.rows<{ area: number | null }>(
    `WITH ranked AS (
      SELECT ${LABEL_COLUMN} AS outcome, rank() OVER (ORDER BY ${RECENCY}) + (count(*) OVER (PARTITION BY ${RECENCY}) - 1) / 2 AS place
      FROM (${select}) WHERE NOT ${isApart}
    ), counted AS (SELECT sum(place) FILTER (WHERE outcome = 1) AS places, sum(outcome) AS positives, count(*) - sum(outcome) AS negatives FROM ranked)
    SELECT CAST((places - positives * (positives + 1) / 2) / nullif(positives * negatives, 0) AS DOUBLE) AS area FROM counted`,
  );
  return row?.area ?? Number.NaN;
}

/** Why all rows were set apart, as most of them say. */
export async function mostFrequentReason(engine: Engine, select: string): Promise<string | undefined> {
  const [row] = await engine.rows<{ reason: string | null }>(
    `SELECT CAST(${REJECTED_BECAUSE} AS VARCHAR) AS reason FROM (${select}) GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`,
  );
  return row?.reason ?? undefined;
}
