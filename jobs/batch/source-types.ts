import { isNumeric } from '../../base/duckdb/number-types.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { SourceTypes } from '../../database/runs/runs.ts';
import { tablesOf } from '../../providers/warehouses/missing-column.ts';
import type { Warehouse } from '../../providers/warehouses/warehouse.ts';

/** Types of the columns that the query of one connector reads, by table and column. */
type ColumnTypes = SourceTypes[string];

/** The types of the last batch's sources, and the run that it was. */
export interface EarlierTypes {
  readonly run: string;
  readonly sources: SourceTypes;
}

/** Columns that a person is told. */
const MOST_NAMED = 10;

const EVERY_COLUMN = /(?:\bselect(?:\s+distinct)?|,)\s*(?:[\w"]+\.)?\*|^\s*from\b/i;

/** What the columns are that a query names, all of them where it takes all. */
export async function readTypes(warehouse: Warehouse, query: string): Promise<ColumnTypes> {
  const isRead = (column: string) => EVERY_COLUMN.test(query) || names(query, column);
  const types: Record<string, Record<string, string>> = {};
  for (const [table, columns] of await tablesOf(warehouse, query)) {
    types[table] = Object.fromEntries(columns.filter(({ name }) => isRead(name)).map(({ name, type }) => [name, type]));
  }
  return types;
}

function names(query: string, column: string): boolean {
  const text = column.replaceAll('"', '""').replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${text}(?![\\p{L}\\p{N}_])`, 'iu').test(query);
}

/** Columns that are of another kind than in the last batch; that an integer is a wider one now changes nothing. */
function changedTypes(connectorId: string, now: ColumnTypes, earlier: EarlierTypes | undefined): string[] {
  const changed: string[] = [];
  for (const [table, columns] of Object.entries(earlier?.sources[connectorId] ?? {})) {
    for (const [column, was] of Object.entries(columns)) {
      const is = now[table]?.[column];
      if (is !== undefined && kindOf(is) !== kindOf(was)) changed.push(`${column} of ${table} is ${is} and was ${was}`);
    }
  }
  return changed;
}

/** As Postgres calls what DuckDB calls otherwise. A list of numbers, or of texts, is neither. */
const POSTGRES_NUMBER = /^(?:double precision|real|numeric)$/;
const TEXT = /^(?:varchar|text|character|character varying|citext|string)$/;

function kindOf(type: string): string {
  const plain = type.toLowerCase().replaceAll(/\(.*?\)/g, '');
  if (isNumeric(plain.toUpperCase()) || POSTGRES_NUMBER.test(plain)) return 'number';
  return TEXT.test(plain) ? 'text' : plain.replace(' without time zone', '');
}

/** How Postgres, and DuckDB, say that a type does not suit an operator, a function, a cast or a value. */
const OF_TYPES =
  /\(SQLSTATE (?:42804|42846|42883|42P18|22\w{3})\)|Binder Error: (?:Cannot|No function|Could not choose)|Conversion Error/;

/**
 * The failure of a query, with the columns whose types have changed since the last batch; where none did, or nothing is known
 * of one, with the types of those that it reads. Neither database names the column.
 */
export function withTypes(
  error: unknown,
  connectorId: string,
  now: ColumnTypes,
  earlier: EarlierTypes | undefined,
): unknown {
  if (!(error instanceof HoldfastError) || !OF_TYPES.test(error.message)) return error;
  const changed = changedTypes(connectorId, now, earlier);
  const all = Object.entries(now).flatMap(([table, columns]) =>
    Object.entries(columns).map(([column, type]) => `${column} of ${table} is ${type}`),
  );
  const told =
    changed.length > 0
      ? `since ${earlier?.run} ${few(changed)}: make it what it was, or cast it in the query`
      : `of the columns that the query reads ${few(all)}`;
  if (changed.length + all.length === 0) return error;
  return new HoldfastError(error.code, `${error.message.replace(/\.$/, '')}; ${told}.`, { cause: error.cause });
}

/** What a person should know where the query still runs; one line. */
export function typeWarnings(connectorId: string, now: ColumnTypes, earlier: EarlierTypes | undefined): string[] {
  const changed = changedTypes(connectorId, now, earlier);
  if (changed.length === 0) return [];
  return [`Connector ${connectorId}: since ${earlier?.run} ${few(changed)}: does the query still read what was meant?`];
}

function few(all: readonly string[]): string {
  const more = all.length - MOST_NAMED;
  return `${all.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
