import { type Engine, identifier } from '../columns/engine.ts';
import { meansMissing } from '../columns/missing-words.ts';
import { type DateFormat, DUCKDB, type NumberFormat } from './dialect.ts';
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
  readonly dateFormat?: DateFormat;
  /** Every value with its rows, most frequent first; only of text with few different values, and of what is yes or no. */
  readonly values: readonly { readonly value: string; readonly rows: number }[];
  /** Share of the values with an @ or of the shape of a telephone number. */
  readonly personal: number;
}

/** Columns asked about in one statement. */
const AT_ONCE = 40;
/** Values worth listing. */
const FEW_VALUES = 30;
/** Share of the values that must be numbers, or days, for the column to be taken as such. */
const MOST = 0.95;

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
/** Whether a type of DuckDB's is one of numbers. */
export function isNumeric(type: string): boolean {
  return NUMERIC.test(type);
}

const DATES: readonly DateFormat[] = ['iso', 'dotted', 'month-first', 'day-first', 'compact'];
/** 1,234 is read as a thousand and more, unless other values show that the comma is a decimal one. */
const NUMBERS: readonly NumberFormat[] = ['plain', 'dressed', 'comma'];

/**
 * Looks at columns of a table.
 * @param progress is told the columns done so far
 */
export async function profileColumns(
  engine: Engine,
  table: string,
  columns: readonly { readonly name: string; readonly type: string }[],
  progress: (done: number, total: number) => void,
): Promise<ColumnProfile[]> {
  const profiles: ColumnProfile[] = [];
  for (let from = 0; from < columns.length; from += AT_ONCE) {
    const some = columns.slice(from, from + AT_ONCE);
    const selects = some.flatMap(({ name, type }, index) =>
      Object.entries(figures(name, type)).map(([key, sql]) => `${sql} AS ${key}_${index}`),
    );
    const [answer] = await engine.rows<Record<string, string | number | null>>(
      `SELECT count(*) AS row_count, ${selects.join(', ')} FROM ${identifier(table)}`,
    );
    for (const [index, { name, type }] of some.entries()) {
      const number = (key: string) => Number(answer?.[`${key}_${index}`] ?? 0);
      const profile = described(name, type, Number(answer?.['row_count'] ?? 0), number);
      profiles.push({ ...profile, values: await fewValues(engine, table, profile) });
      progress(profiles.length, columns.length);
    }
  }
  return profiles.map(asTruth);
}

function figures(name: string, type: string): Record<string, string> {
  const column = identifier(name);
  const text = `trim(CAST(${column} AS VARCHAR))`;
  const filled = `FILTER (WHERE NOT ${meansMissing(text)})`;
  const common = { filled: `count(${text}) ${filled}`, distinct: `count(DISTINCT ${text}) ${filled}` };
  if (NUMERIC.test(type)) return { ...common, ...numberFigures(`CAST(${column} AS DOUBLE)`) };
  if (type !== 'VARCHAR') return common;
  const numbers = NUMBERS.map((format) => [format, `count(*) FILTER (WHERE isfinite(${read(text, format)}))`]);
  const days = DATES.map((format) => [key(format), `count(${DUCKDB.day(text, format)}) ${filled}`]);
  return {
    ...common,
    ...Object.fromEntries([...numbers, ...days]),
    ...numberFigures(`coalesce(${NUMBERS.map((format) => read(text, format)).join(', ')})`),
    infinite: `count(*) FILTER (WHERE NOT isfinite(${DUCKDB.number(text, 'plain')}))`,
    personal: `count(*) FILTER (WHERE contains(${text}, '@') OR regexp_matches(${text}, '^[+(]?[0-9][0-9 ()/.-]*[ ()/-][0-9 ()/.-]*$') AND length(${text}) >= 9
      AND TRY_CAST(${text} AS DATE) IS NULL)`,
  };
}

const key = (format: DateFormat) => `date_${format.replace('-', '_')}`;

/** What the texts of each format look like, so that a customer's name is no number because its letters are left out. */
const SHAPES: Readonly<Record<NumberFormat, string>> = {
  plain: '^[+-]?[0-9.]+([eE][+-]?[0-9]+)?$',
  comma: '^[+-]?[0-9]{1,3}([.][0-9]{3})*(,[0-9]+)?$|^[+-]?[0-9]+(,[0-9]+)?$',
  dressed: '^([+-]?[$€£¥]? ?|[$€£¥][+-])([0-9]{1,3}(,[0-9]{3})+|[0-9]+)([.][0-9]+)? ?[$€£¥%]?$',
};

const read = (text: string, format: NumberFormat) =>
  `CASE WHEN regexp_matches(${text}, '${SHAPES[format]}') THEN ${DUCKDB.number(text, format)} END`;

function numberFigures(number: string): Record<string, string> {
  return {
    minimum: `min(${number}) FILTER (WHERE isfinite(${number}))`,
    maximum: `max(${number}) FILTER (WHERE isfinite(${number}))`,
    fractions: `count(*) FILTER (WHERE isfinite(${number}) AND ${number} <> trunc(${number}))`,
    infinite: `count(*) FILTER (WHERE NOT isfinite(${number}))`,
  };
}

function described(
  name: string,
  type: string,
  rows: number,
  number: (key: string) => number,
): Omit<ColumnProfile, 'values'> {
  const filled = number('filled');
  const base = {
    name,
    words: wordsOf(name.slice(0, 400)),
    type,
    rows,
    filled,
    distinct: number('distinct'),
    minimum: number('minimum'),
    maximum: number('maximum'),
    whole: number('fractions') === 0,
    notFinite: number('infinite'),
    personal: filled === 0 ? 0 : number('personal') / filled,
  };
  if (filled === 0) return { ...base, kind: 'empty' };
  if (type === 'BOOLEAN') return { ...base, kind: 'boolean' };
  if (NUMERIC.test(type)) {
    const isDay =
      base.whole &&
      base.minimum >= 1900_01_01 &&
      base.maximum <= 2100_12_31 &&
      /date|time|day|init|expire/.test(base.words);
    return isDay ? { ...base, kind: 'date', dateFormat: 'compact' } : { ...base, kind: 'number' };
  }
  if (/^(DATE|TIMESTAMP)/.test(type)) return { ...base, kind: 'date', dateFormat: 'iso' };
  if (type !== 'VARCHAR') return { ...base, kind: 'text' };
  const numberFormat = best(NUMBERS, (format) => number(format), filled);
  const dateFormat = best(DATES, (format) => number(key(format)), filled);
  if (dateFormat !== undefined && (dateFormat !== 'compact' || /date|time|day/.test(base.words))) {
    return { ...base, kind: 'date', dateFormat };
  }
  return numberFormat === undefined ? { ...base, kind: 'text' } : { ...base, kind: 'number', numberFormat };
}

/** The first format that reads nearly all values. */
function best<Format>(formats: readonly Format[], count: (format: Format) => number, filled: number) {
  return formats.find((format) => count(format) >= MOST * filled);
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
