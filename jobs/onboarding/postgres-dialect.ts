import type { DateFormat, Dialect, NumberFormat } from './dialect.ts';

/**
 * Postgres ends a query at the first value that it cannot cast: each cast is made only of what has the right shape, and
 * days are added up from their parts, so that 31 February is a day in March rather than the end of a run.
 */
export const POSTGRES: Dialect = {
  double: 'DOUBLE PRECISION',
  number: (text, format) => {
    const { shape, bare } = NUMBERS[format];
    return `CASE WHEN ${text} ~ '${shape}' THEN CAST(${bare(text)} AS DOUBLE PRECISION) END`;
  },
  day: (text, format) => {
    const { shape, parts } = DAYS[format];
    const [year, month, day] = parts(text).map((part) => `CAST(${part} AS INTEGER)`);
    return `CASE WHEN ${text} ~ '${shape}' THEN CAST(make_date(${year}, 1, 1) + (${month} - 1) * INTERVAL '1 month' + (${day} - 1) * INTERVAL '1 day' AS DATE) END`;
  },
  daysBetween: (earlier, later) => `(${later} - ${earlier})`,
  finite: (number) => `CASE WHEN ${number} NOT IN ('NaN', 'Infinity', '-Infinity') THEN ${number} END`,
};

const NUMBERS: Readonly<Record<NumberFormat, { readonly shape: string; readonly bare: (text: string) => string }>> = {
  plain: { shape: '^[+-]?([0-9]{1,100}[.]?[0-9]{0,100}|[.][0-9]{1,100})([eE][+-]?[0-9]{1,2})?$', bare: (text) => text },
  dressed: {
    shape: '^([+-]?[$€£¥]? ?|[$€£¥][+-])([0-9]{1,3}(,[0-9]{3}){1,20}|[0-9]{1,100})([.][0-9]{1,100})? ?[$€£¥%]?$',
    bare: (text) => `regexp_replace(${text}, '[$€£¥%, ]', '', 'g')`,
  },
  comma: {
    shape: '^[+-]?([0-9]{1,3}([.][0-9]{3}){0,20}|[0-9]{1,100})(,[0-9]{1,100})?$',
    bare: (text) => `replace(replace(${text}, '.', ''), ',', '.')`,
  },
};

/** Year, month and day, between two of these. */
const split = (separator: string, order: readonly [number, number, number]) => (text: string) =>
  order.map((place) => `split_part(split_part(${text}, ' ', 1), '${separator}', ${place})`);

const YEAR = '[12][0-9]{3}';
const UP_TO_31 = '(0?[1-9]|[12][0-9]|3[01])';
const UP_TO_12 = '(0?[1-9]|1[0-2])';

const DAYS: Readonly<Record<DateFormat, { readonly shape: string; readonly parts: (text: string) => string[] }>> = {
  iso: {
    shape: `^${YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([ T].*)?$`,
    parts: (text) => [`substr(${text}, 1, 4)`, `substr(${text}, 6, 2)`, `substr(${text}, 9, 2)`],
  },
  dotted: { shape: `^${UP_TO_31}[.]${UP_TO_12}[.]${YEAR}( .*)?$`, parts: split('.', [3, 2, 1]) },
  'month-first': { shape: `^${UP_TO_12}/${UP_TO_31}/${YEAR}( .*)?$`, parts: split('/', [3, 1, 2]) },
  'day-first': { shape: `^${UP_TO_31}/${UP_TO_12}/${YEAR}( .*)?$`, parts: split('/', [3, 2, 1]) },
  compact: {
    shape: `^${YEAR}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])( .*)?$`,
    parts: (text) => [`substr(${text}, 1, 4)`, `substr(${text}, 5, 2)`, `substr(${text}, 7, 2)`],
  },
};
