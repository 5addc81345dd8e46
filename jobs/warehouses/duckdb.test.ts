import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CUSTOMERS, warehouseContract } from '../../test/contracts/warehouse.ts';
import { literal, openEngine } from '../columns/engine.ts';
import { type DataConnector, openWarehouse, type WarehouseOptions } from './index.ts';

const limits = { threads: 1, memoryMb: 256 };

function connector(config: Partial<DataConnector['config']>): DataConnector {
  return { connectorId: 'shop', type: 'duckdb', config: { query: 'SELECT 1 AS customer_id', ...config } };
}

function options(folder: string, more: Partial<WarehouseOptions> = {}): WarehouseOptions {
  return {
    baseFolder: folder,
    sampleFolder: join(folder, 'sample'),
    asOf: new Date('2026-11-23T02:00:00Z'),
    scratchFolder: folder,
    resources: limits,
    signal: new AbortController().signal,
    ...more,
  };
}

async function database(file: string, ...statements: string[]): Promise<void> {
  await using engine = await openEngine({ ...limits, file, scratchFolder: tmpdir() });
  for (const statement of statements) await engine.run(statement);
}

async function copy(select: string, file: string): Promise<void> {
  await using engine = await openEngine({ ...limits, scratchFolder: tmpdir() });
  await engine.run(`COPY (${select}) TO ${literal(file)}`);
}

warehouseContract('a DuckDB database file', async (folder) => {
  await database(join(folder, 'shop.duckdb'), `CREATE TABLE customers AS ${CUSTOMERS}`);
  return openWarehouse(connector({ path: 'shop.duckdb' }), options(folder));
});

warehouseContract('a Parquet file', async (folder) => {
  await copy(CUSTOMERS, join(folder, 'customers.parquet'));
  return openWarehouse(connector({ path: 'customers.parquet' }), options(folder));
});

warehouseContract('several Parquet files', async (folder) => {
  await copy(`${CUSTOMERS} WHERE score < 0.6`, join(folder, 'part-1.parquet'));
  await copy(`${CUSTOMERS} WHERE score > 0.6`, join(folder, 'part-2.parquet'));
  return openWarehouse(connector({ path: 'part-*.parquet', table: 'customers' }), options(folder));
});

warehouseContract('a CSV file', async (folder) => {
  await copy(CUSTOMERS, join(folder, 'customers.csv'));
  return openWarehouse(connector({ path: 'customers.csv' }), options(folder));
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-duckdb-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const unaborted = { signal: new AbortController().signal };

test.each([
  ['another file beside it', () => `SELECT * FROM read_csv(${literal(join(folder, 'other.csv'))})`],
  ['a file of the machine', () => "SELECT * FROM read_text('/etc/hostname')"],
  ['the list of files', () => `SELECT * FROM glob(${literal(join(folder, '*'))})`],
  ['another file, through a query in a text', () => `FROM query('FROM read_text(''/etc/hostname'')')`],
])('a query cannot read %s', async (_name, query) => {
  await copy(CUSTOMERS, join(folder, 'customers.parquet'));
  await copy(CUSTOMERS, join(folder, 'other.csv'));
  const warehouse = await openWarehouse(connector({ path: 'customers.parquet' }), options(folder));
  await expect(warehouse.extract({ query: query() }, join(folder, 'answer.parquet'), unaborted)).rejects.toMatchObject({
    code: 'HF_WAREHOUSE_UNREADABLE',
    message: expect.stringContaining('disabled by configuration'),
  });
  await warehouse.close();
});

test('a database file has the same bytes after it was read', async () => {
  const file = join(folder, 'shop.duckdb');
  await database(file, `CREATE TABLE customers AS ${CUSTOMERS}`, 'CREATE SEQUENCE counter');
  const before = await readFile(file);
  const warehouse = await openWarehouse(connector({ path: file }), options(folder));
  const advancing = warehouse.extract(
    { query: "SELECT nextval('counter') AS customer_id" },
    join(folder, 'a.parquet'),
    unaborted,
  );
  await expect(advancing).rejects.toMatchObject({ code: 'HF_WAREHOUSE_UNREADABLE' });
  await warehouse.extract({ query: 'SELECT * FROM customers' }, join(folder, 'a.parquet'), unaborted);
  await warehouse.close();
  expect((await readFile(file)).equals(before)).toBe(true);
});

test('a CSV whose bad value comes after thousands of good ones is read, and its column is text', async () => {
  const lines = Array.from({ length: 30_000 }, (_, index) => `C${index},${index}`);
  await writeFile(join(folder, 'late.csv'), `customer_id,value\n${lines.join('\n')}\nC30000,oops\n`);
  const warehouse = await openWarehouse(connector({ path: 'late.csv' }), options(folder));
  expect(await warehouse.extract({ query: 'SELECT * FROM late' }, join(folder, 'a.parquet'), unaborted)).toBe(30_001);
  expect(await warehouse.describe('SELECT value FROM late')).toEqual([{ name: 'value', type: 'VARCHAR' }]);
  await warehouse.close();
});

test('a table is found in its schema, and a name that is not one is refused', async () => {
  await database(
    join(folder, 'shop.duckdb'),
    'CREATE SCHEMA analytics',
    `CREATE TABLE analytics.customers AS ${CUSTOMERS}`,
  );
  const warehouse = await openWarehouse(connector({ path: 'shop.duckdb' }), options(folder));
  expect(await warehouse.describeTable('analytics.customers')).toHaveLength(6);
  expect(await warehouse.describeTable('customers')).toBeUndefined();
  const completion = { table: 'analytics.customers', columns: ['tier'] };
  const query = "SELECT 'C1' AS customer_id";
  expect(await warehouse.extract({ query, completion }, join(folder, 'a.parquet'), unaborted)).toBe(1);
  await expect(warehouse.describeTable('customers"; --')).rejects.toMatchObject({ code: 'HF_MANIFEST_INVALID' });
  await warehouse.close();
});

test('a past offer whose time cannot be read stops the extract: skipping it could repeat an offer', async () => {
  const offers = "SELECT 'C1' AS customer_id, 'winback' AS program_id, 'soon' AS offered_at";
  await database(join(folder, 'shop.duckdb'), `CREATE TABLE past_offers AS ${offers}`);
  const warehouse = await openWarehouse(connector({ path: 'shop.duckdb' }), options(folder));
  const range = { since: new Date(0), before: new Date() };
  const reading = warehouse.extractOffers('past_offers', range, join(folder, 'a.parquet'), unaborted);
  await expect(reading).rejects.toMatchObject({ code: 'HF_WAREHOUSE_UNREADABLE' });
  await warehouse.close();
});

test('a table of past offers without a needed column is named', async () => {
  await database(join(folder, 'shop.duckdb'), "CREATE TABLE past_offers AS SELECT 'C1' AS customer_id");
  const warehouse = await openWarehouse(connector({ path: 'shop.duckdb' }), options(folder));
  const range = { since: new Date(0), before: new Date() };
  const reading = warehouse.extractOffers('past_offers', range, join(folder, 'a.parquet'), unaborted);
  await expect(reading).rejects.toMatchObject({
    code: 'HF_COLUMN_MISSING',
    message: expect.stringMatching(/past_offers.*program_id, offered_at/),
  });
  await warehouse.close();
});

test.each([
  ['a file that is not there', 'nothing.parquet', undefined],
  ['a database that is not there', 'nothing.duckdb', undefined],
  ['a Parquet file that is torn', 'torn.parquet', 'PAR1 secret-row PAR1'],
  ['an empty Parquet file', 'empty.parquet', ''],
  ['a database that is not one', 'torn.duckdb', 'secret-row'],
  ['an empty CSV', 'empty.csv', ''],
  ['a CSV that is not text', 'binary.csv', 'a,b\n1,\u0000\uFFFE"secret-row\n\n"x'],
  ['a file of an unknown kind', 'customers.xlsx', 'secret-row'],
])('%s is named with its connector, and none of its content', async (_name, path, content) => {
  if (content !== undefined) await writeFile(join(folder, path), content);
  const read = async () => {
    const warehouse = await openWarehouse(connector({ path, table: 'customers' }), options(folder));
    try {
      await warehouse.extract({ query: 'SELECT customer_id FROM customers' }, join(folder, 'a.parquet'), unaborted);
    } finally {
      await warehouse.close();
    }
  };
  const error = (await read().catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ code: 'HF_WAREHOUSE_UNREADABLE', message: expect.stringContaining('shop') });
  expect(`${error.message} ${String(error.cause)}`).not.toContain('secret');
});

test('a path on the command line wins over the one in the manifest', async () => {
  await copy(CUSTOMERS, join(folder, 'real.parquet'));
  const source = join(folder, 'real.parquet');
  const warehouse = await openWarehouse(
    connector({ path: 'placeholder.csv', table: 'customers' }),
    options(folder, { source }),
  );
  expect(await warehouse.describeTable('customers')).toHaveLength(6);
  await warehouse.close();
});

test('a provider that is not built yet is unavailable, and the message lists those that are', async () => {
  await expect(openWarehouse({ ...connector({}), type: 'snowflake' }, options(folder))).rejects.toMatchObject({
    code: 'HF_PROVIDER_UNAVAILABLE',
    message: expect.stringContaining('duckdb'),
  });
});
