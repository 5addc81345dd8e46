import { type ProxyChurn, proxyChurnInSql } from '../proxy-churn.ts';
import { daysLater } from './calendar.ts';
import type { SqlDialect } from './dialect.ts';
import { hasWholeIds, inputRows, type SegmentInputs, type Snapshot } from './inputs.ts';
import { seasonDays } from './plan.ts';

/** Days that `_90d` means. */
const WINDOW_DAYS = 90;

export interface FeaturesRequest {
  readonly inputs: SegmentInputs;
  readonly snapshot: Snapshot;
  /** Names of the features, as `planFeatures` has them. */
  readonly features: readonly string[];
  /** Days since the last purchase up to which a customer is clustered. */
  readonly activeWithinDays: number;
  readonly proxyChurn: ProxyChurn;
}

/**
 * SQL of one row per customer as of the snapshot: `customer_id`, a column of doubles per feature (NULL where missing), `group`
 * ('clustered', 'never-purchased' or 'lapsed') and `proxy_churn` (NULL for who never purchased). Customers are who is in the input of customers or has
 * a transaction before the snapshot.
 */
export function featuresSql(request: FeaturesRequest, dialect: SqlDialect): string {
  const { inputs, snapshot, features, activeWithinDays, proxyChurn } = request;
  const { sessions, tickets, customers } = inputs;
  const day = `DATE '${snapshot.date}'`;
  const daysSince = (column: string) => `(${day} - ${column})`;
  const has = new Set(features);
  const hasInvoices = inputs.transactions.columns.some(({ name }) => name.toLowerCase() === 'invoice');

  const wholeIds = hasWholeIds(Object.values(inputs));

  const steps: [name: string, sql: string][] = [
    ['transactions', `${seen('transactions', 'amount, invoice, refunded')} AND refunded IS NOT NULL`],
    ['invoices', invoices(snapshot.date, hasInvoices)],
    ['buyers', BUYERS],
  ];
  if (has.has('recency_to_interval')) steps.push(['intervals', INTERVALS]);
  if (sessions) steps.push(['sessions', perCustomer('sessions', 'max(local_day) AS last_day')]);
  if (tickets) {
    const recent = `count(*) FILTER (WHERE local_day >= DATE '${daysLater(snapshot.date, -WINDOW_DAYS)}') AS recent`;
    steps.push(['tickets', perCustomer('tickets', recent)]);
  }
  if (customers) {
    steps.push(['customers', perCustomer('customers', 'min(local_day) AS since', 'OR local_day IS NULL')]);
  }

  const sincePurchase = daysSince('buyers.last_purchase');
  const sinceSession = sessions ? daysSince('sessions.last_day') : undefined;
  const values: Readonly<Record<string, string>> = {
    recency_days: sincePurchase,
    frequency_90d: 'coalesce(buyers.purchases_90d, 0)',
    spend_90d: 'coalesce(buyers.spend_90d, 0)',
    support_tickets_90d: 'coalesce(tickets.recent, 0)',
    refund_rate: 'coalesce(CAST(buyers.refunds AS double precision) / buyers.invoices, 0)',
    tenure_days: daysSince('customers.since'),
    last_login_days: sinceSession ?? 'NULL',
    season_share: 'CAST(buyers.in_season AS double precision) / NULLIF(buyers.in_year, 0)',
    recency_to_interval: `${sincePurchase} / NULLIF(intervals.median_days, 0)`,
  };
  const columns = features.map((name) => {
    const value = values[name];
    if (value === undefined) throw new RangeError(`there is no SQL of the feature ${name}`);
    return `CAST(${value} AS double precision) AS ${name}`;
  });
  const id = customers ? 'coalesce(customers.customer_id, buyers.customer_id)' : 'buyers.customer_id';
  const join = (name: string) => `LEFT JOIN holdfast_${name} AS ${name} ON ${name}.customer_id = ${id}`;
  return `WITH ${steps.map(([name, sql]) => `holdfast_${name} AS (\n${sql}\n)`).join(', ')}
SELECT ${[`CAST(${id} AS text) AS customer_id`, ...columns].join(',\n  ')},
  CASE WHEN buyers.last_purchase IS NULL THEN 'never-purchased' WHEN ${sincePurchase} > ${activeWithinDays} THEN 'lapsed' ELSE 'clustered' END AS "group",
  CASE WHEN buyers.last_purchase IS NOT NULL THEN ${proxyChurnInSql(proxyChurn, sincePurchase, sinceSession)} END AS proxy_churn
FROM holdfast_buyers AS buyers
${[
  ...(customers ? ['FULL JOIN holdfast_customers AS customers ON customers.customer_id = buyers.customer_id'] : []),
  ...['sessions', 'tickets', 'intervals'].filter((name) => steps.some(([step]) => step === name)).map(join),
].join('\n')}`;

  /** Events of customers, before the snapshot. */
  function seen(source: keyof SegmentInputs, columns?: string, orElse = ''): string {
    const input = inputs[source];
    if (input === undefined) throw new RangeError(`there is no input of ${source}`);
    const selected = ['customer_id', 'local_day', ...(columns === undefined ? [] : [columns])].join(', ');
    return `SELECT ${selected} FROM (
SELECT *, CAST(local_time AS date) AS local_day FROM (
${inputRows(source, input, snapshot, dialect, wholeIds)}
) AS holdfast_rows
) AS holdfast_events
WHERE customer_id IS NOT NULL AND (local_day < ${day} ${orElse})`;
  }

  function perCustomer(source: keyof SegmentInputs, aggregate: string, orElse?: string): string {
    return `SELECT customer_id, ${aggregate} FROM (\n${seen(source, undefined, orElse)}\n) AS holdfast_seen GROUP BY customer_id`;
  }
}

/** A row per invoice of a customer; a transaction without the number of one is an invoice of its own. */
function invoices(snapshotDate: string, hasInvoices: boolean): string {
  const { season, year } = seasonDays(snapshotDate);
  const within = ({ from, before }: { from: string; before: string }) =>
    `NOT refunded AND local_day >= DATE '${from}' AND local_day < DATE '${before}'`;
  const window = `NOT refunded AND local_day >= DATE '${daysLater(snapshotDate, -WINDOW_DAYS)}'`;
  const alone = `SELECT customer_id, CASE WHEN NOT refunded THEN local_day END AS last_purchase,
  CASE WHEN ${window} THEN 1 ELSE 0 END AS in_window, CASE WHEN ${window} THEN amount END AS spend_90d,
  refunded, ${within(season)} AS in_season, ${within(year)} AS in_year
FROM holdfast_transactions`;
  if (!hasInvoices) return alone;
  return `SELECT customer_id, max(local_day) FILTER (WHERE NOT refunded) AS last_purchase,
  max(CASE WHEN ${window} THEN 1 ELSE 0 END) AS in_window, sum(amount) FILTER (WHERE ${window}) AS spend_90d,
  bool_or(refunded) AS refunded, bool_or(${within(season)}) AS in_season, bool_or(${within(year)}) AS in_year
FROM holdfast_transactions WHERE invoice IS NOT NULL GROUP BY customer_id, invoice
UNION ALL
${alone} WHERE invoice IS NULL`;
}

const BUYERS = `SELECT customer_id, max(last_purchase) AS last_purchase, sum(in_window) AS purchases_90d, sum(spend_90d) AS spend_90d,
  count(*) FILTER (WHERE refunded) AS refunds, count(*) AS invoices,
  count(*) FILTER (WHERE in_season) AS in_season, count(*) FILTER (WHERE in_year) AS in_year
FROM holdfast_invoices GROUP BY customer_id`;

/** Median days between one purchase and the next: an invoice counts once on each of its days. */
const INTERVALS = `SELECT customer_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS median_days FROM (
SELECT customer_id, local_day - lag(local_day) OVER (PARTITION BY customer_id ORDER BY local_day) AS days FROM (
SELECT DISTINCT customer_id, local_day, invoice FROM holdfast_transactions WHERE NOT refunded AND invoice IS NOT NULL
UNION ALL
SELECT customer_id, local_day, invoice FROM holdfast_transactions WHERE NOT refunded AND invoice IS NULL
) AS holdfast_purchases
) AS holdfast_gaps WHERE days IS NOT NULL GROUP BY customer_id`;
