import type { FieldDef } from 'pg';
import { identifier } from '../../../base/duckdb/engine.ts';
import type { TextColumnType } from '../../../base/duckdb/text-appender.ts';
import { customerIdInPostgres } from '../../../customers/columns/customer-id.ts';

/** How a column of Postgres comes over: first as one of the appender's types, then as the SQL of its value. */
export interface Conversion {
  readonly type: TextColumnType;
  /** SQL of the value in its own type, of the column that holds what came; missing where that type cannot hold it. */
  readonly value: (column: string) => string;
  /** Whether the type may be too narrow for what Postgres holds. */
  readonly isNarrower?: boolean;
}

/** Object ids of the built-in types, which never change (`pg_type.dat`). */
const TYPE = {
  bool: 16,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
} as const;

const same = (type: TextColumnType): Conversion => ({ type, value: (column) => column });

/**
 * Dates have many notations, which DuckDB reads faster than we could; only the one before Christ differs, which stands
 * behind the day there. Postgres knows years that DuckDB does not.
 */
const cast = (type: string): Conversion => ({
  type: 'VARCHAR',
  value: (column) =>
    `TRY_CAST(CASE WHEN suffix(${column}, ' BC') THEN regexp_replace(${column}, '^(\\S+)( .*)? BC$', '\\1 (BC)\\2') ELSE ${column} END AS ${type})`,
  isNarrower: true,
});

const CONVERSIONS: ReadonlyMap<number, Conversion> = new Map([
  [TYPE.bool, same('BOOLEAN')],
  [TYPE.int2, same('SMALLINT')],
  [TYPE.int4, same('INTEGER')],
  [TYPE.int8, same('BIGINT')],
  [TYPE.oid, same('BIGINT')],
  [TYPE.float4, same('FLOAT')],
  [TYPE.float8, same('DOUBLE')],
  // Exact decimals of DuckDB know neither NaN nor a number without a scale; candidates hold doubles anyway.
  [TYPE.numeric, same('DOUBLE')],
  [TYPE.date, cast('DATE')],
  [TYPE.timestamp, cast('TIMESTAMP')],
  [TYPE.timestamptz, cast('TIMESTAMPTZ')],
  // Blanks at the end of a character(n) are not part of it, as a cast to text shows.
  [TYPE.bpchar, { type: 'VARCHAR', value: (column) => `rtrim(${column}, ' ')` }],
]);

/** Every other type, arrays, JSON and enums among them, comes as its text. */
const TEXT = same('VARCHAR');

export function conversionOf({ name, dataTypeID }: Pick<FieldDef, 'name' | 'dataTypeID'>): Conversion {
  // An id is a name, whatever it is made of: no digit of it may be lost.
  if (dataTypeID === TYPE.numeric && name.toLowerCase() === 'customer_id') return TEXT;
  return CONVERSIONS.get(dataTypeID) ?? TEXT;
}

const TEXTS: ReadonlySet<number> = new Set([TYPE.text, TYPE.varchar]);
const ORDERED: ReadonlySet<number> = new Set(
  Object.values(TYPE).filter((type) => !TEXTS.has(type) && type !== TYPE.name && type !== TYPE.bpchar),
);

/** SQL of a column that can be sorted and told equal, the same on every server. */
export function comparable(name: string, type: number): string {
  if (ORDERED.has(type)) return identifier(name);
  return TEXTS.has(type) ? `${identifier(name)} COLLATE "C"` : asText(name);
}

function asText(name: string): string {
  return `CAST(${identifier(name)} AS text) COLLATE "C"`;
}

const INTEGERS: ReadonlySet<number> = new Set([TYPE.int2, TYPE.int4, TYPE.int8, TYPE.oid]);
const DOUBLES: ReadonlySet<number> = new Set([TYPE.float4, TYPE.float8]);

/** Whether ids of two types are the same by the rule exactly when they are equal, so that an index can serve. */
export function sameIds(one: number, other: number): boolean {
  return (INTEGERS.has(one) && INTEGERS.has(other)) || (one === TYPE.uuid && other === TYPE.uuid);
}

/** SQL of a customer's id by the rule. */
export function customerIdOf(name: string, type: number, unicode: boolean): string {
  const kind = INTEGERS.has(type) ? 'integer' : DOUBLES.has(type) ? 'double' : 'other';
  return customerIdInPostgres(identifier(name), kind, unicode);
}

/** SQL to compare a column with a timestamp in UTC by, so that an index on it can serve. */
export function instantOf(name: string, type: number): string {
  const isInstant = type === TYPE.date || type === TYPE.timestamp || type === TYPE.timestamptz;
  return isInstant ? identifier(name) : `CAST(${identifier(name)} AS timestamp)`;
}
