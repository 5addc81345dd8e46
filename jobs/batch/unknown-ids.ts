import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { OFFER_HISTORY_COLUMNS } from '../../customers/filters/filter.ts';
import type { PastOffers } from './offer-history.ts';

/** Customers who were offered something before, from which on it is odd that hardly any is still there. */
const LEAST_KNOWN = 20;
/** Share of them that says that ids are written as they were. */
const LEAST_SHARE = 0.02;

/**
 * A warning where hardly any customer whom this program made an offer is in the extract: ids that lost their leading zeros,
 * or became others, make everybody a new customer, who is offered something again. Reads the table `verdicts`.
 */
export async function unknownIds(
  engine: Engine,
  candidates: string,
  { counted, isOwn }: Pick<PastOffers, 'counted' | 'isOwn'>,
): Promise<string[]> {
  const own = `${counted} AND ${isOwn}`;
  const days = identifier(OFFER_HISTORY_COLUMNS.daysSinceProgramOffer);
  // Those whose past offers were looked up say in nearly every batch that all is well, at no cost.
  const [atLeast] = await engine.rows<{ offers: string; here: string }>(
    `SELECT (SELECT count(*) FROM (${own})) AS offers, count(${days}) AS here FROM verdicts`,
  );
  if (isNoSign(Number(atLeast?.offers), Number(atLeast?.here))) return [];
  const [exact] = await engine.rows<{ offered: string; here: string }>(
    `SELECT count(*) AS offered, count(*) FILTER (customer_id IN (SELECT customer_id FROM read_parquet(${literal(candidates)}))) AS here
     FROM (SELECT DISTINCT customer_id FROM (${own}))`,
  );
  const [offered, here] = [Number(exact?.offered), Number(exact?.here)];
  if (isNoSign(offered, here)) return [];
  return [
    `Of ${offered} customers whom this program made an offer before ${here === 0 ? 'none' : `only ${here}`} is in the source now: if their ids are written ` +
      'otherwise, such as without leading zeros, they count as others, and are made an offer again.',
  ];
}

function isNoSign(offered: number, here: number): boolean {
  return offered < LEAST_KNOWN || here >= LEAST_SHARE * offered;
}
