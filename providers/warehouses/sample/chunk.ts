import { analyticsQuery, SOURCES, type Sources } from './analytics.ts';
import { IS_SPOILED } from './defects.ts';
import { pastOffers } from './offers.ts';
import { truthAt, truthTables } from './truth.ts';
import { HISTORY_DAYS, sessions, tickets, transactions, WEEKS } from './weeks.ts';

/**
 * What a sample warehouse keeps.
 * - `mart`: `customer_analytics` as of the one instant and the past offers that still count: what a program reads, in
 *   a fraction of the time and of the disk. The truth is in a file of its own, out of every query's reach.
 * - `history`: the tables that `customer_analytics` is computed from, the same at any instant, and the truth: what
 *   models are trained on and measured by.
 */
export type Kept = 'mart' | 'history';

const TRUTH = ['customer_truth', 'future_outcomes'] as const;

/** The tables of a warehouse, each made chunk by chunk. */
export const TABLES = {
  mart: ['customer_analytics', 'past_offers'],
  history: [...SOURCES, 'past_offers', ...TRUTH, 'customer_truth_at'],
} as const;

/** The tables of the file beside it. */
export const TRUTH_TABLES = { mart: TRUTH, history: [] } as const;

export type ChunkTable = (typeof TABLES)[Kept][number] | (typeof TRUTH)[number];

/** A table of one chunk of customers. */
export const chunkName = (table: ChunkTable) => `chunk_${table}`;

const CHUNK_SOURCES = Object.fromEntries(SOURCES.map((name) => [name, chunkName(name)])) as Sources;

/** Weeks that each kind of record is made for. */
interface Reach {
  readonly sessions: number;
  readonly tickets: number;
  readonly offers: number;
}

/** The mart needs of sessions and tickets what `customer_analytics` reads, and offers that a program may ask for. */
const REACH: Readonly<Record<Kept, Reach>> = {
  mart: { sessions: 26, tickets: 14, offers: 27 },
  history: { sessions: WEEKS, tickets: WEEKS, offers: 2 * WEEKS },
};

/** Statements that make the tables of a chunk from `people`, `pilot_offers` and `departures`. */
export function chunkTables(kept: Kept, asOf: { readonly day: string; readonly instant: string }): string[] {
  const reach = REACH[kept];
  const made: Partial<Record<ChunkTable, string>> = {
    ...recordedTables(asOf.day, reach),
    past_offers: pastOffers(asOf.day, reach.offers),
    ...truthTables(asOf.day),
    ...(kept === 'history' ? { customer_truth_at: truthAt(asOf.day) } : {}),
  };
  return [
    ...(kept === 'mart' ? [FORGET_THE_DEPARTED] : []),
    ...Object.entries(made).map(([table, select]) => `CREATE OR REPLACE TEMP TABLE chunk_${table} AS ${select}`),
    ...(kept === 'mart' ? lastSeen(asOf.day) : []),
    `CREATE OR REPLACE TEMP TABLE chunk_customer_analytics AS ${analyticsQuery(asOf.instant, CHUNK_SOURCES)}`,
  ];
}

/** Who has left is not in `customer_analytics`, whatever they did before. */
const FORGET_THE_DEPARTED = `
  CREATE OR REPLACE TEMP TABLE people AS
  SELECT * FROM people SEMI JOIN (SELECT i FROM departures WHERE departed_day IS NULL) USING (i)`;

/** Older sessions of those who have not come since, for the day on which they last did. */
const lastSeen = (asOfDay: string) => [
  `CREATE OR REPLACE TEMP TABLE unseen AS
    SELECT * FROM people ANTI JOIN (SELECT customer_id FROM ${chunkName('sessions')}) USING (customer_id)`,
  `INSERT INTO ${chunkName('sessions')} ${sessions(dayOf(asOfDay), WEEKS, 'unseen')}`,
];

/** Computes `customer_analytics` anew for the customers with defects. */
export function spoilAnalytics(asOfInstant: string): string {
  const spoiled = `customer_id IN (SELECT customer_id FROM returned WHERE ${IS_SPOILED})`;
  const sources = Object.fromEntries(
    SOURCES.map((name) => [name, `(SELECT * FROM ${chunkName(name)} WHERE ${spoiled})`]),
  ) as Sources;
  const analytics = chunkName('customer_analytics');
  return `
    DELETE FROM ${analytics} WHERE ${spoiled};
    INSERT INTO ${analytics} ${analyticsQuery(asOfInstant, sources, CHUNK_SOURCES.sessions)}`;
}

/** SQL of the day so many days after the as-of day. */
const dayOf = (asOfDay: string) => (offset: string) => `(${asOfDay} + ${offset})::DATE`;

/** What people did, as the business records it; `asOfDay` is an SQL date. */
function recordedTables(asOfDay: string, reach: Reach): Readonly<Record<(typeof SOURCES)[number], string>> {
  const day = dayOf(asOfDay);
  return {
    customers: `
      SELECT customer_id, marketplace, currency, timezone, locale, ${day('joined_day')} AS joined_on, tier, verified,
        account_status, subscription_status,
        -- Value before the recorded history.
        round(greatest(0, -${HISTORY_DAYS} - joined_day) / 30.4375 * usual_orders * usual_amount, 2)::DECIMAL(12, 2) AS prior_value
      FROM people`,
    sessions: sessions(day, reach.sessions),
    transactions: transactions(day),
    tickets: tickets(asOfDay, reach.tickets),
    competitor_visits: `
      SELECT customer_id, ${asOfDay}::TIMESTAMP + to_days(visit_day) + to_hours(20) AS visited_at
      FROM (
        -- Those who look around do so from the turn on, again and again; of the others few, once.
        SELECT i, customer_id, floor(turning_day + 1)::INTEGER + unnest(range(0, 300, 30))::INTEGER AS visit_day
        FROM people WHERE looks_around
        UNION ALL
        SELECT i, customer_id, floor(-455.0 * visit_day_draw)::INTEGER
        FROM people WHERE NOT looks_around AND visit_draw < 0.12
      ) JOIN departures USING (i) JOIN people USING (i, customer_id)
      WHERE visit_day < 0 AND visit_day >= -455 AND visit_day > joined_day AND (departed_day IS NULL OR visit_day < departed_day)`,
    opt_outs: `
      SELECT customer_id, ${asOfDay}::TIMESTAMP + to_days(refusal_day) + to_hours(11) AS opted_out_at
      FROM people JOIN departures USING (i)
      WHERE refusal_day > joined_day AND (departed_day IS NULL OR refusal_day < departed_day)`,
    cancellations: `
      SELECT customer_id, ${day('departed_day')} AS cancelled_on
      FROM departures JOIN people USING (i) WHERE departed_day IS NOT NULL`,
  };
}
