import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { literal, openEngine } from '../../base/duckdb/engine.ts';
import type { WarehouseOptions } from '../../providers/warehouses/connector.ts';
import { openWarehouse } from '../../providers/warehouses/index.ts';
import type { PostgresConnector } from '../../providers/warehouses/postgres/parameters.ts';
import type { Warehouse } from '../../providers/warehouses/warehouse.ts';
import { CUSTOMERS } from '../contracts/warehouse.ts';
import { openPostgres } from './postgres.ts';

const LIMITS = { threads: 1, memoryMb: 256 };

/** Of the role that reads. */
export const PASSWORD = 's3cret-of-the-reader';

/** Never aborted. */
export const UNABORTED = { signal: new AbortController().signal };

/** What a test says about the connector `crm`. */
export interface Change {
  readonly config?: Partial<PostgresConnector['config']>;
  readonly options?: Partial<WarehouseOptions>;
}

/** A Postgres with the customers of the contract in the schema `shop`, and a role that may do more than it should. */
export interface PostgresShop extends AsyncDisposable {
  /** Folder for what a test makes: emptied by `tidy`. */
  readonly folder: string;
  readonly file: string;
  /** Runs a statement as the owner of everything. */
  admin(sql: string, values?: readonly unknown[]): Promise<any[]>;
  /** The connection of the role that reads. */
  source(): string;
  open(change?: Change, folder?: string): Promise<Warehouse>;
  /** Rows of `file`. */
  rows(select?: string): Promise<Record<string, unknown>[]>;
  /** What the server does for our warehouses. */
  sessions(): Promise<{ state: string; query: string }[]>;
  /** Closes the warehouses that a test opened, and removes what it made. */
  tidy(): Promise<void>;
  /** Data folder of the server. */
  readonly dataFolder: string;
  readonly pool: Awaited<ReturnType<typeof openPostgres>>['database']['pool'];
}

export async function openPostgresShop(): Promise<PostgresShop> {
  const postgres = await openPostgres();
  const { pool } = postgres.database;
  const opened: Warehouse[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-shop-'));
  const file = join(folder, 'answer.parquet');
  const source = () => postgres.url.replace('holdfast@', `reader:${PASSWORD}@`);
  const admin: PostgresShop['admin'] = async (sql, values = []) => (await pool.query(sql, [...values])).rows;
  const tidy = async () => {
    for (const warehouse of opened.splice(0)) await warehouse.close();
    await rm(file, { force: true });
  };
  for (const sql of SHOP) await admin(sql);
  await using engine = await openEngine({ ...LIMITS, scratchFolder: folder });
  for (const row of await engine.rows(CUSTOMERS)) {
    await admin('INSERT INTO shop.customers VALUES ($1, $2, $3, $4, $5, $6)', Object.values(row));
  }
  return {
    folder,
    dataFolder: postgres.dataFolder,
    file,
    pool,
    admin,
    source,
    async open({ config = {}, options = {} } = {}, place = folder) {
      const warehouse = await openWarehouse(
        { connectorId: 'crm', type: 'postgres', config: { query: 'SELECT 1', ...config } },
        {
          baseFolder: place,
          source: source(),
          sampleFolder: join(place, 'sample'),
          asOf: new Date('2026-11-23T02:00:00Z'),
          scratchFolder: place,
          resources: LIMITS,
          signal: UNABORTED.signal,
          ...options,
        },
      );
      opened.push(warehouse);
      return warehouse;
    },
    async rows(select = '*') {
      await using reader = await openEngine({ ...LIMITS, scratchFolder: tmpdir() });
      return await reader.rows(`SELECT ${select} FROM read_parquet(${literal(file)}) ORDER BY ALL`);
    },
    sessions: () => admin(`SELECT state, query FROM pg_stat_activity WHERE application_name = 'holdfast extract'`),
    tidy,
    async [Symbol.asyncDispose]() {
      await tidy();
      await rm(folder, { recursive: true, force: true });
      await postgres[Symbol.asyncDispose]();
    },
  };
}

const SHOP = [
  `CREATE ROLE reader LOGIN PASSWORD ${literal(PASSWORD)}`,
  'CREATE SCHEMA shop',
  // More than a reader should have: what stops it from writing is the transaction.
  'GRANT ALL ON SCHEMA shop TO reader',
  'ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON TABLES TO reader',
  'ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON SEQUENCES TO reader',
  'ALTER ROLE reader SET search_path = shop, archive',
  // The embedded server would notice by itself that a client is gone.
  'ALTER ROLE reader SET client_connection_check_interval = 0',
  `CREATE TABLE shop.customers
    (customer_id text, score float8, lifetime_value float8, tier text, program_id text, offered_at timestamp)`,
  // What the contract's queries call, by the names that DuckDB gives it.
  `CREATE FUNCTION shop.error(reason text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '%', reason; END $$`,
  `CREATE FUNCTION shop.range(size bigint) RETURNS TABLE (range bigint) LANGUAGE sql AS
    'SELECT generate_series(0, size - 1)'`,
];
