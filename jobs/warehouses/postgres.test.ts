import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CUSTOMERS, warehouseContract } from '../../test/contracts/warehouse.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { until } from '../../test/support/until.ts';
import { literal, openEngine } from '../columns/engine.ts';
import { type DataConnector, openWarehouse, type WarehouseOptions } from './index.ts';
import type { Warehouse } from './warehouse.ts';

const limits = { threads: 1, memoryMb: 256 };
const PASSWORD = 's3cret-of-the-reader';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
  await admin('CREATE ROLE reader LOGIN PASSWORD ' + literal(PASSWORD));
  await admin('CREATE SCHEMA shop');
  await admin('GRANT USAGE ON SCHEMA shop TO reader');
  await admin('ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON TABLES TO reader');
  await admin('ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON SEQUENCES TO reader');
  await admin('ALTER ROLE reader SET search_path = shop');
  await admin(`CREATE TABLE shop.customers
    (customer_id text, score float8, lifetime_value float8, tier text, program_id text, offered_at timestamp)`);
  await using engine = await openEngine({ ...limits, scratchFolder: tmpdir() });
  const rows = await engine.rows<Record<string, unknown>>(CUSTOMERS);
  for (const row of rows) await admin('INSERT INTO shop.customers VALUES ($1, $2, $3, $4, $5, $6)', Object.values(row));
  // What the contract's queries call, by the names that DuckDB gives it.
  await admin(`CREATE FUNCTION shop.error(reason text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '%', reason; END $$`);
  await admin(`CREATE FUNCTION shop.range(size bigint) RETURNS TABLE (range bigint) LANGUAGE sql AS
    'SELECT generate_series(0, size - 1)'`);
});
afterAll(() => postgres[Symbol.asyncDispose]() as Promise<void>);

async function admin(sql: string, values: unknown[] = []): Promise<any[]> {
  return (await postgres.database.pool.query(sql, values)).rows;
}

function source(): string {
  return postgres.url.replace('holdfast@', `reader:${PASSWORD}@`);
}

function open(folder: string, config: Partial<DataConnector['config']> = {}, more: Partial<WarehouseOptions> = {}) {
  const connector: DataConnector = { connectorId: 'crm', type: 'postgres', config: { query: 'SELECT 1', ...config } };
  return openWarehouse(connector, {
    baseFolder: folder,
    source: source(),
    sampleFolder: join(folder, 'sample'),
    asOf: new Date('2026-11-23T02:00:00Z'),
    scratchFolder: folder,
    resources: limits,
    signal: new AbortController().signal,
    ...more,
  });
}

warehouseContract('Postgres', (folder) => open(folder));
