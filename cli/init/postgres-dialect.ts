import { literal } from '../../base/duckdb/engine.ts';
import { numberForm } from '../../base/duckdb/number-types.ts';
import { customerIdInPostgres } from '../../customers/columns/customer-id.ts';
import { dayOfCounted, partsOf, shapeOfDate } from './date-format.ts';
import { bareNumber, type Dialect, NEGATIVE } from './dialect.ts';
import { shapeOfNumber } from './number-format.ts';

const matches = (text: string, pattern: string) => `${text} ~ ${literal(pattern)}`;

const MOST_DIGITS = 100;

/**
 * Postgres ends a query at the first value that it cannot cast: each cast is made only of what has the right shape, and
 * days are added up from their parts, so that 31 February is a day in March rather than the end of a run.
 */
export const POSTGRES: Dialect = {
  double: 'DOUBLE PRECISION',
  inlined: 'AS NOT MATERIALIZED',
  matches,
  customerId: (column, type) => customerIdInPostgres(column, idKind(type), false),
  list: (texts) => `ARRAY[${texts.map(literal).join(', ')}]`,
  isIn: (text, list) => `${text} = ANY (${list})`,
  number: (text, format) => {
    const bare = format.style === 'plain' ? text : bareNumber(text, format, matches(text, NEGATIVE));
    // More digits than a number holds would end the query.
    return `CASE WHEN length(${text}) <= ${MOST_DIGITS} AND ${matches(text, shapeOfNumber(format))} THEN CAST(${bare} AS DOUBLE PRECISION) END`;
  },
  day: (text, format) => {
    if (format.counted !== undefined)
      return `CASE WHEN ${matches(text, shapeOfDate(format))} THEN ${dayOfCounted(text, format.counted)} END`;
    const written = `substring(${text} from '^[0-9./-]+')`;
    const place = (part: 'y' | 'm' | 'd') => partsOf(format).indexOf(part);
    const figures = (part: 'y' | 'm' | 'd') =>
      format.separator === ''
        ? { y: `substr(${text}, 1, 4)`, m: `substr(${text}, 5, 2)`, d: `substr(${text}, 7, 2)` }[part]
        : `split_part(${written}, '${format.separator}', ${place(part) + 1})`;
    const number = (part: 'y' | 'm' | 'd') => `CAST(${figures(part)} AS INTEGER)`;
    // As strptime has it: 69 is the first year of the last century.
    const year = format.shortYear ? `1969 + (${number('y')} + 31) % 100` : number('y');
    return `CASE WHEN ${matches(text, shapeOfDate(format))} THEN CAST(make_date(${year}, 1, 1) + (${number('m')} - 1) * INTERVAL '1 month' + (${number('d')} - 1) * INTERVAL '1 day' AS DATE) END`;
  },
  daysBetween: (earlier, later) => `(${later} - ${earlier})`,
  inPart: (text, parts) => `CAST(hashtext(${text}) AS BIGINT) % ${parts} = 0`,
  finite: (number) => `CASE WHEN ${number} NOT IN ('NaN', 'Infinity', '-Infinity') THEN ${number} END`,
};

/** The same on a server that can compose letters, or cannot. */
export function postgresDialect(unicode: boolean): Dialect {
  return { ...POSTGRES, customerId: (column, type) => customerIdInPostgres(column, idKind(type), unicode) };
}

/** @param type DuckDB's name of it */
export function idKind(type: string): 'double' | 'other' {
  return numberForm(type) === 'float' ? 'double' : 'other';
}
