import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Engine, identifier } from '../../base/duckdb/engine.ts';
import { refusal } from '../../base/duckdb/select.ts';
import { customerCounts, customerIdInDuckdb } from '../../customers/columns/customer-id.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import { readingFrom } from '../../providers/warehouses/duckdb/failure.ts';
import { asPattern, fileFormat } from '../../providers/warehouses/duckdb/file-format.ts';
import { openSource } from '../../providers/warehouses/duckdb/source.ts';
import { refuseOtherDayZero } from '../../providers/warehouses/duckdb/workbook.ts';
import { tableParts } from '../../providers/warehouses/table-name.ts';
import type { Dialect } from './dialect.ts';
import { refuseOddFile } from './source-file.ts';
import { shown } from './words.ts';

/** What may be used of the machine to look at a source. */
export interface SourceOptions {
  readonly scratchFolder: string;
  readonly resources: { readonly threads: number; readonly memoryMb: number };
  readonly signal: AbortSignal;
}

/** A file that was opened, and what is known of it before its rows are looked at. */
export interface Source extends AsyncDisposable {
  readonly engine: Engine;
  /** The table as SQL names it. */
  readonly table: string;
  /** Its name without quotes. */
  readonly tableName: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: number;
  /** Rows of the whole source, those with a value in a column, and its different values. */
  countCustomers(column: string): Promise<CustomerCounts>;
  /** The different values of a column of the whole source as trimmed texts, most frequent first; at most so many. */
  countValues(column: string, most: number): Promise<readonly ValueCount[]>;
  /** Figures of the whole source, such as `count(*) FILTER (…)`, in the SQL that the program's query is written in. */
  count(figures: readonly string[]): Promise<number[]>;
  /** Makes a table of the answer to a SELECT in that same SQL. */
  answer(query: string, table: string): Promise<void>;
  /** Asks the source whether it understands a query. */
  check?(query: string): Promise<void>;
  /** How the program's query is written, where that is not the SQL of the file. */
  readonly written?: Written;
}

export interface CustomerCounts {
  readonly total: number;
  readonly filled: number;
  readonly customers: number;
}

export interface ValueCount {
  readonly value: string;
  readonly rows: number;
}

/** SELECT of the different values of a column, with their rows. */
export function valueCounts(column: string, table: string, most: number): string {
  const text = `trim(CAST(${identifier(column)} AS VARCHAR))`;
  return `SELECT ${text} AS value, count(*) AS count FROM ${table} WHERE ${text} <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${most}`;
}

/** The warehouse's own SQL. */
export interface Written {
  readonly dialect: Dialect;
  /** As its SQL names it. */
  readonly table: string;
}

export const CONNECTOR_ID = 'customers';
/** What the query calls the rows of a file. */
export const FILE_TABLE = 'customers';

/** Whether a file holds several tables, so that one has to be named. */
export function isDatabase(path: string): boolean {
  return fileFormat(path) === 'database';
}

/**
 * Opens a CSV, JSON, Parquet, Excel or DuckDB file, locked: no statement reaches another file.
 * @param table of a database file, or the sheet of a workbook
 * @param allVarchar whether the columns of a CSV file are the texts that are written there, or have types
 * @throws HF_WAREHOUSE_UNREADABLE, HF_SOURCE_UNSUITABLE, HF_DISK_FULL
 */
export async function openFile(
  file: string,
  table: string | undefined,
  allVarchar: boolean,
  options: SourceOptions,
): Promise<Source> {
  const path = resolve(file);
  await refuseOddFile(path, file);
  if (isDatabase(path) && table === undefined)
    throw unsuitable(`${file} is a database: name its table with --table TABLE.`);
  const folder = await mkdtemp(join(options.scratchFolder, 'source-'));
  const forget = () => rm(folder, { recursive: true, force: true });
  try {
    const config = isDatabase(path)
      ? { path, query: '' }
      : {
          path: asPattern(path),
          table: FILE_TABLE,
          allVarchar,
          query: '',
          ...(table === undefined ? {} : { sheet: table }),
        };
    const warehouse = { ...options, baseFolder: '/', sampleFolder: folder, asOf: new Date(0), scratchFolder: folder };
    const engine = await openSource({ connectorId: CONNECTOR_ID, type: 'duckdb', config }, warehouse, folder);
    try {
      const close = async () => {
        engine.close();
        await forget();
      };
      return {
        ...(await described(engine, isDatabase(path) ? (table ?? '') : FILE_TABLE)),
        ...(fileFormat(path) === 'workbook'
          ? { check: (query: string) => refuseOtherDayZero(CONNECTOR_ID, path, query) }
          : {}),
        [Symbol.asyncDispose]: close,
      };
    } catch (error) {
      engine.close();
      throw error;
    }
  } catch (error) {
    await forget();
    throw error;
  }
}

async function described(engine: Engine, table: string): Promise<Omit<Source, typeof Symbol.asyncDispose>> {
  const { schema, name } = tableParts(table, CONNECTOR_ID);
  const quoted = schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`;
  const refused = await refusal(engine, `SELECT * FROM ${quoted}`);
  if (refused !== undefined) throw unsuitable(`${shown(table)} cannot be read: ${refused}.`);
  const columns = await readingFrom(CONNECTOR_ID, `read the table ${table}`, () =>
    engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE SELECT * FROM ${quoted}`),
  );
  const names = columns.map(({ column_name }) => column_name);
  refuseDataForHeader(
    names,
    await readingFrom(CONNECTOR_ID, 'look at its header', () => ofNumbers(engine, quoted, names)),
  );
  const [counted] = await readingFrom(CONNECTOR_ID, 'count its rows', () =>
    engine.rows<{ count: string }>(`SELECT count(*) AS count FROM ${quoted}`),
  );
  const rows = Number(counted?.count ?? 0);
  if (rows === 0) throw unsuitable('There is a header, but no row below it.');
  return {
    engine,
    table: quoted === '"customers"' ? 'customers' : quoted,
    tableName: table,
    columns: columns.map(({ column_name, column_type }) => ({ name: column_name, type: column_type })),
    rows,
    count: (figures) =>
      readingFrom(CONNECTOR_ID, 'count its rows', async () => {
        const selects = figures.map((figure, index) => `${figure} AS figure_${index}`);
        const [row] = await engine.rows<Record<string, string>>(`SELECT ${selects.join(', ')} FROM ${quoted}`);
        return Object.values(row ?? {}).map(Number);
      }),
    answer: (query, table) =>
      readingFrom(CONNECTOR_ID, 'read its rows', () =>
        engine.run(`CREATE OR REPLACE TEMP TABLE ${identifier(table)} AS ${query}`),
      ),
    async countCustomers(column) {
      const type = columns.find(({ column_name }) => column_name === column)?.column_type ?? 'VARCHAR';
      const { id } = customerIdInDuckdb(identifier(column), type);
      const [counts] = await readingFrom(CONNECTOR_ID, 'count its customers', () =>
        engine.rows<Record<keyof CustomerCounts, string>>(`SELECT ${customerCounts(id)} FROM ${quoted}`),
      );
      return { total: Number(counts?.total), filled: Number(counts?.filled), customers: Number(counts?.customers) };
    },
    async countValues(column, most) {
      const rows = await readingFrom(CONNECTOR_ID, 'count the values of a column', () =>
        engine.rows<{ value: string; count: string }>(valueCounts(column, quoted, most)),
      );
      return rows.map(({ value, count }) => ({ value, rows: Number(count) }));
    },
  };
}

const MONTH_OR_YEAR = /^(?:19|20)\d\d(?:[-_]?(?:0[1-9]|1[0-2]))?$/;

/** Columns called like a month or a year that hold numbers, as far as their first rows show. */
async function ofNumbers(engine: Engine, table: string, names: readonly string[]): Promise<string[]> {
  const months = names.filter((name) => MONTH_OR_YEAR.test(name));
  if (months.length === 0) return [];
  const tests = months.map(
    (name, index) => `bool_and(TRY_CAST(${identifier(name)} AS DOUBLE) IS NOT NULL) AS m${index}`,
  );
  const [row] = await engine.rows<Record<string, boolean | null>>(
    `SELECT ${tests.join(', ')} FROM (SELECT * FROM ${table} LIMIT 100)`,
  );
  return months.filter((_, index) => row?.[`m${index}`] === true);
}

/** A file without a header line has the values of its first row for names. Months above numbers are names. */
function refuseDataForHeader(names: readonly string[], months: readonly string[]): void {
  const areNames = months.length > 1 && names.some((name) => /^\p{L}[^@]+$/u.test(name));
  const values = names.filter(
    (name) => (/^[\d.,+-]+(_\d+)?$/.test(name) && !(areNames && MONTH_OR_YEAR.test(name))) || name.includes('@'),
  );
  if (names.length > 1 && values.length * 2 <= names.length && !names.some((name) => name.includes('@'))) return;
  if (values.length === 0) return;
  throw unsuitable(
    `The first line looks like a row of data, not like a header (${values.length} of ${names.length} names are values): ` +
      'put a line with the names of the columns before it.',
  );
}

/** A sample of the rows as a table of its own, the same every time. */
export async function sampleRows(
  { engine, table, rows }: Source,
  columns: readonly { readonly name: string }[],
  name: string,
): Promise<number> {
  const most = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(MOST_VALUES / columns.length)));
  const every = Math.max(1, Math.ceil(rows / most));
  const list = columns.map((column) => identifier(column.name)).join(', ');
  const from =
    every === 1
      ? `SELECT ${list} FROM ${table}`
      : `SELECT ${list} FROM (SELECT *, row_number() OVER () AS holdfast_row FROM ${table}) WHERE hash(holdfast_row) % ${every} = 0`;
  await readingFrom(CONNECTOR_ID, 'read its rows', () =>
    engine.run(`CREATE TEMP TABLE ${identifier(name)} AS ${from}`),
  );
  const [counted] = await engine.rows<{ count: string }>(`SELECT count(*) AS count FROM ${identifier(name)}`);
  return Number(counted?.count ?? 0);
}

/** Rows, and values, that are looked at for what a column holds. */
const MOST_ROWS = 20_000;
const LEAST_ROWS = 1000;
const MOST_VALUES = 20_000_000;

/** The columns to look at: all, or, of very many, the first, the last and those whose names say something. */
export function columnsToLookAt<Column extends { readonly name: string }>(
  columns: readonly Column[],
  speaks: (name: string) => boolean,
): Column[] {
  if (columns.length <= MOST_COLUMNS) return [...columns];
  const edge = MOST_COLUMNS - LAST_COLUMNS;
  return columns.filter(
    ({ name }, index) => index < edge || index >= columns.length - LAST_COLUMNS || speaks(shown(name)),
  );
}

const MOST_COLUMNS = 500;
const LAST_COLUMNS = 20;
