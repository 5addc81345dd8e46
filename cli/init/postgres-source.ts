import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, identifier, literal, openEngine } from '../../base/duckdb/engine.ts';
import { customerCounts, customerIdInPostgres, POSTGRES_KNOWS_UNICODE } from '../../customers/columns/customer-id.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import { openWarehouse } from '../../providers/warehouses/index.ts';
import { tableParts } from '../../providers/warehouses/table-name.ts';
import type { Warehouse } from '../../providers/warehouses/warehouse.ts';
import { idKind, postgresDialect } from './postgres-dialect.ts';
import { FILE_TABLE, type Source, type SourceOptions, valueCounts } from './source.ts';

/** Rows that come over the wire to be looked at, of a larger table evenly spread. */
const MOST_ROWS = 100_000;

/**
 * Reads a sample of a table of Postgres, in a read-only transaction, into a file that is looked at like any other.
 * @param connection URL, a secret
 * @throws HF_USAGE, HF_WAREHOUSE_UNREADABLE, HF_SOURCE_UNSUITABLE, HF_DISK_FULL
 */
export async function openPostgresTable(
  table: string,
  connectorId: string,
  connection: string | undefined,
  options: SourceOptions,
): Promise<Source> {
  const folder = await mkdtemp(join(options.scratchFolder, 'source-'));
  let engine: Engine | undefined;
  let warehouse: Warehouse | undefined;
  const close = async () => {
    engine?.close();
    await warehouse?.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    warehouse = await openWarehouse(
      { connectorId, type: 'postgres', config: { query: 'SELECT 1' } },
      {
        ...options,
        source: connection,
        baseFolder: folder,
        sampleFolder: folder,
        asOf: new Date(0),
        scratchFolder: folder,
      },
    );
    engine = await openEngine({ ...options.resources, scratchFolder: folder });
    return await copied(table, connectorId, { engine, warehouse, folder, close, signal: options.signal });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opened extends Pick<SourceOptions, 'signal'> {
  readonly engine: Engine;
  readonly warehouse: Warehouse;
  readonly folder: string;
  readonly close: () => Promise<void>;
}

async function copied(table: string, connectorId: string, opened: Opened): Promise<Source> {
  const { engine, warehouse, folder, close, signal } = opened;
  const { schema, name } = tableParts(table, connectorId);
  const quoted = schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`;
  if ((await warehouse.describeTable(table)) === undefined) throw unsuitable(`There is no table ${table}.`);
  /** One row of whole numbers that the server counts. */
  const counts = async (select: string): Promise<number[]> => {
    const file = join(folder, 'counts.parquet');
    await warehouse.extract({ query: select }, file, { signal });
    const [row] = await engine.rows<Record<string, string>>(`SELECT * FROM read_parquet(${literal(file)})`);
    return Object.values(row ?? {}).map(Number);
  };
  const [rows = 0] = await counts(`SELECT count(*) AS total FROM ${quoted}`);
  if (rows === 0) throw unsuitable(`The table ${table} has no row.`);
  const [composes] = await counts(`SELECT CAST(${POSTGRES_KNOWS_UNICODE} AS integer) AS unicode`);
  const unicode = composes === 1;
  const every = Math.ceil(rows / MOST_ROWS);
  const file = join(folder, 'sample.parquet');
  // By a hash of the row, which a view has as well as a table, and which is the same every time.
  const chosen = every === 1 ? '' : ` WHERE CAST(hashtext(CAST(given AS TEXT)) AS BIGINT) % ${every} = 0`;
  await warehouse.extract({ query: `SELECT * FROM ${quoted} AS given${chosen}` }, file, { signal });
  await engine.run(`CREATE VIEW ${FILE_TABLE} AS SELECT * FROM read_parquet(${literal(file)})`);
  const columns = await engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE ${FILE_TABLE}`);
  const [sampled] = await engine.rows<{ count: string }>(`SELECT count(*) AS count FROM ${FILE_TABLE}`);
  return {
    engine,
    table: FILE_TABLE,
    tableName: FILE_TABLE,
    columns: columns.map(({ column_name, column_type }) => ({ name: column_name, type: column_type })),
    rows: Number(sampled?.count ?? 0),
    count: (figures) =>
      counts(`SELECT ${figures.map((figure, index) => `${figure} AS figure_${index}`).join(', ')} FROM ${quoted}`),
    async answer(query, table) {
      const answered = join(folder, 'answer.parquet');
      await warehouse.extract({ query }, answered, { signal });
      await engine.run(
        `CREATE OR REPLACE TEMP TABLE ${identifier(table)} AS SELECT * FROM read_parquet(${literal(answered)})`,
      );
    },
    async countCustomers(column) {
      const type = columns.find(({ column_name }) => column_name === column)?.column_type ?? '';
      const id = customerIdInPostgres(identifier(column), idKind(type), unicode);
      const [total = 0, filled = 0, customers = 0] = await counts(`SELECT ${customerCounts(id)} FROM ${quoted}`);
      return { total, filled, customers };
    },
    async countValues(column, most) {
      const values = join(folder, 'values.parquet');
      await warehouse.extract({ query: valueCounts(column, quoted, most) }, values, { signal });
      const found = await engine.rows<{ value: string; count: string }>(
        `SELECT * FROM read_parquet(${literal(values)}) ORDER BY count DESC, value`,
      );
      return found.map(({ value, count }) => ({ value, rows: Number(count) }));
    },
    check: async (query) => void (await warehouse.describe(query)),
    written: { dialect: postgresDialect(unicode), table: quoted },
    [Symbol.asyncDispose]: close,
  };
}
