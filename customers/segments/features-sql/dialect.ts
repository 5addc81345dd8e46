import { literal } from '../../../base/duckdb/engine.ts';
import { customerIdInDuckdb, customerIdInPostgres } from '../../columns/customer-id.ts';
import { MISSING_WORDS } from '../../columns/missing-words.ts';

/** Where dialects of SQL differ. Types are as the warehouse calls them. */
export interface SqlDialect {
  /** An id by the rule of ids, as a text; NULL where it is none. */
  customerId(given: string, type: string): string;
  /** A time as a timestamp without a zone, as clocks in the time zone show it; a day stays one. */
  localTime(given: string, type: string, timeZone: string): string;
  /** An amount as an exact decimal of four places, so that a sum is the same in any order; NULL for what is no amount. */
  money(given: string): string;
}

const IS_INSTANT = /with time zone|timestamptz/i;

function localTime(given: string, type: string, timeZone: string): string {
  if (/^date$/i.test(type)) return given;
  return IS_INSTANT.test(type) ? `timezone(${literal(timeZone)}, ${given})` : `CAST(${given} AS timestamp)`;
}

export const DUCKDB: SqlDialect = {
  customerId: (given, type) => customerIdInDuckdb(given, type).id,
  localTime,
  money: (given) => `TRY_CAST(${given} AS DECIMAL(18, 4))`,
};

/** @param unicode whether POSTGRES_KNOWS_UNICODE */
export function postgresDialect(unicode: boolean): SqlDialect {
  return {
    customerId(given, type) {
      const kind = KINDS.find(([, pattern]) => pattern.test(type))?.[0] ?? 'other';
      const id = customerIdInPostgres(given, kind, unicode);
      if (kind === 'integer') return id;
      return `CASE WHEN lower(${id}) NOT IN (${NO_IDS}) THEN ${id} END`;
    },
    localTime,
    // Anything but a plain number fails the comparison; NaN is above every number there.
    money: (given) =>
      `CASE WHEN abs(CAST(${given} AS double precision)) < 1e14 THEN CAST(CAST(${given} AS numeric) AS numeric(18, 4)) END`,
  };
}

/** In lower case. */
const NO_IDS = [...MISSING_WORDS, 'infinity', '-infinity'].map(literal).join(', ');

const KINDS = [
  ['integer', /^(int[248]?|smallint|integer|bigint|oid)$/i],
  ['double', /^(float8|double precision)$/i],
] as const;
