import { SOURCES, type Sources } from './analytics.ts';
import { HISTORY_DAYS, sessions, tickets, transactions } from './weeks.ts';

/** The warehouse tables of one chunk of customers, as temporary tables: each answers the SELECT beside its name. */
export const CHUNK_TABLES = [
  ...SOURCES,
  'past_offers',
  'customer_truth',
  'customer_truth_at',
  'future_outcomes',
] as const;

export type ChunkTable = (typeof CHUNK_TABLES)[number];

export const chunkName = (table: ChunkTable) => `chunk_${table}`;

export const CHUNK_SOURCES = Object.fromEntries(SOURCES.map((name) => [name, chunkName(name)])) as Sources;

/** What people did, as the business records it; `asOfDay` is an SQL date. */
export function recordedTables(asOfDay: string): Readonly<Record<(typeof SOURCES)[number], string>> {
  const day = (offset: string) => `(${asOfDay} + ${offset})::DATE`;
  return {
    customers: `
      SELECT customer_id, marketplace, currency, timezone, locale, ${day('joined_day')} AS joined_on, tier, verified,
        account_status, subscription_status,
        -- Value before the recorded history.
        round(greatest(0, -${HISTORY_DAYS} - joined_day) / 30.4375 * usual_orders * usual_amount, 2)::DECIMAL(12, 2) AS prior_value
      FROM people`,
    sessions: sessions(day),
    transactions: transactions(day),
    tickets: tickets(asOfDay),
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
