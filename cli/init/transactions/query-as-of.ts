/** The day that a query of transactions is of, as `init` writes it: the newest purchase that has come. */
export const AS_OF_NEWEST = 'SELECT max(day) AS holdfast_day FROM bought WHERE is_purchase AND day <= current_date';
/** The customer, as the query of transactions gives it. */
export const CUSTOMER_ITEM = 'sums.customer AS customer_id';
/** Recency, which is in every query of transactions. */
export const RECENCY = 'days_since_last_purchase';
/** Columns that `asOfDay` adds: the day that the rows are of, and that of the first purchase. */
export const DAY_COLUMN = 'holdfast_day';
export const FIRST_COLUMN = 'holdfast_first_day';

/** Share of the days looked back on, below which a file is too short to count by. */
const LEAST_SPAN = 0.95;

/** Days of purchases that a file needs at least, where so many are looked back on. */
export function leastDays(lookback: number): number {
  return Math.floor(LEAST_SPAN * lookback);
}

/** Days that a query of transactions counts by, as it says them itself. */
export interface QueryDays {
  /** Days after a cut in which a customer comes back, or has left. */
  readonly horizon: number;
  readonly lookback: number;
}

/** Those days; undefined of a query that `init` did not make from transactions, or whose day was changed. */
export function queryDays(query: string): QueryDays | undefined {
  const days = (name: string) => {
    const found = new RegExp(`day > as_of\\.holdfast_day - (\\d+)\\) AS ${name}\\b`).exec(query)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const [horizon, lookback] = [days('purchases_lately'), days('purchases')];
  const isWhole = [AS_OF_NEWEST, CUSTOMER_ITEM, ` AS ${RECENCY}`].every((part) => query.split(part).length === 2);
  return isWhole && horizon !== undefined && lookback !== undefined ? { horizon, lookback } : undefined;
}

/** The query as of a day like 2026-12-31, by default the newest of its source; each row says the day, and the first. */
export function asOfDay(query: string, day?: string): string {
  const days = `as_of.holdfast_day AS ${DAY_COLUMN}, (SELECT min(day) FROM bought WHERE is_purchase) AS ${FIRST_COLUMN}`;
  const dated = query.replace(CUSTOMER_ITEM, `${days}, ${CUSTOMER_ITEM}`);
  return day === undefined ? dated : dated.replace(AS_OF_NEWEST, `SELECT DATE '${day}' AS holdfast_day`);
}
