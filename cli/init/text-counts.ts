import { type Engine, identifier } from '../../base/duckdb/engine.ts';
import { meansMissing } from '../../customers/columns/missing-words.ts';
import { COMPACT, countedFormat, type DateFormat, shapeOfDate } from './date-format.ts';
import { DUCKDB } from './dialect.ts';
import { PLAIN, shapeOfNumber, UNIT } from './number-format.ts';

/** Columns asked about in one statement. */
const AT_ONCE = 40;

/** How often the values of a column are written in each way. */
export interface TextCounts {
  readonly name: string;
  readonly type: string;
  readonly rows: number;
  /** Rows with a value. */
  readonly filled: number;
  readonly distinct: number;
  /** Values with an @ or of the shape of a telephone number. */
  readonly personal: number;
  /** Values of each shape; 0 of what is no text. */
  count(shape: Shape): number;
  /** What is between the figures of its days, where that is always the same. */
  readonly separator: string | undefined;
  /** Currencies, or percent signs, beside its numbers, as they are written, with their rows. */
  readonly units: ReadonlyMap<string, number>;
  /** What stands for a missing value in it, as it is written, with its rows; of texts only, and but for blanks. */
  readonly missingWords: ReadonlyMap<string, number>;
}

/** Ways to write a number or a day; `…Only` where it is one in this way alone, `either` where it means two things. */
export type Shape = keyof typeof SHAPES;

const POINT = { decimal: 'point', style: 'grouped' } as const;
const COMMA = { decimal: 'comma', style: 'grouped' } as const;

/** Of a number, with what it may be dressed in: the shape with a decimal point, and with a decimal comma. */
export const POINTED = `${shapeOfNumber({ ...POINT, style: 'dressed' })}|${shapeOfNumber(PLAIN)}`;
export const COMMAED = shapeOfNumber({ ...COMMA, style: 'dressed' });

const anySeparator = (format: Omit<DateFormat, 'separator'>) =>
  shapeOfDate({ ...format, separator: '/' }).replaceAll('[/]', '[/.-]');

/** SQL of a column's cleaned text, and of whether it is a number with a decimal point, and with a comma. */
interface Looked {
  readonly text: string;
  readonly point: string;
  readonly comma: string;
}

const matches =
  (pattern: string) =>
  ({ text }: Looked) =>
    DUCKDB.matches(text, pattern);

const SHAPES = {
  plain: matches(shapeOfNumber(PLAIN)),
  groupedPoint: matches(shapeOfNumber(POINT)),
  groupedComma: matches(shapeOfNumber(COMMA)),
  dressedPoint: matches(shapeOfNumber({ ...POINT, style: 'dressed' })),
  point: ({ point }: Looked) => point,
  comma: ({ comma }: Looked) => comma,
  pointOnly: ({ point, comma }: Looked) => `${point} AND NOT ${comma}`,
  commaOnly: ({ point, comma }: Looked) => `${comma} AND NOT ${point}`,
  either: ({ text, point, comma }: Looked) => `${point} AND ${comma} AND ${DUCKDB.matches(text, '[.,]')}`,
  eitherPoint: ({ text, point, comma }: Looked) => `${point} AND ${comma} AND contains(${text}, '.')`,
  percent: ({ text }: Looked) => `contains(${text}, '%')`,
  ymd: matches(anySeparator({ order: 'ymd', shortYear: false })),
  mdy: matches(anySeparator({ order: 'mdy', shortYear: false })),
  dmy: matches(anySeparator({ order: 'dmy', shortYear: false })),
  shortYmd: matches(anySeparator({ order: 'ymd', shortYear: true })),
  shortMdy: matches(anySeparator({ order: 'mdy', shortYear: true })),
  shortDmy: matches(anySeparator({ order: 'dmy', shortYear: true })),
  compact: matches(shapeOfDate(COMPACT)),
  excelDays: matches(shapeOfDate(countedFormat('excelDays'))),
  seconds: matches(shapeOfDate(countedFormat('seconds'))),
  milliseconds: matches(shapeOfDate(countedFormat('milliseconds'))),
} as const;

/** Counts, over all rows of a source, those that a condition on the text of a column is true of, a number each. */
export type CountRows = (
  questions: readonly {
    readonly column: string;
    /** SQL of the figure, made of the column's text and the dialect's test for a pattern. */
    readonly figure: (text: string, matches: (text: string, pattern: string) => string) => string;
  }[],
) => Promise<number[]>;

/**
 * Counts how the values of columns are written.
 * @param progress is told the columns done so far
 */
export async function countTexts(
  engine: Engine,
  table: string,
  columns: readonly { readonly name: string; readonly type: string }[],
  progress: (done: number, total: number) => void,
): Promise<TextCounts[]> {
  const counted: TextCounts[] = [];
  for (let from = 0; from < columns.length; from += AT_ONCE) {
    const some = columns.slice(from, from + AT_ONCE);
    const selects = some.flatMap(({ type }, index) =>
      Object.entries(figures(type, lookedAt(index))).map(([key, sql]) => `${sql} AS ${key}_${index}`),
    );
    await engine.run(`CREATE OR REPLACE TEMP TABLE ${LOOKED} AS ${looked(table, some)}`);
    const [answer] = await engine.rows<Record<string, string | null>>(
      `SELECT count(*) AS row_count, ${selects.join(', ')} FROM ${LOOKED}`,
    );
    const rows = Number(answer?.['row_count'] ?? 0);
    // Each of these is planned for long, and most columns have none.
    const texts = [...some.entries()].filter(([, { type }]) => type === 'VARCHAR');
    const units = await histograms(
      engine,
      LOOKED,
      texts.flatMap(([index]) =>
        answer?.[`unit_${index}`] == null ? [] : [[index, unitOf(lookedAt(index))] as const],
      ),
    );
    const missing = await histograms(
      engine,
      table,
      texts.flatMap(([index, { name }]) =>
        Number(answer?.[`filled_${index}`]) === rows ? [] : [[index, missingWordOf(textOf(name))] as const],
      ),
    );
    for (const [index, { name, type }] of some.entries()) {
      const at = (key: string) => answer?.[`${key}_${index}`];
      const [first, last] = [at('first_separator'), at('last_separator')];
      counted.push({
        name,
        type,
        rows,
        filled: Number(at('filled')),
        distinct: Number(at('distinct')),
        personal: Number(at('personal') ?? 0),
        count: (shape) => Number(at(shape) ?? 0),
        separator: typeof first === 'string' && first !== '' && first === last ? first : undefined,
        units: units.get(index) ?? new Map(),
        missingWords: missing.get(index) ?? new Map(),
      });
      progress(counted.length, columns.length);
    }
  }
  await engine.run(`DROP TABLE IF EXISTS ${LOOKED}`);
  return counted;
}

/** How often each text of columns is there, by the columns' numbers. */
async function histograms(
  engine: Engine,
  table: string,
  columns: readonly (readonly [index: number, text: string])[],
): Promise<ReadonlyMap<number, ReadonlyMap<string, number>>> {
  if (columns.length === 0) return new Map();
  const selects = columns.map(([index, text]) => `CAST(to_json(histogram(${text})) AS VARCHAR) AS h${index}`);
  const [answer] = await engine.rows<Record<string, string | null>>(`SELECT ${selects.join(', ')} FROM ${table}`);
  return new Map(
    columns.map(([index]) => [
      index,
      new Map(Object.entries(JSON.parse(answer?.[`h${index}`] ?? '{}') as Record<string, number>)),
    ]),
  );
}

const textOf = (name: string) => `trim(CAST(${identifier(name)} AS VARCHAR))`;
const missingWordOf = (text: string) => `CASE WHEN ${meansMissing(text)} THEN nullif(${text}, '') END`;
const unitOf = ({ text, point, comma }: Looked) =>
  `CASE WHEN ${point} OR ${comma} THEN nullif(regexp_extract(${text}, '${UNIT}'), '') END`;

const LOOKED = 'holdfast_looked';
const lookedAt = (index: number): Looked => ({ text: `t${index}`, point: `p${index}`, comma: `k${index}` });

/** SELECT of the columns as cleaned texts, for a table: in one statement, every figure would be planned with them. */
function looked(table: string, columns: readonly { readonly name: string; readonly type: string }[]): string {
  const cleaned = columns.map(({ name }, index) => {
    const text = textOf(name);
    return `CASE WHEN NOT ${meansMissing(text)} THEN ${text} END AS ${lookedAt(index).text}`;
  });
  const numbers = columns.flatMap(({ type }, index) => {
    const { text, point, comma } = lookedAt(index);
    if (type !== 'VARCHAR') return [];
    return [`${DUCKDB.matches(text, POINTED)} AS ${point}`, `${DUCKDB.matches(text, COMMAED)} AS ${comma}`];
  });
  return `SELECT ${['*', ...numbers].join(', ')} FROM (SELECT ${cleaned.join(', ')} FROM ${identifier(table)})`;
}

function figures(type: string, column: Looked): Record<string, string> {
  const { text } = column;
  const common = { filled: `count(${text})`, distinct: `count(DISTINCT ${text})` };
  if (type !== 'VARCHAR') return common;
  const shapes = Object.entries(SHAPES).map(([shape, test]) => [shape, `count(*) FILTER (WHERE ${test(column)})`]);
  const separator = `regexp_extract(${text}, '^[0-9]+([/.-])[0-9]', 1)`;
  return {
    ...common,
    ...Object.fromEntries(shapes),
    first_separator: `min(nullif(${separator}, ''))`,
    last_separator: `max(nullif(${separator}, ''))`,
    unit: `min(${unitOf(column)})`,
    personal: `count(*) FILTER (WHERE contains(${text}, '@') OR regexp_matches(${text}, '^[+(]?[0-9][0-9 ()/.-]*[ ()/-][0-9 ()/.-]*$') AND length(${text}) >= 9
      AND TRY_CAST(${text} AS DATE) IS NULL)`,
  };
}
