/** How numbers are written in a column of text: 1234.5, 1.234,5 or $1,234.50. */
export type NumberFormat = 'plain' | 'comma' | 'dressed';

/** How days are written: 2026-11-23, 23.11.2026, 11/23/2026, 23/11/2026 or 20261123. */
export type DateFormat = 'iso' | 'dotted' | 'month-first' | 'day-first' | 'compact';

/** The few expressions in which SQL of DuckDB and of Postgres differ. */
export interface Dialect {
  readonly double: string;
  /** A text as a number; NULL where it is none. */
  number(text: string, format: NumberFormat): string;
  /** A text, or a date, as a day; NULL where it is none. */
  day(text: string, format: DateFormat): string;
  /** Whole days from one day to another. */
  daysBetween(earlier: string, later: string): string;
  /** The number where it is finite, else NULL. */
  finite(number: string): string;
}

const STRPTIME: Readonly<Record<Exclude<DateFormat, 'iso'>, string>> = {
  dotted: '%d.%m.%Y',
  'month-first': '%m/%d/%Y',
  'day-first': '%d/%m/%Y',
  compact: '%Y%m%d',
};

export const DUCKDB: Dialect = {
  double: 'DOUBLE',
  number: (text, format) => {
    switch (format) {
      case 'plain':
        return `TRY_CAST(${text} AS DOUBLE)`;
      case 'comma':
        return `TRY_CAST(replace(replace(${text}, '.', ''), ',', '.') AS DOUBLE)`;
      case 'dressed':
        return `TRY_CAST(regexp_replace(${text}, '[$€£¥%, ]', '', 'g') AS DOUBLE)`;
    }
  },
  // A time of day after the day is of no interest here.
  day: (text, format) =>
    format === 'iso'
      ? `TRY_CAST(${text} AS DATE)`
      : `CAST(try_strptime(split_part(${text}, ' ', 1), '${STRPTIME[format]}') AS DATE)`,
  daysBetween: (earlier, later) => `date_diff('day', ${earlier}, ${later})`,
  finite: (number) => `CASE WHEN isfinite(${number}) THEN ${number} END`,
};
