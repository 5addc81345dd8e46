import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  await admin(`CREATE ROLE reader LOGIN PASSWORD ${literal(PASSWORD)}`);
  await admin('CREATE SCHEMA shop');
  // More than a reader should have: what stops it from writing is the transaction.
  await admin('GRANT ALL ON SCHEMA shop TO reader');
  await admin('ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON TABLES TO reader');
  await admin('ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON SEQUENCES TO reader');
  await admin('ALTER ROLE reader SET search_path = shop');
  // The embedded server would notice by itself that a client is gone.
  await admin('ALTER ROLE reader SET client_connection_check_interval = 0');
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

let folder: string;
let file: string;
const opened: Warehouse[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-warehouse-'));
  file = join(folder, 'answer.parquet');
});
afterEach(async () => {
  for (const warehouse of opened.splice(0)) await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

async function warehouse(...given: [config?: Partial<DataConnector['config']>, more?: Partial<WarehouseOptions>]) {
  const made = await open(folder, ...given);
  opened.push(made);
  return made;
}

const unaborted = { signal: new AbortController().signal };

async function read(select = '*'): Promise<Record<string, unknown>[]> {
  await using engine = await openEngine({ ...limits, scratchFolder: tmpdir() });
  return await engine.rows(`SELECT ${select} FROM read_parquet(${literal(file)}) ORDER BY ALL`);
}

/** Everything that a person or a log could be shown of a failure. */
async function failureOf(work: Promise<unknown>): Promise<Error & { code: string; shown: string }> {
  const error = (await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as Error & { code: string };
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    parts.push(`${at.stack}`, JSON.stringify(Object.entries(at)));
  return Object.assign(error, { shown: parts.join('\n') });
}

/** What the server still does for us. */
const sessions = () => admin(`SELECT state, query FROM pg_stat_activity WHERE application_name = 'holdfast extract'`);
const noSession = (seen: any[]) => seen.length === 0;

describe('a warehouse in Postgres is only read', () => {
  beforeAll(async () => {
    await admin('CREATE TABLE shop.canary (alive text)');
    await admin(`INSERT INTO shop.canary VALUES ('tweet')`);
    await admin('CREATE SEQUENCE shop.counter');
    await admin(`CREATE FUNCTION shop.shoot() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN DELETE FROM shop.canary; RETURN 'shot'; END $$`);
    await admin('CREATE PROCEDURE shop.shoot_all() LANGUAGE sql AS $$ DELETE FROM shop.canary $$');
  });

  const SHOOT = 'DELETE FROM canary';
  test.each([
    ['a second statement', `SELECT 'a' AS customer_id; ${SHOOT}`],
    ['a second statement after one that ends the transaction', `SELECT 'a' AS customer_id; COMMIT; ${SHOOT}`],
    ['a second statement behind a comment', `SELECT 'a' AS customer_id; /* /* */ */ ${SHOOT} --`],
    [
      'a deletion in a common table expression',
      `WITH shot AS (${SHOOT} RETURNING alive) SELECT alive AS customer_id FROM shot`,
    ],
    ['a deletion in a subquery', `SELECT * FROM (${SHOOT} RETURNING alive) AS shot(customer_id)`],
    ['a table made of the answer', `SELECT 'a' AS customer_id INTO mine`],
    ['a lock on rows', 'SELECT alive AS customer_id FROM canary FOR UPDATE'],
    ['a function that deletes', 'SELECT shoot() AS customer_id'],
    ['a function that deletes, in a condition', `SELECT 'a' AS customer_id WHERE shoot() = 'shot'`],
    ['a sequence that goes on', `SELECT nextval('counter') AS customer_id`],
    ['a sequence that is set', `SELECT setval('counter', 99) AS customer_id`],
    ['a large object', 'SELECT lo_create(0) AS customer_id'],
    [
      'the transaction made writable',
      `SELECT set_config('transaction_read_only', 'off', false) || shoot() AS customer_id`,
    ],
    ['a program that takes the rows', `COPY (SELECT alive FROM canary) TO PROGRAM 'cat'`],
    ['a block of code', `DO $$ BEGIN ${SHOOT}; END $$`],
    ['a procedure', 'CALL shoot_all()'],
    ['a plan that is carried out', `EXPLAIN ANALYZE ${SHOOT}`],
    ['a prepared statement', `PREPARE shot AS ${SHOOT}`],
    ['a setting', 'SET default_transaction_read_only = off'],
    ['the end of the transaction', 'COMMIT'],
    [
      'a way out of the brackets that completion puts around it',
      `SELECT 'a' AS customer_id), shot AS (${SHOOT} RETURNING 1`,
    ],
    ['nothing', ''],
  ])('%s is refused, and the canary lives', async (_name, query) => {
    const shop = await warehouse();
    const completion = { table: 'customers', columns: ['tier'] };
    for (const request of [{ query }, { query, completion }]) {
      const { code } = await failureOf(shop.extract(request, file, unaborted));
      expect(code).toBe('HF_QUERY_REFUSED');
    }
    expect(await admin('SELECT alive FROM shop.canary')).toEqual([{ alive: 'tweet' }]);
    expect(await admin('SELECT is_called FROM shop.counter')).toEqual([{ is_called: false }]);
    expect(await admin('SELECT FROM pg_largeobject_metadata')).toEqual([]);
    expect(await admin(`SELECT FROM pg_tables WHERE tablename = 'mine'`)).toEqual([]);
  });

  test.each(['canary; DROP TABLE canary', 'shop.canary, customers', '"canary"', "canary'--", '../canary', 'a.b.c', ''])(
    'a table is a plain name: %j is refused',
    async (table) => {
      const shop = await warehouse();
      await expect(shop.describeTable(table)).rejects.toMatchObject({ code: 'HF_MANIFEST_INVALID' });
    },
  );

  test('a notification is never sent', async () => {
    const listener = await postgres.database.pool.connect();
    const heard: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload));
    await listener.query('LISTEN birds');
    const shop = await warehouse();
    await shop.extract({ query: `SELECT pg_notify('birds', 'from a query') AS customer_id` }, file, unaborted);
    await shop.close();
    await listener.query(`NOTIFY birds, 'from the test'`);
    expect(heard).toEqual(['from the test']);
    listener.release(true);
  });

  test('what a query sets is gone for the next', async () => {
    const shop = await warehouse();
    const query = `SELECT set_config('TimeZone', 'Asia/Tokyo', true) AS customer_id`;
    await shop.extract({ query }, file, unaborted);
    await shop.extract({ query: `SELECT timestamptz '2026-01-01 00:00:00+00' AS customer_id` }, file, unaborted);
    expect(await read('CAST(customer_id AS VARCHAR) AS id')).toEqual([{ id: '2026-01-01 00:00:00+00' }]);
  });
});

test('everything is read as of one moment', async () => {
  await admin('CREATE TABLE shop.arrivals (customer_id text)');
  const shop = await warehouse();
  expect(await shop.extract({ query: 'SELECT * FROM arrivals' }, file, unaborted)).toBe(0);
  await admin(`INSERT INTO shop.arrivals VALUES ('late')`);
  expect(await shop.extract({ query: 'SELECT * FROM arrivals' }, file, unaborted)).toBe(0);
  expect(await (await warehouse()).extract({ query: 'SELECT * FROM arrivals' }, file, unaborted)).toBe(1);
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
  await admin(`CREATE TYPE shop.mood AS ENUM ('cold', 'warm')`);
  await admin('CREATE DOMAIN shop.positive AS int CHECK (value > 0)');
  const query = `SELECT ${columns.map(([name, sql]) => `${sql} AS ${name}`).join(', ')}`;
  const shop = await warehouse();
  expect(await shop.extract({ query }, file, unaborted)).toBe(1);
  await using engine = await openEngine({ ...limits, scratchFolder: tmpdir() });
  const described = await engine.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM read_parquet(${literal(file)})`,
  );
  const [row] = await engine.rows<Record<string, string | null>>(
    `SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet(${literal(file)})`,
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
  const shop = await warehouse();
  const query = 'SELECT id::numeric AS customer_id FROM unnest(ARRAY[12345678901234567890123, 1.10]) AS ids (id)';
  await shop.extract({ query }, file, unaborted);
  expect(await read()).toEqual([{ customer_id: '1.10' }, { customer_id: '12345678901234567890123' }]);
});

test('rows of any width and number come over whole', async () => {
  const shop = await warehouse();
  const query = `
    SELECT n AS customer_id, repeat('x', CASE WHEN n % 5000 = 0 THEN 1000000 ELSE n % 7 END) AS note
    FROM generate_series(1, 30000) AS numbers (n)`;
  const seen: number[] = [];
  expect(await shop.extract({ query }, file, { ...unaborted, progress: (rows) => seen.push(rows) })).toBe(30_000);
  expect(seen.at(-1)).toBe(30_000);
  expect(seen).toEqual(seen.toSorted((one, other) => one - other));
  let characters = 0;
  for (let n = 1; n <= 30_000; n++) characters += n % 5000 === 0 ? 1_000_000 : n % 7;
  expect(await read('count(*)::INT AS n, sum(customer_id)::INT AS ids, sum(length(note))::INT AS characters')).toEqual([
    { n: 30_000, ids: 450_015_000, characters },
  ]);
});

test('the wider the rows, the fewer are in memory at once', async () => {
  const shop = await warehouse();
  const batches = async (width: number, rows: number) => {
    const seen = [0];
    const query = `SELECT repeat('x', ${width}) AS customer_id FROM generate_series(1, ${rows})`;
    await shop.extract({ query }, file, { ...unaborted, progress: (done) => seen.push(done) });
    return seen.slice(1).map((done, index) => done - (seen[index] ?? 0));
  };
  // Two million characters at once; the first batch is small, since nothing is known of its rows.
  expect(await batches(1_000_000, 20)).toEqual([16, 2, 2]);
  expect(await batches(1_000, 5_000)).toEqual([16, 64, 256, 1024, 2000, 1640]);
  expect(await batches(1, 20_000)).toEqual([16, 64, 256, 1024, 4096, 8192, 6352]);
});

test.each([
  ['by its name', 'past'],
  ['by its name in capitals', 'PAST'],
  ['with its schema', 'archive.past'],
  ['as it is really written', 'archive.Quoted Past'.replace(' ', '_')],
  ['as a view', 'archive.past_view'],
  ['as a materialized view', 'archive.past_materialized'],
])('a table is found %s', async (_name, table) => {
  await admin('DROP SCHEMA IF EXISTS archive CASCADE');
  await admin('CREATE SCHEMA archive');
  await admin('GRANT USAGE ON SCHEMA archive TO reader');
  await admin(`CREATE TABLE archive.past AS
    SELECT 7::bigint AS "Customer_Id", 'winback'::char(12) AS program_id, timestamptz '2026-03-01 01:00:00+02' AS offered_at`);
  await admin('CREATE VIEW archive.past_view AS SELECT * FROM archive.past');
  await admin('CREATE MATERIALIZED VIEW archive.past_materialized AS SELECT * FROM archive.past');
  await admin('CREATE TABLE archive."Quoted_Past" AS SELECT * FROM archive.past');
  await admin('GRANT SELECT ON ALL TABLES IN SCHEMA archive TO reader');
  await admin('ALTER ROLE reader SET search_path = shop, archive');
  const shop = await warehouse();
  expect((await shop.describeTable(table))?.map(({ name }) => name)).toEqual([
    'Customer_Id',
    'program_id',
    'offered_at',
  ]);
  const range = { since: new Date('2026-02-28T23:00:00Z'), before: new Date('2026-02-28T23:00:01Z') };
  expect(await shop.extractOffers(table, range, file, unaborted)).toBe(1);
  expect(await read()).toEqual([{ customer_id: '7', program_id: 'winback', offered_at: '2026-02-28 23:00:00' }]);
  const completion = { table, columns: ['program_id', 'offered_at'] };
  await shop.extract({ query: 'SELECT 7::bigint AS customer_id; -- seven', completion }, file, unaborted);
  expect(await read('customer_id, program_id')).toEqual([{ customer_id: '7', program_id: 'winback' }]);
});

test('a table that may not be read is named, and so is a column that it has not', async () => {
  await admin('CREATE TABLE public.secret (customer_id text)');
  const shop = await warehouse();
  const { code, message } = await failureOf(shop.extract({ query: 'SELECT * FROM public.secret' }, file, unaborted));
  expect([code, message]).toEqual([
    'HF_WAREHOUSE_UNREADABLE',
    expect.stringContaining('permission denied for table secret'),
  ]);
  const completion = { table: 'customers', columns: ['shoe_size'] };
  expect(
    await failureOf(shop.extract({ query: 'SELECT 1 AS customer_id', completion }, file, unaborted)),
  ).toMatchObject({ code: 'HF_COLUMN_MISSING', message: expect.stringContaining('shoe_size') });
});

test.each([
  [
    'a cast',
    `SELECT (tier || '1')::int AS customer_id FROM customers`,
    'a cast or a calculation fails on a value of some row (SQLSTATE 22P02)',
  ],
  ['a division', 'SELECT 1 / (score - score) AS customer_id FROM customers', 'of some row (SQLSTATE 22012)'],
  ['a function that says what it saw', 'SELECT error(tier) AS customer_id FROM customers', 'left out (SQLSTATE P0001)'],
  [
    'a statement that a function makes of it',
    'SELECT run(tier) AS customer_id FROM customers',
    'left out (SQLSTATE 42601)',
  ],
])('%s that fails on a row tells nothing of it', async (_name, query, said) => {
  await admin(`CREATE OR REPLACE FUNCTION shop.run(sql text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE sql; RETURN sql; END $$`);
  const { message, shown } = await failureOf((await warehouse()).extract({ query }, file, unaborted));
  expect(message).toContain(said);
  expect(shown).not.toMatch(/premium|basic|standard/);
});

describe('a query that does not end by itself', () => {
  /** Sooner than the server finds out for itself that nobody is there. */
  const SOON_MS = 5_000;
  const SLOW = `SELECT pg_sleep(600)::text AS customer_id`;
  const TRICKLE = 'SELECT pg_sleep(0.01)::text AS customer_id FROM generate_series(1, 100000)';

  test.each([
    ['does nothing', SLOW],
    ['trickles', TRICKLE],
  ])('and %s ends with its time, on the server too', async (_name, query) => {
    const shop = await warehouse({ statementTimeoutSeconds: 1 });
    const { code, message } = await failureOf(shop.extract({ query }, file, unaborted));
    expect(code).toBe('HF_WAREHOUSE_UNREADABLE');
    expect(message).toContain('it took longer than the connector');
    await shop.close();
    await until('the server is at rest', sessions, noSession, SOON_MS);
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    ['does nothing', SLOW],
    ['trickles', TRICKLE],
  ])('and %s ends on the server when the run is interrupted', async (_name, query) => {
    const abort = new AbortController();
    const shop = await warehouse();
    const failing = failureOf(shop.extract({ query }, file, { signal: abort.signal }));
    await until('the server is at work', sessions, (seen) =>
      seen.some(({ state, query: at }) => state === 'active' && /FETCH/.test(at)),
    );
    abort.abort();
    expect((await failing).code).toBe('HF_INTERRUPTED');
    await shop.close();
    await until('the server is at rest', sessions, noSession, SOON_MS);
    expect(await readdir(folder)).toEqual([]);
  });

  test('and whose connection is lost is to be tried again', async () => {
    const shop = await warehouse();
    const failing = failureOf(shop.extract({ query: TRICKLE }, file, unaborted));
    await until('the server is at work', sessions, (seen) => seen.some(({ query: at }) => /FETCH/.test(at)));
    await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast extract'`);
    const error = await failing;
    expect(error).toMatchObject({
      code: 'HF_WAREHOUSE_UNREADABLE',
      kind: 'retry',
      message: 'Connector crm: cannot run the query: the connection to Postgres was lost',
    });
    expect(await readdir(folder)).toEqual([]);
    // What is asked next is told the same.
    expect((await failureOf(shop.describe('SELECT 1 AS customer_id'))).code).toBe('HF_WAREHOUSE_UNREADABLE');
    expect(await (await warehouse()).extract({ query: 'SELECT 1 AS customer_id' }, file, unaborted)).toBe(1);
  });
});

describe('a connection that cannot be made says why, and never with which password', () => {
  const tcp = (rest: string) => `postgres://reader:${PASSWORD}@${rest}`;
  test.each<[name: string, url: () => string, said: string]>([
    ['nothing listens', () => tcp('127.0.0.1:1/shop'), '127.0.0.1:1/shop: nothing listens there'],
    ['the host is not known', () => tcp('nowhere.invalid/shop'), 'the host is not known'],
    ['there is no such database', () => source().replace('/postgres?', '/nowhere?'), 'there is no such database'],
    ['the user is refused', () => source().replace('reader:', 'nobody:'), 'the user or the password is refused'],
    ['it is no URL', () => `postgres//reader:${PASSWORD}@db/shop`, 'not of the form'],
    ['it is of something else', () => `mysql://reader:${PASSWORD}@db/shop`, 'not of the form'],
    ['its password is not escaped', () => `postgres://reader:a/${PASSWORD}@db:x/shop`, 'not of the form'],
    [
      'its password is not escaped and looks like a port',
      () => `postgres://reader:12/${PASSWORD}@db/shop`,
      'not of the form',
    ],
    ['its certificate is not there', () => `${source()}&sslmode=verify-full&sslrootcert=/nowhere.crt`, 'no such file'],
    ['the server speaks no TLS', () => `${source()}&sslmode=verify-full`, 'it speaks no TLS'],
  ])('because %s', async (_name, url, said) => {
    const { code, message, shown } = await failureOf(open(folder, {}, { source: url() }));
    expect(code).toBe('HF_WAREHOUSE_UNREADABLE');
    expect(message).toContain('Connector crm');
    expect(message).toContain(said);
    expect(shown).not.toContain(PASSWORD);
  });

  test('but a newline at its end does no harm', async () => {
    const shop = await warehouse({}, { source: `${source()}\n` });
    expect(await shop.extract({ query: 'SELECT 1 AS customer_id' }, file, unaborted)).toBe(1);
  });

  test('because there is none', async () => {
    const { code, message } = await failureOf(open(folder, {}, { source: undefined }));
    expect(code).toBe('HF_USAGE');
    expect(message).toContain('HOLDFAST_CONNECTION_CRM');
  });

  test('because the password is wrong, or missing', async () => {
    const [{ hba_file: hba }] = (await admin('SHOW hba_file')) as [{ hba_file: string }];
    const before = await readFile(hba, 'utf8');
    await writeFile(hba, `local all reader scram-sha-256\n${before}`);
    await admin('SELECT pg_reload_conf()');
    try {
      const wrong = () => failureOf(open(folder, {}, { source: source().replace(PASSWORD, 'wr0ng') }));
      const error = await until('the server has read its settings', wrong, ({ code }) => code !== undefined);
      expect(error.message).toContain('the user or the password is refused');
      expect(error.shown).not.toContain('wr0ng');
      const missing = await failureOf(open(folder, {}, { source: source().replace(`:${PASSWORD}`, '') }));
      expect(missing.message).toContain('it asks for a password, and the URL has none');
      const shop = await warehouse();
      expect(await shop.extract({ query: 'SELECT 1 AS customer_id' }, file, unaborted)).toBe(1);
    } finally {
      await writeFile(hba, before);
      await admin('SELECT pg_reload_conf()');
    }
  });
});
