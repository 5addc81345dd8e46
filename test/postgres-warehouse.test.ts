import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import { PIPELINES } from '../contract/pipelines.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { NOW, type ProgramSpec, type Workspace, workspace } from './support/workspace.ts';

let postgres: TestPostgres;
let shop: Workspace;
let environment: Record<string, string>;
beforeAll(async () => {
  postgres = await openPostgres();
  shop = await workspace();
  environment = { HOLDFAST_CONNECTION_SHOP: await postgres.reader() };
  await postgres.database.pool.query('ALTER ROLE any_reader SET search_path = crm');
  await postgres.database.pool.query('CREATE SCHEMA crm');
  await makeTable('customers', `SELECT * FROM read_parquet(${literal(shop.path('customers.parquet'))})`);
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const TYPES: Readonly<Record<string, string>> = { VARCHAR: 'text', DOUBLE: 'float8', BOOLEAN: 'boolean' };

/** Makes a table in Postgres of the rows of a SELECT of DuckDB. */
async function makeTable(name: string, select: string): Promise<void> {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder });
  const columns = await engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE ${select}`);
  const types = columns.map(({ column_name, column_type }) => `${column_name} ${TYPES[column_type] ?? column_type}`);
  await postgres.database.pool.query(`CREATE TABLE crm.${name} (${types.join(', ')})`);
  await postgres.database.pool.query(
    `INSERT INTO crm.${name} SELECT * FROM json_populate_recordset(NULL::crm.${name}, $1)`,
    [JSON.stringify(await engine.rows(select))],
  );
}

/** Customers without some of their columns, a feature store that has these, and past offers, as SELECTs of DuckDB. */
function tables(): Record<string, string> {
  const customers = `read_parquet(${literal(shop.path('customers.parquet'))})`;
  return {
    people: `SELECT * EXCLUDE (lifetime_value, feature_usage) FROM ${customers}`,
    features: `SELECT customer_id, lifetime_value, feature_usage FROM ${customers}`,
    offers: `SELECT customer_id, 'keep' AS program_id, TIMESTAMP '2026-10-01 12:00:00' AS offered_at FROM ${customers}
      WHERE customer_id > 'C0350' UNION ALL SELECT customer_id, 'keep', TIMESTAMP '2026-01-01 12:00:00' FROM ${customers}`,
  };
}

const connector = (type: string, config: object) => ({ connectorId: 'shop', type, config });

async function digestsOf(args: readonly string[], data: string): Promise<Record<string, string>> {
  const { status, stdout, stderr } = await shop.holdfast(
    ['run', ...args, '--now', NOW, '--output', 'json', '--data', data],
    { environment },
  );
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const { run } = JSON.parse(stdout) as { run: string };
  const digests: Record<string, string> = {};
  for (const { name } of PIPELINES.batch.stages.slice(0, -1)) {
    const manifest = join(data, 'artifacts/default/keep', run, name, '1/manifest.json');
    const { parts } = JSON.parse(await readFile(manifest, 'utf8')) as { parts: { path: string; sha256: string }[] };
    for (const { path, sha256 } of parts) digests[`${name}/${path}`] = sha256;
  }
  return digests;
}

test('a run on Postgres makes what the same run on a file of the same rows makes, byte for byte', async () => {
  const query = 'SELECT * FROM customers';
  const inFile = (spec: ProgramSpec) => {
    spec['dataConnectors'] = [connector('duckdb', { path: 'customers.parquet', query })];
  };
  const inPostgres = (spec: ProgramSpec) => {
    spec['dataConnectors'] = [connector('postgres', { query })];
  };
  const ofFile = await digestsOf([await shop.program(inFile, 'file.yaml')], shop.path('of-file'));
  const ofServer = await digestsOf([await shop.program(inPostgres, 'server.yaml')], shop.path('of-server'));
  expect(Object.keys(ofFile).length).toBeGreaterThan(4);
  expect(ofServer).toEqual(ofFile);
});

test('so it does with features and past offers in tables of their own', async () => {
  const file = shop.path('shop.duckdb');
  for (const [name, select] of Object.entries(tables())) {
    await makeTable(name, select);
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder, file });
    await engine.run(`CREATE TABLE ${name} AS ${select}`);
  }
  const completed = (type: string, config: object) => (spec: ProgramSpec) => {
    spec['dataConnectors'] = [connector(type, { ...config, query: 'SELECT * FROM people; -- and their features' })];
    spec['featureStore'] = { type: 'warehouse', connectorId: 'shop', table: 'features' };
    spec['offerHistory'] = { connectorId: 'shop', table: 'offers' };
    const parameters = { maxOffersPerQuarter: 1 };
    spec['filterChain'].push({ filterId: 'cap', type: 'business-rule', order: 5, parameters });
  };
  const inFile = await shop.program(completed('duckdb', { path: 'shop.duckdb' }), 'tables-file.yaml');
  const inPostgres = await shop.program(completed('postgres', {}), 'tables-server.yaml');
  const ofFile = await digestsOf([inFile], shop.path('of-tables-file'));
  const ofServer = await digestsOf([inPostgres], shop.path('of-tables-server'));
  expect(ofServer).toEqual(ofFile);
});

test.each([
  ['the environment says nothing', [], {}, 'set HOLDFAST_CONNECTION_SHOP to postgres://'],
  [
    'a connection is given for all to see',
    ['--source', 'shop=postgres://ada:s3cret@db/shop'],
    {},
    'by the environment, as HOLDFAST_CONNECTION_SHOP=',
  ],
  ['it is given without its connector', ['--source', 'postgres://ada:s3cret@db/shop'], {}, 'by the environment'],
  ['a file is given', ['--source', 'shop=customers.csv'], {}, '--source takes files only'],
  [
    'nothing listens',
    [],
    { HOLDFAST_CONNECTION_SHOP: 'postgres://ada:s3cret@127.0.0.1:1/shop' },
    'nothing listens there',
  ],
])('a run on Postgres says what is wrong and never the password, when %s', async (_name, args, environment, said) => {
  const program = await shop.program((spec) => {
    spec['dataConnectors'] = [connector('postgres', { query: 'SELECT * FROM customers' })];
  });
  const result = await shop.holdfast(['--verbose', 'run', program, ...args, '--data', shop.path('failing')], {
    environment,
  });
  // A server may be up again in a moment; what was typed stays as it is.
  expect(result.status).toBe(said === 'nothing listens there' ? 1 : 78);
  expect(result.stderr).toContain(said);
  expect(`${result.stderr}${result.stdout}`).not.toContain('s3cret');
});

test('a time beyond every timestamp that rides along ends no batch, and its column is said', async () => {
  const query =
    "SELECT *, CASE WHEN customer_id = 'C0399' THEN timestamptz '294276-12-31' END AS valid_till FROM customers";
  const program = await shop.program((spec) => {
    spec['dataConnectors'] = [connector('postgres', { query })];
  }, 'late.yaml');
  const run = await shop.holdfast(['run', program, '--now', NOW, '--data', shop.path('late')], { environment });
  expect(run.status).toBe(0);
  expect(run.stdout + run.stderr).toMatch(
    /valid_till is beyond what a timestamp here holds in 1 row, and missing there/,
  );
});
