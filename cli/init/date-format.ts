import { EXCEL_DAY_ZERO } from '../../providers/warehouses/duckdb/workbook.ts';

/** Order of year, month and day. */
export type DateOrder = 'ymd' | 'mdy' | 'dmy';

/** How the days of a column are written; a time of day may follow. */
export interface DateFormat {
  readonly order: DateOrder;
  /** Between the figures; empty for 20261231. */
  readonly separator: '-' | '/' | '.' | '';
  /** Whether the year has two figures: 69 to 99 are of the last century. */
  readonly shortYear: boolean;
  /** Where days are not written but counted: Excel's since 1899-12-30, or seconds or milliseconds since 1970 in UTC. */
  readonly counted?: Counted;
}

export type Counted = keyof typeof COUNTED;

/** Figures of each, the first of which they may begin with, and what is said of them. */
const COUNTED = {
  excelDays: {
    figures: 5,
    first: '[2-7]',
    last: '46387',
    like: 'days as Excel counts them, of which 45321 is 2024-01-30',
  },
  seconds: {
    figures: 10,
    first: '[1-3]',
    last: '1798675200',
    like: 'seconds since 1970, of which 1700000000 is 2023-11-14',
  },
  milliseconds: {
    figures: 13,
    first: '[1-3]',
    last: '1798675200000',
    like: 'milliseconds since 1970, of which 1700000000000 is 2023-11-14',
  },
} as const;

export const COUNTINGS = Object.keys(COUNTED) as Counted[];

/** Days that are counted. */
export function countedFormat(counted: Counted): DateFormat {
  return { order: 'ymd', separator: '', shortYear: false, counted };
}

/** The way to count in which all numbers from one to another are days of about these times, if there is one. */
export function countedDays(minimum: number, maximum: number): DateFormat | undefined {
  const counted = COUNTINGS.find((one) => {
    const { figures, first } = COUNTED[one];
    const least = 10 ** (figures - 1) * Number(first[1]);
    return minimum >= least && maximum < 10 ** (figures - 1) * (Number(first[3]) + 1);
  });
  return counted === undefined ? undefined : countedFormat(counted);
}

/** What a person is told of a column that is taken for such days: numbers do not say it themselves. */
export function saidOfCounted({ counted = 'excelDays' }: DateFormat) {
  return { note: `its numbers are taken for ${COUNTED[counted].like}`, sureness: 0.9 };
}

export const ISO: DateFormat = { order: 'ymd', separator: '-', shortYear: false };
export const COMPACT: DateFormat = { order: 'ymd', separator: '', shortYear: false };

type Part = 'y' | 'm' | 'd';

/** Year, month and day as the order has them. */
export function partsOf({ order }: Pick<DateFormat, 'order'>): readonly Part[] {
  return order.split('') as Part[];
}

/** Pattern of `strptime`, such as `%d/%m/%Y`. */
export function strptime({ order, separator, shortYear }: DateFormat): string {
  const part = { y: shortYear ? '%y' : '%Y', m: '%m', d: '%d' };
  return partsOf({ order })
    .map((one) => part[one])
    .join(separator);
}

/** The last day of 2026 as it would be written. */
export function example({ order, separator, shortYear, counted }: DateFormat): string {
  if (counted !== undefined) return COUNTED[counted].last;
  const part = { y: shortYear ? '26' : '2026', m: '12', d: '31' };
  return partsOf({ order })
    .map((one) => part[one])
    .join(separator);
}

const WORDS: Readonly<Record<DateOrder, string>> = { ymd: 'year first', mdy: 'month first', dmy: 'day first' };

/** `day first`. */
export function inWords(order: DateOrder): string {
  return WORDS[order];
}

const UP_TO_31 = '(0?[1-9]|[12][0-9]|3[01])';
const UP_TO_12 = '(0?[1-9]|1[0-2])';
const TIME = '([ T].*)?';

/** Regular expression, of DuckDB and of Postgres, that a text of this format matches. The first group is the day. */
export function shapeOfDate({ order, separator, shortYear, counted }: DateFormat): string {
  if (counted !== undefined) {
    const { first, figures } = COUNTED[counted];
    return `^(${first}[0-9]{${figures - 1}})([.,][0-9]+)?$`;
  }
  const compact = separator === '';
  const part = {
    y: shortYear ? '[0-9]{2}' : '[0-9]{4}',
    m: compact ? '(0[1-9]|1[0-2])' : UP_TO_12,
    d: compact ? '(0[1-9]|[12][0-9]|3[01])' : UP_TO_31,
  };
  const between = separator === '' ? '' : `[${separator}]`;
  const day = partsOf({ order })
    .map((one) => part[one])
    .join(between);
  return `^(${day})${TIME}$`;
}

/** SQL of the day that a text counts, whose shape is known. */
export function dayOfCounted(text: string, counted: Counted): string {
  if (counted === 'excelDays') return `CAST(${EXCEL_DAY_ZERO} + CAST(substr(${text}, 1, 5) AS INTEGER) AS DATE)`;
  // The first ten figures of milliseconds are seconds.
  return `CAST(DATE '1970-01-01' + CAST(floor(CAST(substr(${text}, 1, 10) AS BIGINT) / 86400.0) AS INTEGER) AS DATE)`;
}
