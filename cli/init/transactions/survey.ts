import type { Engine } from '../../../base/duckdb/engine.ts';
import { readingFrom } from '../../../providers/warehouses/duckdb/failure.ts';
import { joined } from '../reading.ts';
import { CONNECTOR_ID, type Source } from '../source.ts';
import type { Rhythm } from './horizon.ts';
import type { TransactionPlan } from './plan.ts';
import { boughtTables, REPEATED } from './query.ts';

/** What the rows of a table of transactions are, in figures of the whole of it. */
export interface Survey extends Rhythm {
  readonly rows: number;
  /** Rows without a customer. */
  readonly guests: number;
  readonly customers: number;
  /** Rows of customers that are purchases: those of guests count as `guests` only. */
  readonly purchases: number;
  /** Rows of customers that are below zero, or marked as having come back. */
  readonly refunds: number;
  /** Rows of customers that are for nothing, or marked as called off, and those of anybody without an amount. */
  readonly free: number;
  readonly withoutAmount: number;
  readonly withoutDay: number;
  /** Rows of a day that is yet to come. */
  readonly future: number;
  /** Rows of the customer who has most. */
  readonly mostRows: number;
  /** Baskets of several rows, and those of them whose rows all have the same amount. */
  readonly severalRows: number;
  readonly sameAmount: number;
  /** Purchases beyond the first of the same customer, day, basket and amount. */
  readonly repeated: number;
  /** Different days of purchases. */
  readonly days: number;
}

const ANSWER = 'holdfast_survey';

/** Asks the source itself, in its own SQL. */
export async function survey(source: Source, plan: TransactionPlan): Promise<Survey> {
  const come = 'is_purchase AND day <= current_date';
  const query = [
    ...joined([
      ...boughtTables(plan),
      {
        comments: [],
        lines: [
          'gaps AS (SELECT day - lag(day) OVER (PARTITION BY customer ORDER BY day) AS days_between',
          `  FROM (SELECT DISTINCT customer, day FROM bought WHERE customer IS NOT NULL AND ${come}) AS each_day_once)`,
        ],
      },
      {
        comments: [],
        lines: [
          'of_customer AS (SELECT count(*) AS row_count FROM bought WHERE customer IS NOT NULL GROUP BY customer)',
        ],
      },
      {
        comments: [],
        lines: [
          'of_basket AS (SELECT count(*) AS row_count, min(amount) AS least, max(amount) AS most FROM bought GROUP BY customer, basket)',
        ],
      },
    ]),
    'SELECT',
    '  count(*) AS row_count,',
    '  count(*) FILTER (WHERE customer IS NULL) AS guests,',
    `  count(DISTINCT customer) FILTER (WHERE ${come}) AS customers,`,
    `  count(*) FILTER (WHERE customer IS NOT NULL AND ${come}) AS purchases,`,
    '  count(*) FILTER (WHERE customer IS NOT NULL AND amount < 0) AS refunds,',
    '  count(*) FILTER (WHERE customer IS NOT NULL AND amount = 0) AS free,',
    '  count(*) FILTER (WHERE amount IS NULL) AS without_amount,',
    '  count(*) FILTER (WHERE day IS NULL) AS without_day,',
    '  count(*) FILTER (WHERE day > current_date) AS future,',
    `  CAST(min(day) FILTER (WHERE ${come}) AS VARCHAR) AS first_day,`,
    `  CAST(max(day) FILTER (WHERE ${come}) AS VARCHAR) AS newest_day,`,
    `  count(DISTINCT day) FILTER (WHERE ${come}) AS days,`,
    '  (SELECT count(days_between) FROM gaps) AS gaps,',
    '  (SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY days_between) FROM gaps) AS most_gaps,',
    '  (SELECT max(row_count) FROM of_customer) AS most_rows,',
    `  (${REPEATED}) AS repeated,`,
    '  (SELECT count(*) FROM of_basket WHERE row_count > 1) AS several_rows,',
    '  (SELECT count(*) FROM of_basket WHERE row_count > 1 AND least = most) AS same_amount',
    'FROM bought',
  ].join('\n');
  const { engine } = source;
  await source.answer(query, ANSWER);
  const [row] = await readingFrom(CONNECTOR_ID, 'count its purchases', () => surveyed(engine));
  const number = (name: string) => Number(row?.[name] ?? 0);
  return {
    rows: number('row_count'),
    guests: number('guests'),
    customers: number('customers'),
    purchases: number('purchases'),
    refunds: number('refunds'),
    free: number('free'),
    withoutAmount: number('without_amount'),
    withoutDay: number('without_day'),
    future: number('future'),
    first: row?.['first_day'] ?? '',
    newest: row?.['newest_day'] ?? '',
    days: number('days'),
    gaps: number('gaps'),
    mostGaps: Math.ceil(number('most_gaps')),
    mostRows: number('most_rows'),
    severalRows: number('several_rows'),
    sameAmount: number('same_amount'),
    repeated: number('repeated'),
  };
}

async function surveyed(engine: Engine): Promise<Record<string, string | null>[]> {
  const rows = await engine.rows<Record<string, string | null>>(`SELECT * FROM ${ANSWER}`);
  await engine.run(`DROP TABLE ${ANSWER}`);
  return rows;
}
