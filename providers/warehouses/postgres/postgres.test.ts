import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { literal, openEngine } from '../../../base/duckdb/engine.ts';
import { warehouseContract } from '../../../test/contracts/warehouse.ts';
import { openPostgresShop, type PostgresShop, UNABORTED } from '../../../test/support/postgres-shop.ts';

let server: PostgresShop;
beforeAll(async () => {
  server = await openPostgresShop();
});
afterEach(() => server.tidy());
afterAll(() => server[Symbol.asyncDispose]() as Promise<void>);

warehouseContract('Postgres', (folder) => server.open({}, folder));

test('everything is read as of one moment', async () => {
  await server.admin('CREATE TABLE shop.arrivals (customer_id text)');
  const shop = await server.open();
  expect(await shop.extract({ query: 'SELECT * FROM arrivals' }, server.file, UNABORTED)).toBe(0);
  await server.admin(`INSERT INTO shop.arrivals VALUES ('late')`);
  expect(await shop.extract({ query: 'SELECT * FROM arrivals' }, server.file, UNABORTED)).toBe(0);
  expect(await (await server.open()).extract({ query: 'SELECT * FROM arrivals' }, server.file, UNABORTED)).toBe(1);
});

test('every type comes over as its own, or as its text', async () => {
  const columns: [name: string, sql: string, type: string, value: string | null][] = [
    ['a_smallint', '(-32768)::int2', 'SMALLINT', '-32768'],
    ['an_integer', '2147483647', 'INTEGER', '2147483647'],
    ['a_bigint', '9223372036854775807', 'BIGINT', '9223372036854775807'],
    ['a_numeric', '12.5::numeric(12,2)', 'DOUBLE', '12.5'],
    ['an_endless_numeric', '1e400::numeric', 'DOUBLE', 'inf'],
    ['a_numeric_that_is_none', `'NaN'::numeric`, 'DOUBLE', 'nan'],
    ['a_real', '0.1::float4', 'FLOAT', '0.1'],
    ['a_double', '0.1::float8', 'DOUBLE', '0.1'],
    ['an_infinity', `'-Infinity'::float8`, 'DOUBLE', '-inf'],
    ['a_boolean', 'true', 'BOOLEAN', 'true'],
    ['a_text', `E'a\\tb''"\\\\ ü 🙂'::text`, 'VARCHAR', 'a\tb\'"\\ ü 🙂'],
    ['an_empty_text', `''::varchar(9)`, 'VARCHAR', ''],
    ['a_character', `'ab'::char(5)`, 'VARCHAR', 'ab'],
    ['a_uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid`, 'VARCHAR', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['a_date', `'2026-02-28'::date`, 'DATE', '2026-02-28'],
    ['an_old_date', `'0044-03-15 BC'::date`, 'DATE', '0044-03-15 (BC)'],
    ['a_late_date', `'12026-02-28'::date`, 'DATE', '12026-02-28'],
    ['an_endless_date', `'infinity'::date`, 'DATE', 'infinity'],
    ['a_timestamp', `'2026-02-28 12:34:56.789012'::timestamp`, 'TIMESTAMP', '2026-02-28 12:34:56.789012'],
    ['an_endless_timestamp', `'-infinity'::timestamp`, 'TIMESTAMP', '-infinity'],
    ['an_instant', `'2026-02-28 12:34:56+02'::timestamptz`, 'TIMESTAMP WITH TIME ZONE', '2026-02-28 10:34:56+00'],
    ['a_time', `'12:34:56'::time`, 'VARCHAR', '12:34:56'],
    ['an_interval', `'1 day 2 hours'::interval`, 'VARCHAR', '1 day 02:00:00'],
    ['an_array', `ARRAY['a', NULL, 'c d']`, 'VARCHAR', '{a,NULL,"c d"}'],
    ['a_json', `'{"a": 1}'::json`, 'VARCHAR', '{"a": 1}'],
    ['a_jsonb', `'{"a":1}'::jsonb`, 'VARCHAR', '{"a": 1}'],
    ['an_enum', `'warm'::mood`, 'VARCHAR', 'warm'],
    ['a_domain', '7::positive', 'INTEGER', '7'],
    ['a_money', `'12.50'::money`, 'VARCHAR', '$12.50'],
    ['some_bytes', `'\\x00ff'::bytea`, 'VARCHAR', '\\x00ff'],
    ['an_address', `'10.0.0.1'::inet`, 'VARCHAR', '10.0.0.1'],
    ['an_unknown', 'NULL', 'VARCHAR', null],
    ...['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'bool', 'text', 'date', 'timestamp', 'timestamptz'].map(
      (type): [string, string, string, null] => [`no_${type}`, `NULL::${type}`, expect.anything() as never, null],
    ),
  ];
  await server.admin(`CREATE TYPE shop.mood AS ENUM ('cold', 'warm')`);
  await server.admin('CREATE DOMAIN shop.positive AS int CHECK (value > 0)');
  const query = `SELECT ${columns.map(([name, sql]) => `${sql} AS ${name}`).join(', ')}`;
  const shop = await server.open();
  expect(await shop.extract({ query }, server.file, UNABORTED)).toBe(1);
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: server.folder });
  const described = await engine.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM read_parquet(${literal(server.file)})`,
  );
  const [row] = await engine.rows<Record<string, string | null>>(
    `SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet(${literal(server.file)})`,
  );
  expect(described.map(({ column_name, column_type }) => [column_name, column_type, row?.[column_name]])).toEqual(
    columns.map(([name, , type, value]) => [name, type, value]),
  );
  expect((await shop.describe(query)).slice(0, 4).map(({ type }) => type)).toEqual([
    'smallint',
    'integer',
    'bigint',
    'numeric',
  ]);
});

test('an id keeps every digit, whatever number it is', async () => {
  const shop = await server.open();
  const query = 'SELECT id::numeric AS customer_id FROM unnest(ARRAY[12345678901234567890123, 1.10]) AS ids (id)';
  await shop.extract({ query }, server.file, UNABORTED);
  expect(await server.rows()).toEqual([{ customer_id: '1.10' }, { customer_id: '12345678901234567890123' }]);
});

test('rows of any width and number come over whole', async () => {
  const shop = await server.open();
  const query = `
    SELECT n AS customer_id, repeat('x', CASE WHEN n % 5000 = 0 THEN 1000000 ELSE n % 7 END) AS note
    FROM generate_series(1, 30000) AS numbers (n)`;
  const seen: number[] = [];
  expect(await shop.extract({ query }, server.file, { ...UNABORTED, progress: (rows) => seen.push(rows) })).toBe(
    30_000,
  );
  expect(seen.at(-1)).toBe(30_000);
  expect(seen).toEqual(seen.toSorted((one, other) => one - other));
  let characters = 0;
  for (let n = 1; n <= 30_000; n++) characters += n % 5000 === 0 ? 1_000_000 : n % 7;
  expect(
    await server.rows('count(*)::INT AS n, sum(customer_id)::INT AS ids, sum(length(note))::INT AS characters'),
  ).toEqual([{ n: 30_000, ids: 450_015_000, characters }]);
});

test('the wider the rows, the fewer are in memory at once', async () => {
  const shop = await server.open();
  const batches = async (width: string, rows: number) => {
    const seen = [0];
    const query = `SELECT repeat('x', ${width}) AS customer_id FROM generate_series(1, ${rows}) AS numbers (n)`;
    await shop.extract({ query }, server.file, { ...UNABORTED, progress: (done) => seen.push(done) });
    return seen.slice(1).map((done, index) => done - (seen[index] ?? 0));
  };
  // Two million characters at once.
  expect(await batches('1000000', 5)).toEqual([2, 2, 1]);
  expect(await batches('1000', 5_000)).toEqual([2000, 2000, 1000]);
  expect(await batches('1', 5_000)).toEqual([2048, 2048, 904]);
  // Wide rows that follow narrow ones.
  expect(await batches('CASE WHEN n <= 9000 THEN 1 ELSE 1000000 END', 9_004)).toEqual([2048, 2048, 2048, 2048, 810, 2]);
});

test('a row that would fill the memory by itself ends the read, and says what to do', async () => {
  const shop = await server.open();
  const query = "SELECT n AS customer_id, repeat('x', 70000000) AS note FROM generate_series(1, 2) AS numbers (n)";
  await expect(shop.extract({ query }, server.file, UNABORTED)).rejects.toMatchObject({
    code: 'HF_WAREHOUSE_UNREADABLE',
    message: expect.stringMatching(/a row is larger than 64 MiB; select less of it/),
  });
});

test('a time that no type here holds is missing, and its column and rows are told', async () => {
  const shop = await server.open();
  const query = `SELECT * FROM (VALUES
    ('C1', timestamptz 'infinity', timestamp '-infinity', date '2026-02-28'),
    ('C2', timestamptz '0044-03-15 12:00+00 BC', timestamp '0044-03-15 12:00 BC', date '4000-01-01 BC'),
    ('C3', timestamptz '294276-12-31+00', timestamp '294276-12-31', date '5874897-12-31')
  ) AS given (customer_id, valid_till, left_at, born)`;
  const told: [string, number][] = [];
  const options = { ...UNABORTED, beyondType: (column: string, rows: number) => void told.push([column, rows]) };
  expect(await shop.extract({ query }, server.file, options)).toBe(3);
  expect(
    await server.rows('customer_id, valid_till::VARCHAR AS till, left_at::VARCHAR AS left_at, born::VARCHAR AS born'),
  ).toEqual([
    { customer_id: 'C1', till: 'infinity', left_at: '-infinity', born: '2026-02-28' },
    {
      customer_id: 'C2',
      till: '0044-03-15 (BC) 12:00:00+00',
      left_at: '0044-03-15 (BC) 12:00:00',
      born: '4000-01-01 (BC)',
    },
    { customer_id: 'C3', till: null, left_at: null, born: '5874897-12-31' },
  ]);
  expect(told).toEqual([
    ['valid_till', 1],
    ['left_at', 1],
  ]);
});

test.each([
  ['by its name', 'past'],
  ['by its name in capitals', 'PAST'],
  ['with its schema', 'archive.past'],
  ['as it is really written', 'archive.Quoted Past'.replace(' ', '_')],
  ['as a view', 'archive.past_view'],
  ['as a materialized view', 'archive.past_materialized'],
])('a table is found %s', async (_name, table) => {
  await server.admin('DROP SCHEMA IF EXISTS archive CASCADE');
  await server.admin('CREATE SCHEMA archive');
  await server.admin('GRANT USAGE ON SCHEMA archive TO reader');
  await server.admin(`CREATE TABLE archive.past AS
    SELECT 7::bigint AS "Customer_Id", 'winback'::char(12) AS program_id, timestamptz '2026-03-01 01:00:00+02' AS offered_at`);
  await server.admin('CREATE VIEW archive.past_view AS SELECT * FROM archive.past');
  await server.admin('CREATE MATERIALIZED VIEW archive.past_materialized AS SELECT * FROM archive.past');
  await server.admin('CREATE TABLE archive."Quoted_Past" AS SELECT * FROM archive.past');
  await server.admin('GRANT SELECT ON ALL TABLES IN SCHEMA archive TO reader');
  await server.admin('ALTER ROLE reader SET search_path = shop, archive');
  const shop = await server.open();
  expect((await shop.describeTable(table))?.map(({ name }) => name)).toEqual([
    'Customer_Id',
    'program_id',
    'offered_at',
  ]);
  const range = { since: new Date('2026-02-28T23:00:00Z'), before: new Date('2026-02-28T23:00:01Z') };
  expect(await shop.extractOffers(table, range, server.file, UNABORTED)).toBe(1);
  expect(await server.rows()).toEqual([{ customer_id: '7', program_id: 'winback', offered_at: '2026-02-28 23:00:00' }]);
  const completion = { table, columns: ['program_id', 'offered_at'] };
  await shop.extract({ query: 'SELECT 7::bigint AS customer_id; -- seven', completion }, server.file, UNABORTED);
  expect(await server.rows('customer_id, program_id')).toEqual([{ customer_id: '7', program_id: 'winback' }]);
});

test.each([
  ['bigint', 'float8'],
  ['float8', 'bigint'],
  ['text', 'float8'],
  ['numeric(12,2)', 'integer'],
  ['integer', 'bigint'],
])('an id of %s finds its features under %s, and its past offers', async (asked, kept) => {
  const id = (type: string, text = '17850') => (type === 'text' ? `'${text}.0'` : `${text}::${type}`);
  await server.admin('DROP TABLE IF EXISTS shop.numbered');
  await server.admin(`CREATE TABLE shop.numbered AS
    SELECT ${id(kept)} AS customer_id, 'basic' AS tier, 'winback' AS program_id, timestamp '2026-03-01' AS offered_at`);
  const shop = await server.open();
  const completion = { table: 'numbered', columns: ['tier'] };
  await shop.extract({ query: `SELECT ${id(asked)} AS customer_id`, completion }, server.file, UNABORTED);
  expect(await server.rows('tier')).toEqual([{ tier: 'basic' }]);
  const range = { since: new Date('2026-03-01T00:00:00Z'), before: new Date('2026-03-02T00:00:00Z') };
  await shop.extractOffers('numbered', range, server.file, UNABORTED);
  expect(await server.rows('customer_id')).toEqual([{ customer_id: '17850' }]);
});

test('a table that may not be read is named, and so is a column that it has not', async () => {
  await server.admin('CREATE TABLE public.secret (customer_id text)');
  const shop = await server.open();
  await expect(shop.extract({ query: 'TABLE public.secret' }, server.file, UNABORTED)).rejects.toMatchObject({
    code: 'HF_WAREHOUSE_UNREADABLE',
    message: expect.stringContaining('permission denied for table secret'),
  });
  const completion = { table: 'customers', columns: ['shoe_size'] };
  const query = 'SELECT 1 AS customer_id';
  await expect(shop.extract({ query, completion }, server.file, UNABORTED)).rejects.toMatchObject({
    code: 'HF_COLUMN_MISSING',
    message: expect.stringContaining('shoe_size'),
  });
});
