import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { literal, openEngine } from '../../../base/duckdb/engine.ts';
import { isNumeric } from '../../../base/duckdb/number-types.ts';
import { parquetColumns } from '../../../base/duckdb/parquet.ts';
import { CUSTOMERS, warehouseContract } from '../../../test/contracts/warehouse.ts';
import type { WarehouseOptions } from '../connector.ts';
import { openWarehouse } from '../index.ts';
import type { DuckdbConnector } from './parameters.ts';

const limits = { threads: 1, memoryMb: 256 };

function connector(config: Partial<DuckdbConnector['config']>): DuckdbConnector {
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
  [
    'another file beside it',
    () => `SELECT * FROM read_csv(${literal(join(folder, 'other.csv'))})`,
    'HF_WAREHOUSE_UNREADABLE',
    'disabled by configuration',
  ],
  ['a file of the machine', () => "SELECT * FROM read_text('/etc/hostname')", 'HF_QUERY_REFUSED', 'read_text'],
  ['the list of files', () => `SELECT * FROM glob(${literal(join(folder, '*'))})`, 'HF_QUERY_REFUSED', 'glob'],
  [
    'another file, through a query in a text',
    () => `FROM query('FROM read_text(''/etc/hostname'')')`,
    'HF_QUERY_REFUSED',
    'query',
  ],
  ['settings of the session', () => "SELECT current_setting('temp_directory')", 'HF_QUERY_REFUSED', 'current_setting'],
])('a query cannot read %s', async (_name, query, code, named) => {
  await copy(CUSTOMERS, join(folder, 'customers.parquet'));
  await copy(CUSTOMERS, join(folder, 'other.csv'));
  const warehouse = await openWarehouse(connector({ path: 'customers.parquet' }), options(folder));
  await expect(warehouse.extract({ query: query() }, join(folder, 'answer.parquet'), unaborted)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(named),
  });
  await warehouse.close();
});

test('a query or a table of features that turns on the log, and so would write rows into it, is refused', async () => {
  await database(
    join(folder, 'shop.duckdb'),
    'CREATE TABLE customers AS SELECT 1 AS customer_id',
    'CREATE VIEW features AS SELECT 1 AS customer_id, 2 AS tier FROM enable_logging()',
  );
  const warehouse = await openWarehouse(connector({ path: 'shop.duckdb' }), options(folder));
  const refused = { code: 'HF_QUERY_REFUSED', message: expect.stringContaining('enable_logging') };
  const answer = join(folder, 'answer.parquet');
  await expect(warehouse.extract({ query: 'FROM enable_logging()' }, answer, unaborted)).rejects.toMatchObject(refused);
  const completion = { table: 'features', columns: ['tier'] };
  await expect(warehouse.extract({ query: 'FROM customers', completion }, answer, unaborted)).rejects.toMatchObject(
    refused,
  );
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
  await expect(advancing).rejects.toMatchObject({ code: 'HF_QUERY_REFUSED' });
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

async function read(path: string, query: string): Promise<object[]> {
  const warehouse = await openWarehouse(connector({ path, table: 'customers' }), options(folder));
  const answer = join(folder, 'answer.parquet');
  try {
    await warehouse.extract({ query }, answer, unaborted);
  } finally {
    await warehouse.close();
  }
  await using engine = await openEngine({ ...limits, scratchFolder: folder });
  return await engine.rows(`FROM ${literal(answer)}`);
}

test.each([
  ['whole numbers longer than a double holds', ['20015582336013643776', '20015582336013643777']],
  ['whole numbers longer than a double holds, among decimals', ['9007199254740993', '2.5']],
  ['numbers with leading zeros', ['007', '7']],
  ['telephone numbers', ['+447700900123', '447700900123']],
])('ids that are %s keep their text', async (_name, ids) => {
  await writeFile(join(folder, 'ids.csv'), `Id,value\n${ids.map((id) => `${id},1\n`).join('')},2\n`);
  const rows = await read('ids.csv', 'SELECT CAST(Id AS VARCHAR) AS customer_id FROM customers WHERE Id IS NOT NULL');
  expect(rows).toEqual(ids.map((customer_id) => ({ customer_id })));
});

test('amounts, whole numbers, dates and truths of a CSV keep their types', async () => {
  const lines = ['12.50,1,2026-01-02,true', '0.10,-20,2026-01-03,false', ',,,', '0, 3,2026-01-04,true'];
  await writeFile(join(folder, 'typed.csv'), `amount,count,day,active\n${lines.join('\n')}\n`);
  const warehouse = await openWarehouse(connector({ path: 'typed.csv' }), options(folder));
  const types = (await warehouse.describe('SELECT * FROM typed')).map(({ type }) => type);
  await warehouse.close();
  expect(types).toEqual(['DOUBLE', 'BIGINT', 'DATE', 'BOOLEAN']);
});

test.each([
  ['is cut off', 'C3,3', 4],
  ['is cut off within quotes', 'C3,3,"secret', 4],
  ['has too few values', 'C3\nC4,4,secret\n', 4],
  ['has too many values', 'C3,3,secret,4\nC4,4,5\n', 4],
])('a CSV of which a row %s is named with the line, and none of its content', async (_name, end, line) => {
  await writeFile(join(folder, 'part-1.csv'), 'customer_id,a,b\nC0,0,x\n');
  await writeFile(join(folder, 'part-2.csv'), `customer_id,a,b\nC1,1,secret; | y\nC2,2,secret\n${end}`);
  const error = (await read('part-*.csv', 'SELECT customer_id FROM customers').catch((e: unknown) => e)) as Error;
  expect(error).toMatchObject({
    code: 'HF_SOURCE_UNSUITABLE',
    message: expect.stringMatching(new RegExp(`part-2\\.csv: .*line ${line} (has |is not closed)`)),
  });
  expect(`${error.message} ${String(error.cause)}`).not.toContain('secret');
});

test.each([
  ['commas', 'a.csv', '"customer_id","b;|;"\n"C1","x, y;"\n', 'x, y;'],
  ['semicolons', 'a.csv', 'customer_id;b\nC1;x,y\n', 'x,y'],
  ['bars', 'a.csv', 'customer_id|b\nC1|x,y\n', 'x,y'],
  ['tabs', 'a.tsv', 'customer_id\tb,c;d,e\nC1\tx,y\n', 'x,y'],
  ['line ends of two characters', 'a.csv', 'customer_id,b\r\nC1,"x ""y"""\r\n', 'x "y"'],
  ['a byte order mark', 'a.csv', '\uFEFFcustomer_id,b\nC1,\n', null],
  ['a line break in a value', 'a.csv', 'customer_id,b\nC1,"x\ny"\n', 'x\ny'],
  ['empty lines', 'a.csv', 'customer_id,b\n\nC1,x\n\n', 'x'],
])('a CSV with %s is read, compressed or not', async (_name, file, content, value) => {
  await writeFile(join(folder, file), content);
  await writeFile(join(folder, `${file}.gz`), gzipSync(content));
  for (const path of [file, `${file}.gz`]) {
    const rows = await read(path, "SELECT customer_id, COLUMNS(c -> c <> 'customer_id') AS b FROM customers");
    expect(rows).toEqual([{ customer_id: 'C1', b: value }]);
  }
});

test('CSV files whose columns differ are read by the names of their columns', async () => {
  await writeFile(join(folder, 'part-1.csv'), 'customer_id,a\n1,2\n');
  await writeFile(join(folder, 'part-2.csv'), 'b,a,customer_id\nx,3,20015582336013643776\n');
  expect(await read('part-*.csv', 'SELECT customer_id, a::INTEGER AS a, b FROM customers ORDER BY a')).toEqual([
    { customer_id: '1', a: 2, b: null },
    { customer_id: '20015582336013643776', a: 3, b: 'x' },
  ]);
});

test('a cast that a value does not bear names its column, and not the value', async () => {
  await copy("SELECT 1 AS customer_id, 'secret' AS tenure", join(folder, 'people.parquet'));
  const error = (await read('people.parquet', 'SELECT customer_id, CAST(tenure AS INTEGER) AS t FROM customers').catch(
    (thrown: unknown) => thrown,
  )) as Error;
  expect(error.message).toContain('in the column tenure');
  expect(`${error.message} ${String(error.cause)}`).not.toContain('secret');
});

test('CSV files with different delimiters are refused', async () => {
  await writeFile(join(folder, 'part-1.csv'), 'customer_id,a\n1,2\n');
  await writeFile(join(folder, 'part-2.csv'), 'customer_id;a\n1;2\n');
  await expect(read('part-*.csv', 'SELECT customer_id FROM customers')).rejects.toMatchObject({
    code: 'HF_SOURCE_UNSUITABLE',
    message: expect.stringContaining('delimiters'),
  });
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
  ['a Parquet file that is torn', 'torn.parquet', 'PAR1 secret-row PAR1', 'HF_WAREHOUSE_UNREACHABLE'],
  ['an empty Parquet file', 'empty.parquet', '', 'HF_WAREHOUSE_UNREACHABLE'],
  ['a database that is not one', 'torn.duckdb', 'secret-row'],
  ['an empty CSV', 'empty.csv', '', 'HF_WAREHOUSE_UNREACHABLE'],
  ['an empty database', 'empty.duckdb', '', 'HF_WAREHOUSE_UNREACHABLE'],
  ['a Parquet file that is none', 'text.parquet', 'secret-row'],
  ['a CSV that is not text', 'binary.csv', 'a,b\n1,\u0000\uFFFE"secret-row\n\n"x', 'HF_SOURCE_UNSUITABLE'],
  ['a workbook that is none', 'customers.xlsx', 'secret-row', 'HF_SOURCE_UNSUITABLE'],
  ['a file of an unknown kind', 'customers.docx', 'secret-row'],
])(
  '%s is named with its connector, and none of its content',
  async (_name, path, content, code = 'HF_WAREHOUSE_UNREADABLE') => {
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
    expect(error).toMatchObject({ code, message: expect.stringContaining('shop') });
    expect(`${error.message} ${String(error.cause)}`).not.toContain('secret');
  },
);

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

test.each([
  ['export[2].csv', 'export2.csv', 'customer_id,a\nC1,1\n', 'customer_id,a\nC2,2\n'],
  ['export*.csv', 'exports.csv', 'customer_id,a\nC1,1\n', 'customer_id,a\nC2,2\n'],
  ['export?.jsonl', 'export2.jsonl', '{"customer_id": "C1"}\n', '{"customer_id": "C2"}\n'],
])(
  'the file %s is read where there is one, and not %s, which its name would be a pattern of',
  async (file, other, text, otherText) => {
    await writeFile(join(folder, file), text);
    await writeFile(join(folder, other), otherText);
    expect(await read(file, 'SELECT customer_id FROM customers')).toEqual([{ customer_id: 'C1' }]);
  },
);

test('numbers arrive as numbers, whatever their type, and an id with every digit', async () => {
  const numbers = ['UTINYINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'BIGNUM', 'DECIMAL(9,2)', 'FLOAT'];
  const columns = numbers.map((type, place) => `CAST(7 AS ${type}) AS n${place}`);
  await database(
    join(folder, 'shop.duckdb'),
    `CREATE TABLE customers AS SELECT CAST('12345678901234567890' AS BIGNUM) AS customer_id, ${columns.join(', ')}`,
  );
  const file = join(folder, 'answer.parquet');
  const warehouse = await openWarehouse(connector({ path: 'shop.duckdb' }), options(folder));
  try {
    await warehouse.extract({ query: 'SELECT * FROM customers' }, file, { signal: new AbortController().signal });
  } finally {
    await warehouse.close();
  }
  await using engine = await openEngine({ ...limits, scratchFolder: tmpdir() });
  const [row] = await engine.rows<Record<string, unknown>>(`SELECT * FROM read_parquet(${literal(file)})`);
  expect(row).toMatchObject({ customer_id: '12345678901234567890' });
  for (const { name, type } of await parquetColumns(engine, file)) {
    if (name !== 'customer_id') expect({ name, isNumeric: isNumeric(type) }).toEqual({ name, isNumeric: true });
  }
});
