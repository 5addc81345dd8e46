import { literal } from '../../base/duckdb/engine.ts';
import { customerIdInDuckdb } from '../../customers/columns/customer-id.ts';
import { type DateFormat, dayOfCounted, shapeOfDate, strptime } from './date-format.ts';
import { type NumberFormat, shapeOfNumber } from './number-format.ts';

/** The few expressions in which SQL of DuckDB and of Postgres differ. */
export interface Dialect {
  readonly double: string;
  /** What a common table expression begins with, so that it is not kept as a whole. */
  readonly inlined: string;
  /** Whether a text matches a regular expression. */
  matches(text: string, pattern: string): string;
  /** An id as a run compares it. @param type as the source names it */
  customerId(column: string, type: string): string;
  /** A list of texts, and whether a text is in it. */
  list(texts: readonly string[]): string;
  isIn(text: string, list: string): string;
  /** A text as a number; NULL where it is none. */
  number(text: string, format: NumberFormat): string;
  /** A text as a day; NULL where it is none. */
  day(text: string, format: DateFormat): string;
  /** Whole days from one day to another. */
  daysBetween(earlier: string, later: string): string;
  /** Whether a text is in one of so many parts of all texts, the same one every time. */
  inPart(text: string, parts: number): string;
  /** The number where it is finite, else NULL. */
  finite(number: string): string;
}

/** SQL of the digits of a text of the number's shape, with its sign and a decimal point. */
export function bareNumber(text: string, { decimal }: NumberFormat, isNegative: string): string {
  const mark = decimal === 'point' ? '.' : ',';
  const digits = `regexp_replace(${text}, '[^0-9${mark}]', '', 'g')`;
  const point = mark === '.' ? digits : `replace(${digits}, ',', '.')`;
  return `CASE WHEN ${isNegative} THEN '-' ELSE '' END || ${point}`;
}

export const NEGATIVE = '[(-]';

const matches = (text: string, pattern: string) =>
  `regexp_matches(${text}, ${literal(pattern.replaceAll(/\\u([0-9a-f]{4})/g, String.raw`\x{$1}`))})`;

export const DUCKDB: Dialect = {
  double: 'DOUBLE',
  inlined: 'AS',
  matches,
  customerId: (column, type) => customerIdInDuckdb(column, type).id,
  list: (texts) => `[${texts.map(literal).join(', ')}]`,
  isIn: (text, list) => `list_contains(${list}, ${text})`,
  number: (text, format) => {
    if (format.style === 'plain') return `TRY_CAST(${text} AS DOUBLE)`;
    const bare = bareNumber(text, format, matches(text, NEGATIVE));
    return `CASE WHEN ${matches(text, shapeOfNumber(format))} THEN TRY_CAST(${bare} AS DOUBLE) END`;
  },
  day: (text, format) =>
    format.counted === undefined
      ? `CAST(try_strptime(regexp_extract(${text}, '${shapeOfDate(format)}', 1), '${strptime(format)}') AS DATE)`
      : `CASE WHEN ${matches(text, shapeOfDate(format))} THEN ${dayOfCounted(text, format.counted)} END`,
  daysBetween: (earlier, later) => `date_diff('day', ${earlier}, ${later})`,
  inPart: (text, parts) => `hash(${text}) % ${parts} = 0`,
  finite: (number) => `CASE WHEN isfinite(${number}) THEN ${number} END`,
};
