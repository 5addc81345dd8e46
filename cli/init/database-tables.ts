import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { literal, openEngine } from '../../base/duckdb/engine.ts';
import { readingFrom } from '../../providers/warehouses/duckdb/failure.ts';
import { openWarehouse } from '../../providers/warehouses/index.ts';
import { isLabelName } from './label.ts';
import { NAMING_RULES } from './naming-rules.ts';
import { CONNECTOR_ID, type SourceOptions } from './source.ts';
import { refuseOddFile } from './source-file.ts';
import { rolesByName } from './transactions/roles.ts';
import { wordsOf } from './words.ts';

/** A table, or view, of a database, and what its columns' names say. */
export interface DatabaseTable {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'view';
  /** As the database estimates them; undefined where it does not. */
  readonly rows: number | undefined;
  /** What it seems to hold: undefined of neither. */
  readonly holds: 'customers' | 'transactions' | undefined;
  /** Columns that look like ids of customers or purchases, and like days. */
  readonly ids: readonly string[];
  readonly days: readonly string[];
  /** The more, the likelier it is to make a program. */
  readonly fit: number;
}

/** Tables that are read of a database, and columns of each. */
const MOST_TABLES = 500;
const MOST_COLUMNS = 500;

/** Tables and views of Postgres, but for the server's own and Holdfast's; a partition is of its table. */
const NAMED = `pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'holdfast')`;
const READABLE = `has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')`;

/** Those that the role may not read, by schema; as SQL names schema and role. */
const POSTGRES_DENIED = `
  SELECT quote_ident(n.nspname) AS schema_name, count(*)::int AS tables, quote_ident(current_user) AS role_name
  FROM ${NAMED} AND NOT (${READABLE}) GROUP BY n.nspname ORDER BY n.nspname`;

/** Tables that a role has no right to. */
export interface DeniedTables {
  readonly schema: string;
  readonly tables: number;
  readonly role: string;
}

const POSTGRES_TABLES = `
  SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, c.relkind IN ('v', 'm') AS is_view,
    CASE WHEN c.reltuples >= 0 AND c.relkind <> 'v' THEN c.reltuples::float8 END AS row_count,
    (SELECT string_agg(a.attname::text || chr(9) || format_type(a.atttypid, NULL), chr(10) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum BETWEEN 1 AND ${MOST_COLUMNS} AND NOT a.attisdropped) AS column_list
  FROM ${NAMED} AND ${READABLE}
  ORDER BY n.nspname, c.relname
  LIMIT ${MOST_TABLES}`;

const DUCKDB_TABLES = `
  WITH named AS (
    SELECT schema_name, table_name, false AS is_view, CAST(estimated_size AS DOUBLE) AS row_count
    FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT schema_name, view_name, true, NULL FROM duckdb_views() WHERE NOT internal)
  SELECT named.*, (SELECT string_agg(column_name || chr(9) || data_type, chr(10) ORDER BY column_index) FROM duckdb_columns() AS c
    WHERE c.schema_name = named.schema_name AND c.table_name = named.table_name AND column_index <= ${MOST_COLUMNS}) AS column_list
  FROM named ORDER BY ALL LIMIT ${MOST_TABLES}`;

interface Row {
  readonly schema_name: string;
  readonly table_name: string;
  readonly is_view: boolean;
  readonly row_count: number | null;
  readonly column_list: string | null;
}

/**
 * Tables and views of a Postgres, the likeliest first, and those that the role may not read.
 * @throws HF_USAGE, HF_WAREHOUSE_UNREADABLE
 */
export async function postgresTables(
  connectorId: string,
  connection: string | undefined,
  options: SourceOptions,
): Promise<{ readonly tables: DatabaseTable[]; readonly denied: readonly DeniedTables[] }> {
  const folder = await mkdtemp(join(options.scratchFolder, 'tables-'));
  try {
    const place = { baseFolder: folder, sampleFolder: folder, scratchFolder: folder, asOf: new Date(0) };
    const warehouse = await openWarehouse(
      { connectorId, type: 'postgres', config: { query: 'SELECT 1' } },
      { ...options, ...place, source: connection },
    );
    try {
      const file = join(folder, 'tables.parquet');
      await warehouse.extract({ query: POSTGRES_TABLES }, file, { signal: options.signal });
      const rights = join(folder, 'denied.parquet');
      await warehouse.extract({ query: POSTGRES_DENIED }, rights, { signal: options.signal });
      await using engine = await openEngine({ ...options.resources, scratchFolder: folder });
      return {
        tables: ranked(await engine.rows<Row>(`SELECT * FROM read_parquet(${literal(file)})`)),
        denied: await engine.rows<DeniedTables>(
          `SELECT schema_name AS schema, tables, role_name AS role FROM read_parquet(${literal(rights)})`,
        ),
      };
    } finally {
      await warehouse.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The same of a DuckDB file.
 * @throws HF_SOURCE_UNSUITABLE, HF_WAREHOUSE_UNREADABLE
 */
export async function duckdbTables(file: string, options: SourceOptions): Promise<DatabaseTable[]> {
  const path = resolve(file);
  await refuseOddFile(path, file);
  const limits = { ...options.resources, scratchFolder: options.scratchFolder };
  return readingFrom(CONNECTOR_ID, 'list its tables', async () => {
    await using engine = await openEngine({ ...limits, file: path, readOnly: true });
    return ranked(await engine.rows<Row>(DUCKDB_TABLES));
  });
}

function ranked(rows: readonly Row[]): DatabaseTable[] {
  return rows
    .map((row) => {
      const columns = (row.column_list ?? '').split('\n').map((line) => {
        // Names and types have blanks in them, as in `timestamp with time zone`.
        const [name = '', type = ''] = line.split(/\t(?=[^\t]*$)/);
        return { name, words: wordsOf(name), type };
      });
      return {
        schema: row.schema_name,
        name: row.table_name,
        kind: row.is_view ? ('view' as const) : ('table' as const),
        rows: row.row_count ?? undefined,
        ...whatItHolds(columns),
      };
    })
    .sort((a, b) => b.fit - a.fit || (b.rows ?? 0) - (a.rows ?? 0));
}

interface NamedColumn {
  readonly name: string;
  readonly words: string;
  readonly type: string;
}

/** A name says what a table could be; only its rows say what it is, and `init` looks at those. */
function whatItHolds(columns: readonly NamedColumn[]): Pick<DatabaseTable, 'holds' | 'ids' | 'days' | 'fit'> {
  const roles = columns.map((column) => ({ ...column, roles: rolesByName(column.words) }));
  const having = (...wanted: string[]) => roles.filter((one) => one.roles.some((role) => wanted.includes(role)));
  const isDay = ({ type, words }: NamedColumn) =>
    /date|time/i.test(type) || /(?:^| )(?:date|day|datum|at)(?: |$)/.test(words);
  const known = new Set(
    columns.flatMap(({ words }) =>
      NAMING_RULES.filter(({ pattern, confidence }) => confidence >= 0.7 && pattern.test(words)).map(
        ({ column }) => column,
      ),
    ),
  );
  const isCustomer = known.has('customer_id') || having('customer').length > 0;
  const bought = having('day').length > 0 && having('amount', 'basket', 'unitPrice').length > 0;
  const says = known.size - (known.has('customer_id') ? 1 : 0);
  const label = columns.some(({ words }) => isLabelName(words)) ? 2 : 0;
  const asCustomers = says + label;
  // An id and a day alone are in most tables.
  const asTransactions = bought ? 2 + having('amount').length + having('basket').length : 0;
  const holds =
    !isCustomer || asCustomers + asTransactions === 0
      ? undefined
      : asTransactions > asCustomers
        ? 'transactions'
        : 'customers';
  return {
    holds,
    ids: having('customer', 'basket').map(({ name }) => name),
    days: columns.filter(isDay).map(({ name }) => name),
    fit: holds === undefined ? 0 : 1 + Math.max(asCustomers, asTransactions),
  };
}
