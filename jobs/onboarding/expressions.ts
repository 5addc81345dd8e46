import { identifier, literal } from '../columns/engine.ts';
import type { Dialect } from './dialect.ts';
import { type ColumnProfile, isNumeric } from './profile.ts';
import { truthOf } from './words.ts';

/** SQL of a column as a number; NULL where it has none. */
export function asNumber(source: ColumnProfile, dialect: Dialect): string {
  const { name, type, kind, numberFormat, notFinite } = source;
  if (kind === 'boolean') return `CAST(${asTruth(source) ?? 'NULL'} AS INTEGER)`;
  const number = numberFormat === undefined ? identifier(name) : dialect.number(trimmed(source), numberFormat);
  // A decimal of the warehouse's own would be divided as one.
  const plain = /DECIMAL|NUMERIC/i.test(type) ? `CAST(${number} AS ${dialect.double})` : number;
  return notFinite > 0 ? dialect.finite(plain) : plain;
}

/** SQL of a column as true or false; undefined when its values are neither. */
export function asTruth(source: ColumnProfile): string | undefined {
  const { name, type, values } = source;
  if (type === 'BOOLEAN') return identifier(name);
  // As a text, 1.0 is 1 in Postgres and 1.0 in DuckDB.
  const isNumber = isNumeric(type) && values.length > 0 && values.every(({ value }) => truthOf(value) !== undefined);
  if (isNumber) return `CASE ${identifier(name)} WHEN 1 THEN true WHEN 0 THEN false END`;
  const texts = { yes: [] as string[], no: [] as string[] };
  for (const { value } of values) {
    const truth = truthOf(value);
    if (truth === undefined) return undefined;
    texts[truth ? 'yes' : 'no'].push(value);
  }
  if (values.length === 0) return undefined;
  const whens = [
    ...texts.yes.map((value) => `WHEN ${literal(value)} THEN true`),
    ...texts.no.map((value) => `WHEN ${literal(value)} THEN false`),
  ];
  return `CASE ${trimmed(source)} ${whens.join(' ')} END`;
}

/** SQL of a column as text, to be compared with its values. */
export function trimmed({ name, type }: ColumnProfile): string {
  return type === 'VARCHAR' ? `trim(${identifier(name)})` : `trim(CAST(${identifier(name)} AS VARCHAR))`;
}

/** SQL of a column as text; NULL where it is blank. */
export function asText(source: ColumnProfile): string {
  return `nullif(${trimmed(source)}, '')`;
}

/** SQL of a column as a day. */
export function asDay(source: ColumnProfile, dialect: Dialect): string {
  const { name, type, dateFormat = 'iso' } = source;
  return type === 'DATE' ? identifier(name) : dialect.day(trimmed(source), dateFormat);
}
