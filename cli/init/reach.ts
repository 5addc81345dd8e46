import type { Engine } from '../../base/duckdb/engine.ts';
import { OFFER_HISTORY_COLUMNS } from '../../customers/filters/filter.ts';
import { predicateOf } from '../../customers/filters/resolve.ts';
import { bindings, toSql } from '../../customers/filters/sql.ts';
import { kindOf } from '../../customers/filters/types.ts';
import type { FilterChain } from './filter-chain.ts';
import { PREPARED, STILL_HERE } from './proposal.ts';

/** How many customers, of those that were looked at, a first run would find. */
export interface Reach {
  readonly customers: number;
  /** Those who reach the lowest risk level. */
  readonly medium: number;
  /** Those of them whom the filters leave, when nobody has had an offer yet. */
  readonly candidates: number;
}

/**
 * Asks the proposed filters of the prepared rows.
 * @param scores of the customers who are still there, by customer
 */
export async function reachOf(
  engine: Engine,
  { filters }: FilterChain,
  program: { readonly marketplaces: string[]; readonly subscriptionTiers: string[] },
  scores: Float64Array,
  medium: number,
): Promise<Reach> {
  const { daysSinceProgramOffer, ...counts } = OFFER_HISTORY_COLUMNS;
  const history = [
    `CAST(NULL AS INTEGER) AS ${daysSinceProgramOffer}`,
    ...Object.values(counts).map((column) => `0 AS ${column}`),
  ].join(', ');
  const rows = `(SELECT *, ${history} FROM ${PREPARED} WHERE ${STILL_HERE})`;
  const shapes = await engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE SELECT * FROM ${rows}`);
  const kinds = new Map(shapes.map(({ column_name, column_type }) => [column_name, kindOf(column_type)] as const));
  const { values, bind } = bindings();
  const passed = filters.map(({ filter }) => `coalesce(${toSql(predicateOf(filter, program), kinds, bind)}, false)`);
  const asked = await engine.rows<{ passed: boolean }>(
    `SELECT ${passed.length === 0 ? 'true' : passed.join(' AND ')} AS passed FROM ${rows} ORDER BY customer_id`,
    values,
  );
  const reaches = asked.filter((_, row) => (scores[row] as number) >= medium);
  return { customers: asked.length, medium: reaches.length, candidates: reaches.filter((row) => row.passed).length };
}
