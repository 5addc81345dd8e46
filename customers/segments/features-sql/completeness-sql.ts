import type { FeatureSource } from '../features.ts';
import type { SqlDialect } from './dialect.ts';
import { type InputQuery, inputRows, type Snapshot } from './inputs.ts';

/** Rows of an input on one day before the snapshot, or on none that is known. */
export interface DayCounts {
  /** Undefined for rows whose time is missing. */
  readonly day: string | undefined;
  readonly rows: number;
  /** Rows without a value that is one, by column; of `kind` those with a word that nobody knows. */
  readonly missing: Readonly<Record<string, number>>;
  /** Hours from the newest event of the day to the snapshot; a time that is a whole day is as late as its end. */
  readonly hoursBefore: number;
}

/**
 * SQL of a row per day: `day` (a text, NULL without a time), `row_count`, `hours_before`, and `missing_` columns, all doubles.
 * It is over all rows before the snapshot, a few thousand days at most.
 */
export function dayCountsSql(
  source: FeatureSource,
  input: InputQuery,
  snapshot: Snapshot,
  dialect: SqlDialect,
): string {
  const time = timeOf(source);
  const type = input.columns.find(({ name }) => name.toLowerCase() === time)?.type ?? '';
  const isDay = /^date$/i.test(type);
  const day = `DATE '${snapshot.date}'`;
  const hours = isDay
    ? `24 * (${day} - max(CAST(local_time AS date)) - 1)`
    : `extract(epoch FROM CAST(${day} AS timestamp) - max(local_time)) / 3600`;
  const number = (sql: string) => `CAST(${sql} AS double precision)`;
  const missing = [
    ['customer_id', 'customer_id IS NULL'],
    ...(source === 'transactions'
      ? [
          ['amount', 'amount IS NULL'],
          ['kind', 'refunded IS NULL'],
        ]
      : []),
  ].map(([name, when]) => `${number(`count(*) FILTER (WHERE ${when})`)} AS missing_${name}`);
  return `SELECT CAST(CAST(local_time AS date) AS text) AS day, ${number('count(*)')} AS row_count, ${missing.join(', ')}, ${number(hours)} AS hours_before
FROM (
${inputRows(source, input, snapshot, dialect)}
) AS holdfast_rows
WHERE local_time IS NULL OR CAST(local_time AS date) < ${day}
GROUP BY CAST(local_time AS date) ORDER BY 1`;
}

/** A row of `dayCountsSql`, as it comes from a warehouse. */
export function dayCounts(row: Readonly<Record<string, unknown>>): DayCounts {
  const missing = Object.entries(row).filter(([name]) => name.startsWith('missing_'));
  return {
    day: typeof row['day'] === 'string' ? row['day'] : undefined,
    rows: Number(row['row_count']),
    missing: Object.fromEntries(missing.map(([name, count]) => [name.slice('missing_'.length), Number(count)])),
    hoursBefore: row['hours_before'] === null ? Number.POSITIVE_INFINITY : Number(row['hours_before']),
  };
}

/** Which column of an input says when. */
export function timeOf(source: FeatureSource): 'at' | 'since' {
  return source === 'customers' ? 'since' : 'at';
}
