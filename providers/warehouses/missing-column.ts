import { HoldfastError } from '../../base/errors.ts';
import { shortened } from '../../base/text/printable.ts';
import { nearest } from '../../base/text/spelling.ts';
import { tableNameOf, tableParts } from './table-name.ts';
import type { Warehouse, WarehouseColumn } from './warehouse.ts';

/** How DuckDB, and Postgres whatever language it speaks, say that a column is not there. */
const NAMED = [
  /Binder Error: there is no column "(.+)" to read/,
  /Binder Error: Referenced column "(.+)" not found in FROM clause/,
  /Binder Error: [A-Z][a-z ]+ "[^"]+" does not have a column named "(.+?)"/,
  /["“«„]\s?([^"”»“]+?)\s?["”»“][^"]*\(SQLSTATE 42703\)/,
  /\b[\w$]+\.([\w$]+) .*\(SQLSTATE 42703\)/,
];

/** A table after FROM or JOIN, of names that need not be there: those of the query's own tables are among them. */
const PART = String.raw`(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+")`;
const TABLE = new RegExp(String.raw`\b(?:from|join)\s+(${PART}(?:\.${PART})?)`, 'giu');

/** Most tables that are looked at, and columns that a person is told. */
const MOST_TABLES = 10;
const MOST_COLUMNS = 40;
const LONGEST_NAME = 60;

/**
 * Columns of a query, without running it.
 * @throws HF_COLUMN_MISSING when it reads a column that its tables do not have, with those that they have; what
 *   `describe` throws
 */
export async function describeQuery(
  warehouse: Warehouse,
  connectorId: string,
  query: string,
): Promise<readonly WarehouseColumn[]> {
  try {
    return await warehouse.describe(query);
  } catch (error) {
    const column = error instanceof HoldfastError ? missingIn(error) : undefined;
    if (column === undefined) throw error;
    const tables = await tablesOf(warehouse, query);
    const all = [...tables.values()].flat().map((one) => one.name);
    const meant = nearest(column, all);
    const hint = meant === undefined ? '' : ` (did you mean ${name(meant)}?)`;
    const known = [...tables].map(
      ([table, columns]) => `the columns of ${table} are ${list(columns.map((one) => one.name))}`,
    );
    const sentence = `Connector ${connectorId}: the query reads a column ${name(column)} that its source does not have${hint}`;
    throw new HoldfastError('HF_COLUMN_MISSING', [sentence, ...known].join('; '), { cause: error });
  }
}

function missingIn({ code, message }: HoldfastError): string | undefined {
  if (code !== 'HF_WAREHOUSE_UNREADABLE') return undefined;
  return NAMED.map((pattern) => pattern.exec(message)?.[1]).find((found) => found !== undefined);
}

/** Columns of the tables that a query names and the warehouse has. */
export async function tablesOf(
  warehouse: Warehouse,
  query: string,
): Promise<ReadonlyMap<string, readonly WarehouseColumn[]>> {
  const found = new Map<string, readonly WarehouseColumn[]>();
  const names = new Set([...query.matchAll(TABLE)].map(([, table]) => table));
  for (const table of [...names].slice(0, MOST_TABLES)) {
    if (table === undefined) continue;
    const columns = await warehouse.describeTable(table);
    if (columns !== undefined) found.set(tableNameOf(tableParts(table, '')), columns);
  }
  return found;
}

function list(columns: readonly string[]): string {
  const more = columns.length > MOST_COLUMNS ? ` and ${columns.length - MOST_COLUMNS} more` : '';
  return `${columns.slice(0, MOST_COLUMNS).map(name).join(', ')}${more}`;
}

const name = (text: string) => shortened(text, LONGEST_NAME);
