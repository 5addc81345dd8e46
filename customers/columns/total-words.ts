import { literal } from '../../base/duckdb/engine.ts';

/** What the line below a table is called, of which the numbers are sums: in lower case, in English, German and French. */
const TOTAL_WORDS = [
  'total',
  'totals',
  'grand total',
  'sum',
  'summe',
  'gesamt',
  'gesamtsumme',
  'insgesamt',
  'totaux',
  'total général',
];

/** SQL, of DuckDB and of Postgres, that is true of a text that names a line of sums. */
export function namesTotal(text: string): string {
  return `rtrim(lower(trim(${text})), ' :') IN (${TOTAL_WORDS.map(literal).join(', ')})`;
}
