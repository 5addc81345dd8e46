import { literal } from '../../base/duckdb/engine.ts';
import type { Dialect } from './dialect.ts';
import { asNumber } from './expressions.ts';
import { signsOf } from './number-format.ts';
import type { ColumnProfile } from './profile.ts';

/** Signs of several currencies, and that of the marketplaces in which one of them is paid. */
const OF_SEVERAL: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  $: { US: 'USD', CA: 'CAD', AU: 'AUD', NZ: 'NZD', SG: 'SGD', HK: 'HKD', MX: 'MXN' },
  '¥': { JP: 'JPY', CN: 'CNY' },
};

/**
 * SQL of the currency of a column of amounts, by the sign or the code that they have, and how it is known; undefined where
 * it could be of another one.
 * @param marketplaces those that a column of the file says; none where one is assumed for everybody
 */
export function currencyOf(
  source: ColumnProfile,
  marketplaces: readonly string[],
  dialect: Dialect,
): { readonly expression: string; readonly reason: string } | undefined {
  const unit = source.numberFormat?.unit;
  if (unit === undefined || unit === '%') return undefined;
  const paid = OF_SEVERAL[unit];
  const codes = paid === undefined ? signsOf(unit).slice(0, 1) : [...new Set(marketplaces.map((one) => paid[one]))];
  const [code] = codes;
  if (code === undefined || codes.length > 1) return undefined;
  return {
    expression: `CASE WHEN ${asNumber(source, dialect)} IS NOT NULL THEN ${literal(code)} END`,
    reason: `its amounts are in ${unit}${paid === undefined ? '' : `, and everybody is in ${marketplaces.join(', ')}`}`,
  };
}
