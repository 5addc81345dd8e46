import { type Engine, identifier } from '../../base/duckdb/engine.ts';
import { isNumeric } from '../../base/duckdb/number-types.ts';
import { meansMissing } from '../../customers/columns/missing-words.ts';
import type { Convention, Conventions, Written } from './conventions.ts';
import { COMPACT, countedDays, type DateFormat, saidOfCounted } from './date-format.ts';
import { decideDates } from './date-order.ts';
import { decideNumbers } from './decimal-mark.ts';
import { DUCKDB } from './dialect.ts';
import { isCountedDayName, isDayName } from './naming-rules.ts';
import type { NumberFormat } from './number-format.ts';
import { type CountRows, countTexts, type TextCounts } from './text-counts.ts';
import { truthOf, wordsOf } from './words.ts';

/** What a column holds, as far as a sample of its rows shows. */
export interface ColumnProfile {
  readonly name: string;
  /** The name as lower-case words. */
  readonly words: string;
  /** DuckDB's name of the type. */
  readonly type: string;
  readonly kind: 'number' | 'boolean' | 'date' | 'text' | 'empty';
  readonly rows: number;
  /** Rows with a value; what stands for a missing one is none. */
  readonly filled: number;
  /** What stands for a missing value in it, as it is written, with its rows; but for blanks. */
  readonly missingWords: ReadonlyMap<string, number>;
  /** Different values. */
  readonly distinct: number;
  /** Of a number. */
  readonly minimum: number;
  readonly maximum: number;
  /** Whether all numbers are whole. */
  readonly whole: boolean;
  readonly notFinite: number;
  /** Only where texts are numbers. */
  readonly numberFormat?: NumberFormat;
  /** Whether the numbers have a percent sign. */
  readonly percent?: boolean;
  readonly dateFormat?: DateFormat;
  /** How it is known that numbers, or days, are written so. */
  readonly convention?: Convention;
  /** Values that are not written like the others; they are no numbers, or no days. */
  readonly misfits: number;
  /** Every value with its rows, most frequent first; only of text with few different values, and of what is yes or no. */
  readonly values: readonly { readonly value: string; readonly rows: number }[];
  /** Share of the values with an @ or of the shape of a telephone number. */
  readonly personal: number;
}

const READ = 'holdfast_read';
/** Columns asked about in one statement. */
const AT_ONCE = 40;
/** Values worth listing. */
const FEW_VALUES = 30;

/**
 * Looks at columns of a table.
 * @param all counts rows of the whole source, where the sample cannot tell how something is written
 * @param progress is told the columns done so far
 * @throws HF_SOURCE_UNSUITABLE when what a person says of the file is not so
 */
export async function profileColumns(
  engine: Engine,
  table: string,
  columns: readonly { readonly name: string; readonly type: string }[],
  all: CountRows,
  conventions: Conventions,
  progress: (done: number, total: number) => void,
): Promise<ColumnProfile[]> {
  const looked = await countTexts(engine, table, columns, progress);
  const numbers = await decideNumbers(looked, all, conventions);
  const dates = await decideDates(engine, table, looked, all, conventions);
  const profiles: ColumnProfile[] = [];
  for (let from = 0; from < looked.length; from += AT_ONCE) {
    const some = looked.slice(from, from + AT_ONCE).map((counts) => ({
      counts,
      date: dates.get(counts.name),
      number: dates.has(counts.name) ? undefined : numbers.get(counts.name),
    }));
    const numeric = some.flatMap(({ counts: { name, type }, number }, index) => {
      const sql = numberOf(name, type, number?.format);
      return sql === undefined ? [] : [{ sql, index }];
    });
    const selects = numeric.flatMap(({ index }) =>
      Object.entries(numberFigures(`n${index}`)).map(([key, figure]) => `${figure} AS ${key}_${index}`),
    );
    const read = numeric.map(({ sql, index }) => `${sql} AS n${index}`);
    // A table of its own, or each figure would be planned with all that makes the number.
    await engine.run(
      `CREATE OR REPLACE TEMP TABLE ${READ} AS SELECT ${['1 AS one', ...read].join(', ')} FROM ${identifier(table)}`,
    );
    const [answer] = await engine.rows<Record<string, string | number | null>>(
      `SELECT ${['count(*) AS row_count', ...selects].join(', ')} FROM ${READ}`,
    );
    for (const [index, { counts, date, number }] of some.entries()) {
      const figure = (key: string) => Number(answer?.[`${key}_${index}`] ?? 0);
      const profile = described(counts, figure, date, number);
      profiles.push({ ...profile, values: await fewValues(engine, table, profile) });
    }
  }
  await engine.run(`DROP TABLE IF EXISTS ${READ}`);
  return profiles.map(asTruth);
}

function numberOf(name: string, type: string, format: NumberFormat | undefined): string | undefined {
  if (isNumeric(type)) return `CAST(${identifier(name)} AS DOUBLE)`;
  if (format === undefined) return undefined;
  const text = `trim(${identifier(name)})`;
  return `CASE WHEN NOT ${meansMissing(text)} THEN ${DUCKDB.number(text, format)} END`;
}

function numberFigures(number: string): Record<string, string> {
  return {
    minimum: `min(${number}) FILTER (WHERE isfinite(${number}))`,
    maximum: `max(${number}) FILTER (WHERE isfinite(${number}))`,
    fractions: `count(*) FILTER (WHERE isfinite(${number}) AND ${number} <> trunc(${number}))`,
    infinite: `count(*) FILTER (WHERE NOT isfinite(${number}))`,
  };
}

function described(
  { name, type, rows, filled, distinct, personal, missingWords }: TextCounts,
  figure: (key: string) => number,
  date: Written<DateFormat> | undefined,
  number: Written<NumberFormat> | undefined,
): Omit<ColumnProfile, 'values'> {
  const base = {
    name,
    words: wordsOf(name.slice(0, 400)),
    type,
    rows,
    filled,
    missingWords,
    distinct,
    minimum: figure('minimum'),
    maximum: figure('maximum'),
    whole: figure('fractions') === 0,
    notFinite: figure('infinite'),
    misfits: 0,
    personal: filled === 0 ? 0 : personal / filled,
  };
  if (filled === 0) return { ...base, kind: 'empty' };
  if (type === 'BOOLEAN') return { ...base, kind: 'boolean' };
  if (isNumeric(type)) {
    const isDay = base.whole && base.minimum >= 1900_01_01 && base.maximum <= 2100_12_31 && isDayName(base.words);
    if (isDay) return { ...base, kind: 'date', dateFormat: COMPACT };
    const counted = isCountedDayName(base.words) ? countedDays(base.minimum, base.maximum) : undefined;
    if (counted === undefined) return { ...base, kind: 'number' };
    return { ...base, kind: 'date', dateFormat: counted, convention: saidOfCounted(counted) };
  }
  if (/^(DATE|TIMESTAMP)/.test(type)) return { ...base, kind: 'date' };
  if (date !== undefined) {
    const { format, ...rest } = date;
    // 31/12/2026 has the shape of a telephone number too.
    return { ...base, ...rest, kind: 'date', dateFormat: format, personal: 0 };
  }
  if (number === undefined) return { ...base, kind: 'text' };
  const { format, ...rest } = number;
  return { ...base, ...rest, kind: 'number', numberFormat: format };
}

async function fewValues(engine: Engine, table: string, { name, kind, distinct }: Omit<ColumnProfile, 'values'>) {
  if (distinct === 0 || distinct > FEW_VALUES || kind === 'date' || (kind === 'number' && distinct > 2)) return [];
  const text = `trim(CAST(${identifier(name)} AS VARCHAR))`;
  const rows = await engine.rows<{ value: string; count: string }>(
    `SELECT ${text} AS value, count(*) AS count FROM ${identifier(table)}
     WHERE ${text} IS NOT NULL AND NOT ${meansMissing(text)} GROUP BY ALL ORDER BY count DESC, value`,
  );
  return rows.map(({ value, count }) => ({ value, rows: Number(count) }));
}

/** A text that says yes or no is a truth; a number that is 0 or 1 stays a number, which serves as both. */
function asTruth(profile: ColumnProfile): ColumnProfile {
  const { kind, values } = profile;
  const truths = values.map(({ value }) => truthOf(value));
  return kind === 'text' && values.length === 2 && truths.every((truth) => truth !== undefined)
    ? { ...profile, kind: 'boolean' }
    : profile;
}
