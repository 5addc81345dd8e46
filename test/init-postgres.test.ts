import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import { COMPACT, COUNTINGS, countedFormat } from '../cli/init/date-format.ts';
import { DUCKDB } from '../cli/init/dialect.ts';
import { POSTGRES } from '../cli/init/postgres-dialect.ts';
import type { InitReport } from '../cli/terminal/init-report.ts';
import { iso, orderLines, orders } from './support/orders.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { holdfast, NOW } from './support/workspace.ts';

let postgres: TestPostgres;
let reader: string;
beforeAll(async () => {
  postgres = await openPostgres();
  reader = await postgres.reader();
  await postgres.database.pool.query(`
    CREATE SCHEMA shop;
    CREATE TYPE shop.plan AS ENUM ('Basic', 'Standard', 'Premium');
    CREATE TABLE shop.customers AS
    SELECT n AS "customerId", 'p' || n || '@example.com' AS email,
      TIMESTAMPTZ '2024-05-31 10:00+00' - ((n * 37) % 120) * INTERVAL '1 day' AS last_seen,
      CASE WHEN n % 50 = 0 THEN 'unknown' ELSE to_char(DATE '2023-05-31' + (n * 11) % 300, 'DD.MM.YYYY') END AS signup_date,
      CASE WHEN n % 40 = 0 THEN 'N/A' ELSE '$' || to_char(100 + (n * 53) % 9000, 'FM9,999') || '.50' END AS total_spend,
      (ARRAY['Basic', 'Standard', 'Premium'])[1 + n % 3]::shop.plan AS plan,
      ((n * 7) % 13)::smallint AS orders_last_90_days,
      (n * 1.5)::numeric(12, 2) AS balance,
      jsonb_build_object('n', n) AS extra, ARRAY[n] AS list, gen_random_uuid() AS token,
      CASE WHEN n % 9 = 0 THEN 'Y' ELSE 'N' END AS opted_out,
      (n * 37) % 120 + (n * 7919) % 60 > 110 AS churned
    FROM generate_series(1, 1200) AS numbers (n)`);
});
afterAll(async () => postgres[Symbol.asyncDispose]());

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-init-postgres-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const command = (args: readonly string[], connection = reader) =>
  holdfast(args, { environment: { HOLDFAST_CONNECTION_CRM: connection } });
const init = (...options: string[]) =>
  command(['init', '--connector', 'crm', '-o', at('program.yaml'), '--table', 'shop.customers', ...options]);

/** Stages of a run, by name. */
async function run(file: string): Promise<Record<string, { rowsOut: number; counts: object }>> {
  const { status, stdout, stderr } = await command([
    'run',
    file,
    '--now',
    NOW,
    '--output',
    'json',
    '--dry-run',
    '--data',
    at('state'),
  ]);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const { stages } = JSON.parse(stdout) as {
    stages: { name: string; rowsOut: number; counts: Record<string, unknown> }[];
  };
  // The fingerprint is of the columns' types as well, which are the source's own.
  return Object.fromEntries(
    stages.map(({ name, rowsOut, counts: { fingerprint: _, ...counts } }) => [name, { rowsOut, counts }]),
  );
}

test('a table of Postgres becomes a program in its own SQL, whose funnel is that of the same rows in a file', async () => {
  const { status, stdout, stderr } = await init('--output', 'json');
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const { mappings, label, model } = JSON.parse(stdout) as InitReport;
  expect(mappings.map(({ column, source }) => [column, source])).toEqual([
    ['customer_id', 'customerId'],
    ['subscription_tier', 'plan'],
    ['subscription_tenure', 'signup_date'],
    ['days_since_last_login', 'last_seen'],
    ['purchase_frequency', 'orders_last_90_days'],
    ['lifetime_value', 'total_spend'],
    ['opted_out', 'opted_out'],
  ]);
  expect([label?.source, model.kind]).toEqual(['churned', 'logistic-regression']);
  const written = await readFile(at('program.yaml'), 'utf8');
  expect(written).toMatch(/FROM "shop"\."customers"\n +\) AS present\n/);
  const query = parse(written).spec.dataConnectors[0].config.query as string;
  expect(query).not.toMatch(/TRY_CAST|token|email/);
  expect(written).not.toContain('@example');
  expect(await holdfast(['validate', at('program.yaml')])).toMatchObject({ status: 0 });
  const fromServer = await run(at('program.yaml'));

  const { rows } = await postgres.database.pool.query(`SELECT json_agg(c)::text AS all_rows FROM (
    SELECT "customerId", email, last_seen::text, signup_date, total_spend, plan::text, orders_last_90_days, balance::float8, opted_out, churned FROM shop.customers) AS c`);
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
  await engine.run(
    `COPY (SELECT row.* FROM (SELECT unnest(from_json(${literal(rows[0].all_rows)}, '[{"customerId":"INTEGER","email":"VARCHAR","last_seen":"TIMESTAMPTZ","signup_date":"VARCHAR","total_spend":"VARCHAR","plan":"VARCHAR","orders_last_90_days":"SMALLINT","balance":"DOUBLE","opted_out":"VARCHAR","churned":"BOOLEAN"}]')) AS row)) TO '${at('customers.parquet')}' (FORMAT parquet)`,
  );
  await mkdir(at('file'));
  const fromFile = await command(['init', at('customers.parquet'), '-o', at('file/program.yaml'), '--output', 'json']);
  expect(fromFile.status).toBe(0);
  expect(await run(at('file/program.yaml'))).toEqual(fromServer);
  expect(fromServer['score']?.rowsOut).toBeGreaterThan(20);
});

test('whoever has left is left out in the SQL of Postgres too: by a flag of decimals, a day, and a state', async () => {
  await postgres.database.pool.query(`
    CREATE TABLE shop.leavers AS
    SELECT n AS customer_id, DATE '2024-05-31' - (n % 90) AS last_seen, n % 50 AS support_tickets,
      CASE WHEN n % 20 = 0 THEN NULL WHEN n % 4 = 1 THEN 1.0 ELSE 0.0 END::float8 AS churned,
      CASE WHEN n % 10 = 2 THEN TIMESTAMPTZ '2024-05-01 10:00+00' WHEN n % 10 = 4 THEN TIMESTAMPTZ '2031-01-01' END AS cancelled_at,
      (ARRAY['active', 'past_due', 'Cancelled'])[1 + n % 3] AS subscription_status,
      (ARRAY['UK', 'GB', 'Narnia', 'France'])[1 + n % 4] AS country
    FROM generate_series(1, 600) AS numbers (n)`);
  const { status, stdout, stderr } = await init('--table', 'shop.leavers', '--output', 'json', '--force');
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const { label, departed, warnings } = JSON.parse(stdout) as InitReport;
  expect(label?.source).toBe('churned');
  expect(departed).toEqual([
    { source: 'cancelled_at', left: 60, notice: 60 },
    { source: 'subscription_status', left: 200, notice: 0 },
  ]);
  expect(warnings).toContainEqual(expect.stringMatching(/^country: 150 rows name no country .*Narnia \(150 rows\)/));
  const { rows } = await postgres.database.pool.query(`SELECT count(*)::integer AS here FROM shop.leavers
    WHERE churned IS DISTINCT FROM 1 AND (cancelled_at IS NULL OR cancelled_at > '2030-01-01') AND subscription_status <> 'Cancelled'`);
  expect((await run(at('program.yaml')))['extract']?.rowsOut).toBe(rows[0].here);
});

test('a table whose names have blanks, capitals, quotes and points is named as in SQL', async () => {
  const { pool } = postgres.database;
  await pool.query(`CREATE SCHEMA "Käufe 2026"; CREATE TABLE "Käufe 2026"."my ""big"".Table" AS
    SELECT rpad('C' || n, 8)::char(8) AS "CustomerID", n % 90 AS "days since login", n % 7 AS "order", n % 5 AS "per%cent",
      n % 90 > 45 AS churned FROM generate_series(1, 300) AS numbers (n);
    GRANT USAGE ON SCHEMA "Käufe 2026" TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA "Käufe 2026" TO PUBLIC`);
  const named = ['--table', '"Käufe 2026"."my ""big"".Table"', '--name', 'quoted', '--output', 'json', '--force'];
  const { status, stderr } = await init(...named);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect((await run(at('program.yaml')))['extract']?.rowsOut).toBe(300 - rowsOver45);
  await pool.query('ALTER TABLE "Käufe 2026"."my ""big"".Table" DROP COLUMN churned');
  expect((await run(at('program.yaml')))['extract']?.rowsOut).toBe(300);
});
/** Of 1 to 300, those whose rest by 90 is over 45. */
const rowsOver45 = Array.from({ length: 300 }, (_, index) => (index + 1) % 90).filter((rest) => rest > 45).length;

test('days that have not come yet in the order of the first table are told from those of another order', async () => {
  const { pool } = postgres.database;
  await pool.query(`CREATE TABLE shop.seen AS
    SELECT 'C' || n AS customer_id, to_char(DATE '2026-01-31' - n % 90, 'MM/DD/YYYY') AS last_login FROM generate_series(1, 200) AS numbers (n)`);
  expect((await init('--table', 'shop.seen', '--output', 'json', '--force')).status).toBe(0);
  const { spec } = parse(await readFile(at('program.yaml'), 'utf8'));
  const query = (spec.dataConnectors[0].config.query as string).replaceAll('current_date', "DATE '2026-02-12'");
  const reasons = async (written: string) => {
    await pool.query(
      `UPDATE shop.seen SET last_login = to_char(DATE '2026-02-01' + substr(customer_id, 2)::integer % 12, '${written}')`,
    );
    const { rows } = await pool.query(`SELECT DISTINCT rejected_because AS reason FROM (${query}) AS rows`);
    return rows.map(({ reason }) => reason);
  };
  expect(await reasons('MM/DD/YYYY')).toEqual(['']);
  expect(await reasons('DD/MM/YYYY')).toEqual(['days of this file written day first rather than month first']);
});

const TEXTS = [
  '12',
  '-3.5',
  ' 7',
  '1e5',
  '.5',
  '1.',
  '1,234.50',
  '$12',
  '12 %',
  '12,5',
  '1.234,5',
  '178.100',
  '178,100',
  "1'234.50",
  '1 234,5',
  '1\u00a0234',
  '1,50,000',
  '(123.00)',
  '(€ 1.234,50)',
  '123.00-',
  '="123"',
  'EUR 12,50',
  '12.50 USD',
  'SKU 12',
  '15/10/26',
  '10/15/26 08:00',
  '26.10.15',
  '15.10.70',
  '1/2/2026 10:00',
  '2026/10/15',
  '2026-10-15T10:00:00Z',
  '',
  'NA',
  'x1',
  '--1',
  '9'.repeat(150),
  '1e999',
  '2024-02-29',
  '2024-01-31 10:00:00',
  '31.12.2023',
  '1.2.2023',
  '12/31/2023',
  '31/12/2023',
  '20231231',
  '2024-13-01',
  '2024-00-10',
  'today',
  '45321',
  '45321,75',
  '1700000000',
  '1700000000000.0',
];

test('the two dialects read the same numbers and days from texts, and neither fails on what is none', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
  const numbers = (['point', 'comma'] as const).flatMap((decimal) =>
    (['plain', 'grouped', 'dressed'] as const).map((style) => ({ decimal, style })),
  );
  const days = (['ymd', 'mdy', 'dmy'] as const).flatMap((order) =>
    (['-', '/', '.'] as const).flatMap((separator) =>
      [true, false].map((shortYear) => ({ order, separator, shortYear })),
    ),
  );
  const select = (dialect: typeof DUCKDB, text: string) =>
    [
      ...numbers.map((format) => dialect.number(text, format)),
      ...[...days, COMPACT, ...COUNTINGS.map(countedFormat)].map(
        (format) => `CAST(${dialect.day(text, format)} AS VARCHAR)`,
      ),
    ]
      .map((sql, index) => `${sql} AS c${index}`)
      .join(', ');
  const differing: unknown[] = [];
  for (const text of TEXTS) {
    const [theirs] = (
      await postgres.database.pool.query(`SELECT ${select(POSTGRES, 't')} FROM (SELECT trim($1::text) AS t) AS x`, [
        text,
      ])
    ).rows;
    const [ours] = await engine.rows<Record<string, unknown>>(
      `SELECT ${select(DUCKDB, 't')} FROM (SELECT trim($1::VARCHAR) AS t)`,
      [text],
    );
    // A cast of DuckDB's takes a few forms more: what Postgres reads must be the same.
    for (const [key, value] of Object.entries(theirs)) {
      if (value !== null && value !== ours?.[key]) differing.push({ text, key, theirs: value, ours: ours?.[key] });
    }
  }
  expect(differing).toEqual([]);
});

test.each([
  ['a table that is not there', ['--table', 'shop.people'], /There is no table shop\.people/],
  ['a name that is none', ['--table', 'shop.customers; DROP TABLE x'], /is not the name of a table/],
  ['no connection', ['--connector', 'other'], /HOLDFAST_CONNECTION_OTHER/],
])('%s is refused', async (_, options, message) => {
  const { status, stderr } = await init(...options);
  expect(status).toBeGreaterThan(0);
  expect(stderr).toMatch(message);
});

test('a server that cannot be reached is named without its password', async () => {
  const { status, stderr } = await command(
    ['init', '--connector', 'crm', '--table', 'a', '-o', at('p.yaml')],
    'postgres://reader:s3cret@127.0.0.1:1/none',
  );
  expect(status).toBeGreaterThan(0);
  expect(stderr).not.toContain('s3cret');
});

test('without a table, a Postgres lists its tables and views, the likeliest first, and what to type', async () => {
  await postgres.database.pool.query(`
    CREATE TABLE shop.orders (order_id bigint, customer_id bigint, order_date date, amount numeric(12, 2));
    CREATE TABLE shop.sales (sale_id character varying, customer_id uuid, sold_on timestamp without time zone,
      "ordered at" timestamp with time zone, amount double precision);
    CREATE VIEW shop.order_view AS SELECT order_id, amount FROM shop.orders;
    CREATE TABLE shop.colours (name text);
    CREATE TABLE shop.hidden (customer_id text, churned boolean);
    GRANT SELECT ON ALL TABLES IN SCHEMA shop TO PUBLIC; GRANT USAGE ON SCHEMA shop TO PUBLIC;
    REVOKE ALL ON shop.hidden FROM PUBLIC`);
  const listed = await command(['init', '--connector', 'crm', '-o', at('program.yaml')]);
  expect(listed.stderr).toMatch(/^HF_USAGE: name the table that is meant with --table: nothing was written/);
  expect(listed.status).toBe(78);
  expect(listed.stdout).toMatch(/shop\.order_view +view/);
  expect(listed.stdout).toMatch(/shop\.orders +table .*transactions\? +ids order_id, customer_id {3}days order_date/);
  // Types of several words are no part of a name.
  expect(listed.stdout).toMatch(
    /shop\.sales +table .*transactions\? +ids sale_id, customer_id {3}days sold_on, ordered at\n/,
  );
  expect(listed.stdout).toContain('likeliest   shop.customers, of customers, by the names of its columns');
  expect(listed.stdout).toContain('next        holdfast init --connector crm --table shop.customers\n');
  expect(existsSync(at('program.yaml'))).toBe(false);
  const { stdout } = await command(['init', '--connector', 'crm', '--output', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({
    likeliest: 'shop.customers',
    tables: expect.arrayContaining([expect.objectContaining({ table: 'shop.colours', ids: [], days: [] })]),
  });
});

test('a connection on the command line is refused without being repeated', async () => {
  const { status, stdout, stderr } = await command(['init', 'postgres://reader:s3cret@db/crm']);
  expect([status, stdout]).toEqual([78, '']);
  expect(stderr).toMatch(/HF_USAGE: a connection may have a password in it.*HOLDFAST_CONNECTION_WAREHOUSE/);
  expect(stderr).not.toContain('s3cret');
});

test('transactions of a Postgres become the same customers as those of a file', async () => {
  const all = orders(150, 200);
  const { pool } = postgres.database;
  await pool.query(`
    DROP TABLE IF EXISTS shop.bought;
    CREATE TABLE shop.bought (order_id text, customer_id text, order_date timestamptz, amount numeric(12, 2), type text)`);
  const rows = [
    ...all,
    ...all
      .filter((_, index) => index % 40 === 0)
      .map((order) => ({ ...order, id: `R${order.id}`, amount: -order.amount })),
  ];
  await pool.query(
    `INSERT INTO shop.bought SELECT o->>'id', nullif(o->>'customer', ''), (o->>'day')::date + INTERVAL '9 hours', abs((o->>'amount')::numeric),
      CASE WHEN (o->>'amount')::numeric < 0 THEN 'refund' ELSE 'sale' END FROM jsonb_array_elements($1::jsonb) AS o`,
    [
      JSON.stringify(
        rows.map((order, index) => ({
          ...order,
          customer: index % 9 === 0 ? '' : order.customer,
          day: iso(order.day),
        })),
      ),
    ],
  );
  await pool.query('GRANT SELECT ON shop.bought TO PUBLIC; GRANT USAGE ON SCHEMA shop TO PUBLIC');
  const made = await command([
    'init',
    '--connector',
    'crm',
    '-o',
    at('program.yaml'),
    '--table',
    'shop.bought',
    '--output',
    'json',
  ]);
  expect({ status: made.status, stderr: made.status === 0 ? '' : made.stderr }).toEqual({ status: 0, stderr: '' });
  const fromServer = JSON.parse(made.stdout) as InitReport;

  await mkdir(at('file'));
  const lines = orderLines(rows, {
    order_id: ({ id }) => id,
    customer_id: ({ customer }, index) => (index % 9 === 0 ? '' : customer),
    order_date: ({ day }) => `${iso(day)} 09:00:00`,
    amount: ({ amount }) => Math.abs(amount),
    type: ({ amount }) => (amount < 0 ? 'refund' : 'sale'),
  });
  await writeFile(at('file/bought.csv'), `${lines.join('\n')}\n`);
  const fromFile = await command(['init', at('file/bought.csv'), '-o', at('file/program.yaml'), '--output', 'json']);
  expect(fromFile.status).toBe(0);
  const { transactions, model, reach } = JSON.parse(fromFile.stdout) as InitReport;
  expect(fromServer.transactions).toEqual(transactions);
  expect([fromServer.model.sha256, fromServer.reach]).toEqual([model.sha256, reach]);
  const stages = await run(at('program.yaml'));
  expect(stages).toEqual(await run(at('file/program.yaml')));
  expect(stages['extract']?.rowsOut).toBeGreaterThan(50);
});

test('a model of a table is measured on the rows of the server, which reads no file', async () => {
  await init();
  const check = (...more: string[]) =>
    command(['models', 'check', '--program', at('program.yaml'), '-o', 'json', ...more]);
  const { status, stdout, stderr } = await check('--measure');
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const { measured } = JSON.parse(stdout);
  const { rows } = await postgres.database.pool.query(
    'SELECT avg(churned::integer)::float8 AS share FROM shop.customers',
  );
  expect(measured).toMatchObject({ label: 'churned', rows: 1200, unlabelled: 0, rejected: 0 });
  expect(measured.reliability.baseRate).toBeCloseTo(rows[0].share, 12);
  expect(measured.auc).toBeGreaterThan(0.7);
  const refused = await check('--data', at('later.csv'));
  expect(refused).toMatchObject({
    status: 78,
    stderr: expect.stringMatching(/a server, which reads no file: .* --measure in place of --data/),
  });
});

test('a model of transactions is measured at a cut on the rows of the server', async () => {
  const all = orders(200, 400);
  await postgres.database.pool.query(
    'CREATE TABLE shop.measured_orders (order_id text, customer_id text, order_date date, amount numeric)',
  );
  await postgres.database.pool.query(
    `INSERT INTO shop.measured_orders VALUES ${all.map(({ id, customer, day, amount }) => `('${id}', '${customer}', '${iso(day)}', ${amount})`).join(', ')}`,
  );
  const { status } = await command([
    'init',
    '--connector',
    'crm',
    '-o',
    at('p.yaml'),
    '--table',
    'shop.measured_orders',
  ]);
  expect(status).toBe(0);
  const file = at('orders.csv');
  await writeFile(file, `${orderLines(all).join('\n')}\n`);
  expect((await holdfast(['init', file, '-o', at('f.yaml')])).status).toBe(0);
  const check = async (program: string) => {
    const { stdout } = await command(['models', 'check', '--program', at(program), '--measure', '-o', 'json']);
    return JSON.parse(stdout).measured;
  };
  const [server, same] = [await check('p.yaml'), await check('f.yaml')];
  expect(server).toEqual({ ...same, auc: server.auc, reliability: server.reliability });
  expect(server.auc).toBeCloseTo(same.auc, 6);
  expect(server.doubts).toEqual([expect.stringMatching(/the cut of the training: the model has seen most/)]);
});

test('tables that the role has no right to are counted, with the GRANT', async () => {
  await postgres.database.pool.query(`CREATE ROLE narrow LOGIN PASSWORD 'reads'; CREATE SCHEMA "Far away";
    CREATE TABLE "Far away".secrets (a int); CREATE VIEW "Far away".views AS SELECT 1 AS b;
    CREATE TABLE public.shown (customer_id int, tenure int); GRANT SELECT ON public.shown TO narrow;
    CREATE SCHEMA IF NOT EXISTS holdfast; CREATE TABLE holdfast.our_own (customer_id int)`);
  const narrow = reader.replace('any_reader', 'narrow');
  const { status, stdout } = await command(['init', '--connector', 'crm'], narrow);
  expect(status).toBe(78);
  expect(stdout).toContain('public.shown');
  expect(stdout).not.toContain('secrets');
  expect(stdout).not.toMatch(/our_own|more in holdfast/);
  expect(stdout).toContain(
    'no right    2 more in "Far away" that narrow may not read: GRANT USAGE ON SCHEMA "Far away" TO narrow; GRANT SELECT ON ALL TABLES IN SCHEMA "Far away" TO narrow\n',
  );
  await postgres.database.pool.query(`REVOKE ALL ON public.shown FROM narrow;
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information' LOOP
        EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM PUBLIC', name);
      END LOOP;
    END $$`);
  const none = await command(['init', '--connector', 'crm'], narrow);
  expect(none).toMatchObject({
    status: 78,
    stderr: expect.stringMatching(/may be read; .*GRANT USAGE ON SCHEMA "Far/),
  });
});
