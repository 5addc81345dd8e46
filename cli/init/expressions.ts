import { identifier, literal } from '../../base/duckdb/engine.ts';
import { isNumeric, numberForm } from '../../base/duckdb/number-types.ts';
import { MISSING_WORDS } from '../../customers/columns/missing-words.ts';
import { example, ISO, shapeOfDate } from './date-format.ts';
import type { Dialect } from './dialect.ts';
import { exampleNumber, PLAIN, shapeOfNumber } from './number-format.ts';
import type { ColumnProfile } from './profile.ts';
import { shown, truthOf } from './words.ts';

/** Whether a column is text: `cleaned` takes the blanks around it away, and what stands for a missing value. */
export function isText({ type }: Pick<ColumnProfile, 'type'>): boolean {
  return type === 'VARCHAR' || type === 'TEXT';
}

/** Name of the list of what stands for a missing value. */
export const MISSING = 'missing';

/** SQL of that list. */
export function missingWords(dialect: Dialect): string {
  return `${MISSING} AS (SELECT ${dialect.list(MISSING_WORDS)} AS words)`;
}

/**
 * SQL of a column as the other expressions here want it, for a SELECT that has `MISSING` among its tables: of text
 * without the blanks around it, NULL where it stands for a missing value.
 */
export function cleaned(source: Pick<ColumnProfile, 'name' | 'type'>, dialect: Dialect): string {
  const name = identifier(source.name);
  if (!isText(source)) return name;
  const text = source.type === 'VARCHAR' ? `trim(${name})` : `trim(CAST(${name} AS VARCHAR))`;
  return `CASE WHEN NOT ${dialect.isIn(`lower(${text})`, `${MISSING}.words`)} THEN ${text} END AS ${name}`;
}

/** Whether a column of text is read as a number or a day before anything else is made of it. */
export function isRead(source: ColumnProfile): boolean {
  return isText(source) && (source.kind === 'date' || source.kind === 'number');
}

/** SQL of a cleaned column as what it is read as, under its own name. */
export function read(source: ColumnProfile, dialect: Dialect): string {
  const name = identifier(source.name);
  return isRead(source) ? `${readText(source, dialect)} AS ${name}` : name;
}

function readText({ name, kind, numberFormat = PLAIN, dateFormat = ISO }: ColumnProfile, dialect: Dialect): string {
  return kind === 'date' ? dialect.day(identifier(name), dateFormat) : dialect.number(identifier(name), numberFormat);
}

/** SQL of a column as a number; NULL where it has none. */
export function asNumber(source: ColumnProfile, dialect: Dialect): string {
  const { name, type, kind, notFinite } = source;
  if (kind === 'boolean') return `CAST(${asTruth(source) ?? 'NULL'} AS INTEGER)`;
  // A decimal of the warehouse's own would be divided as one, and a BIGNUM compares with no fraction.
  const isOdd = numberForm(type) === 'decimal' || type === 'BIGNUM';
  const plain = isOdd ? `CAST(${identifier(name)} AS ${dialect.double})` : identifier(name);
  return notFinite > 0 ? dialect.finite(plain) : plain;
}

/** SQL of a column as true or false; undefined when its values are neither. */
export function asTruth(source: ColumnProfile): string | undefined {
  const { name, type, kind, values } = source;
  if (type === 'BOOLEAN') return identifier(name);
  // As a text, 1.0 is 1 in Postgres and 1.0 in DuckDB.
  const isNumber =
    (isNumeric(type) || kind === 'number') &&
    values.length > 0 &&
    values.every(({ value }) => truthOf(value) !== undefined);
  if (isNumber) return `CASE ${identifier(name)} WHEN 1 THEN true WHEN 0 THEN false END`;
  const truths = new Map<string, boolean>();
  for (const { value } of values) {
    const truth = truthOf(value);
    if (truth === undefined) return undefined;
    truths.set(value, truth);
  }
  return truths.size === 0 ? undefined : byWord(source, truths);
}

/** SQL of what each word of a column stands for, whatever its case; NULL of all others. */
export function byWord(source: ColumnProfile, meanings: ReadonlyMap<string, string | boolean>): string {
  const words = new Map([...meanings].map(([word, meaning]) => [word.toLowerCase(), meaning] as const));
  const whens = [...words].map(
    ([word, meaning]) => `WHEN ${literal(word)} THEN ${typeof meaning === 'string' ? literal(meaning) : meaning}`,
  );
  return `CASE lower(${asText(source)}) ${whens.join(' ')} END`;
}

/** SQL of a column as text, to be compared with its values; NULL where it is blank. */
export function asText(source: ColumnProfile): string {
  const name = identifier(source.name);
  return isText(source) ? name : `nullif(trim(CAST(${name} AS VARCHAR)), '')`;
}

/** SQL of a column as a day. */
export function asDay(source: ColumnProfile, dialect: Dialect): string {
  const { name, type, dateFormat = ISO } = source;
  if (type === 'DATE' || isRead(source)) return identifier(name);
  return type.startsWith('TIMESTAMP')
    ? `CASE WHEN isfinite(${identifier(name)}) THEN CAST(${identifier(name)} AS DATE) END`
    : dialect.day(asText(source), dateFormat);
}

/** Share of the rows that may be set apart, of one column, because a value is not written like the others. */
const FEW_MISFITS = 0.002;

/** Whether values that are not written like the others are too many for their rows to be set apart. */
export function hasManyMisfits({ misfits, rows }: Pick<ColumnProfile, 'misfits' | 'rows'>): boolean {
  return misfits > FEW_MISFITS * rows;
}

/**
 * SQL of why a row is set apart, of a cleaned column: its value is not written as the column was when the program was
 * made. Undefined where any value will do.
 */
export function misfit(source: ColumnProfile, dialect: Dialect): string | undefined {
  if (!isText(source) || hasManyMisfits(source)) return undefined;
  const { kind, numberFormat, dateFormat } = source;
  const name = identifier(source.name);
  if (kind === 'date' && dateFormat !== undefined) {
    return because(
      source.name,
      `NOT ${dialect.matches(name, shapeOfDate(dateFormat))}`,
      `no day written like ${example(dateFormat)}`,
    );
  }
  if (kind === 'number' && numberFormat !== undefined) {
    const isNone =
      numberFormat.style === 'plain'
        ? `${name} IS NOT NULL AND (${dialect.number(name, numberFormat)}) IS NULL`
        : `NOT ${dialect.matches(name, shapeOfNumber(numberFormat))}`;
    return because(source.name, isNone, `no number written like ${exampleNumber(numberFormat)}`);
  }
  return kind === 'boolean' ? noWordOf(source) : undefined;
}

/** SQL of why a row is set apart, of a cleaned column: its word is none of those that were known when the program was made. */
export function noWordOf({ name, values }: Pick<ColumnProfile, 'name' | 'values'>): string {
  const known = [...new Set(values.map(({ value }) => literal(value.toLowerCase())))].join(', ');
  return because(
    name,
    `lower(${identifier(name)}) NOT IN (${known})`,
    `neither ${values.map(({ value }) => shown(value)).join(' nor ')}`,
  );
}

function because(name: string, test: string, what: string): string {
  return `CASE WHEN ${test} THEN ${literal(`${shown(name)} ${what}`.replaceAll(';', ','))} END`;
}
