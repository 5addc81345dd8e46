import { identifier, literal } from '../../base/duckdb/engine.ts';
import { REJECTED_BECAUSE } from '../../customers/columns/candidate.ts';
import { inWords } from './date-format.ts';
import { mistakenFor } from './date-order.ts';
import type { Dialect } from './dialect.ts';
import { cleaned, MISSING, misfit, missingWords, read } from './expressions.ts';
import { type OptionalSource, sourceWithOptional } from './optional-source.ts';
import { inOtherOrder, isAnother, type Ordered } from './other-order.ts';
import type { ColumnProfile } from './profile.ts';

/** What of a table is read, and how. */
export interface Reading {
  /** As SQL names it. */
  readonly table: string;
  readonly dialect: Dialect;
  readonly sources: readonly ColumnProfile[];
  /** Names of columns that are ids: a text, whatever they look like. */
  readonly ids: readonly string[];
  /** Names of columns whose days are of what has happened. */
  readonly past: readonly string[];
  /** Columns that a later source may lack. */
  readonly optional?: readonly OptionalSource[];
  /** SQL of why a row is set apart beside what is not written like the others, each NULL where it is not. */
  readonly faults: readonly string[];
}

/** A table that a query begins with, with a comment before it. */
export interface CommonTable {
  readonly comments: readonly string[];
  readonly lines: readonly string[];
}

/** Lines of the tables that a query begins with. */
export function joined(tables: readonly CommonTable[]): string[] {
  return tables.flatMap(({ comments, lines }, index) => [
    ...comments.map((comment) => `-- ${comment}`),
    ...lines.map((line, place) => {
      const first = index === 0 && place === 0 ? `WITH ${line}` : line;
      return place === lines.length - 1 && index < tables.length - 1 ? `${first},` : first;
    }),
  ]);
}

const GIVEN = 'given';
/** The table of the columns as numbers and days. */
export const KNOWN = 'known';
const DATE_ORDER = 'date_order';

/** The tables that read what is written, up to `KNOWN`. */
export function readingTables(reading: Reading): CommonTable[] {
  return [...given(reading), ...dateOrder(reading), known(reading)];
}

/** Whether `KNOWN` has the column `REJECTED_BECAUSE`. */
export function hasFaults(reading: Reading): boolean {
  return faultsOf(reading).length > 0;
}

/** The columns as they are written, texts without what stands for a missing value. */
function given({ table, dialect, sources, optional = [] }: Reading): CommonTable[] {
  const source = optional.length === 0 ? undefined : sourceWithOptional(table, sources, optional, dialect);
  const columns = sources.map((source) => `    ${cleaned(source, dialect)}`);
  return [
    ...(source === undefined ? [] : [source]),
    {
      comments: ['What stands for a missing value, in whatever case.'],
      lines: [missingWords(dialect)],
    },
    {
      comments: [],
      lines: [
        `${GIVEN} ${dialect.inlined} (`,
        '  SELECT',
        ...columns.map((column, index) => (index === columns.length - 1 ? column : `${column},`)),
        `  FROM ${source?.name ?? table} CROSS JOIN ${MISSING}`,
        ')',
      ],
    },
  ];
}

/** Columns of days whose figures could be read in another order. */
function ordered({ sources, past, dialect }: Reading): Ordered[] {
  return sources.flatMap((source) => inOtherOrder(source, past.includes(source.name), dialect) ?? []);
}

/** Whether the days of a file are written in another order than those that the program was made from. */
function dateOrder(reading: Reading): CommonTable[] {
  const columns = ordered(reading);
  if (columns.length === 0) return [];
  return [
    {
      comments: [
        'Whether more days of this file can only be read in another order than in the one below, or have come in that only.',
      ],
      lines: [`${DATE_ORDER} AS (`, ...isAnother(columns, reading.dialect), `  FROM ${GIVEN}`, ')'],
    },
  ];
}

/** The columns as numbers and days, and why a row is set apart. */
function known(reading: Reading): CommonTable {
  const { dialect, sources, ids } = reading;
  const faults = faultsOf(reading);
  const columns = [
    ...sources.map((source) => (ids.includes(source.name) ? identifier(source.name) : read(source, dialect))),
    ...(faults.length === 0 ? [] : [`concat_ws('; ',\n      ${faults.join(',\n      ')}) AS ${REJECTED_BECAUSE}`]),
  ];
  return {
    comments:
      faults.length === 0
        ? []
        : ['Numbers and days. A row with a value that is not written like those of the first file is set apart.'],
    lines: [
      `${KNOWN} ${dialect.inlined} (`,
      '  SELECT',
      ...columns.map((column, index) => `    ${column}${index === columns.length - 1 ? '' : ','}`),
      `  FROM ${[GIVEN, ...(ordered(reading).length === 0 ? [] : [DATE_ORDER])].join(' CROSS JOIN ')}`,
      ')',
    ],
  };
}

/** SQL of why a row is set apart, each NULL where it is not. */
function faultsOf(reading: Reading): string[] {
  const { sources, ids, dialect, faults } = reading;
  const written = sources.filter(({ name }) => !ids.includes(name)).flatMap((source) => misfit(source, dialect) ?? []);
  const misfits = [...written, ...faults];
  const [format] = sources.flatMap(({ kind, dateFormat }) =>
    kind === 'date' && dateFormat !== undefined && mistakenFor(dateFormat) !== undefined ? [dateFormat] : [],
  );
  const other = format === undefined ? undefined : mistakenFor(format);
  if (format === undefined || other === undefined || ordered(reading).length === 0) return misfits;
  const reason = `days of this file written ${inWords(other)} rather than ${inWords(format.order)}`;
  return [...misfits, `CASE WHEN ${DATE_ORDER}.is_another THEN ${literal(reason)} END`];
}
