/** Order of year, month and day. */
export type DateOrder = 'ymd' | 'mdy' | 'dmy';

/** How the days of a column are written; a time of day may follow. */
export interface DateFormat {
  readonly order: DateOrder;
  /** Between the figures; empty for 20261231. */
  readonly separator: '-' | '/' | '.' | '';
  /** Whether the year has two figures: 69 to 99 are of the last century. */
  readonly shortYear: boolean;
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
export function example({ order, separator, shortYear }: DateFormat): string {
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
export function shapeOfDate({ order, separator, shortYear }: DateFormat): string {
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
