import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { answerOf, TOKEN } from './support/api.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

/** The SQL of a section of a guide, as it is printed. */
function printed(guide: string, heading: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../docs/guides', guide), 'utf8');
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^```sql\n([^]*?)^```$/gm)].map(([, sql = '']) => sql);
}

const [roles = '', viewer = '', list = ''] = printed('data.md', 'Least rights');
const [reader = '', later = ''] = printed('warehouses.md', 'A role that can only read');

let postgres: TestPostgres;
let shop: Workspace;
beforeAll(async () => {
  postgres = await openPostgres();
  shop = await workspace();
  const { pool } = postgres.database;
  await pool.query("CREATE ROLE administrator LOGIN PASSWORD 'x' CREATEROLE; CREATE ROLE loader LOGIN");
  await pool.query('CREATE DATABASE shop OWNER administrator');
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const urlOf = (role: string) => postgres.url.replace('holdfast@', `${role}:hunter2@`).replace('/postgres?', '/shop?');

/** Each statement on its own, as psql runs them. */
async function as(role: string, sql: string): Promise<readonly object[]> {
  const client = new Client({ connectionString: urlOf(role) });
  await client.connect();
  try {
    let rows: readonly object[] = [];
    for (const statement of sql.split(/;(?:\s*--.*)?\n/)) {
      if (statement.trim() !== '') rows = (await client.query(statement)).rows;
    }
    return rows;
  } finally {
    await client.end();
  }
}

const holdfast = (role: string, args: readonly string[]) =>
  shop.holdfast(args, { environment: { DATABASE_URL: urlOf(role), USER: 'ada' } });
async function expectDone(role: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await holdfast(role, args);
  expect({ args, status, stderr }).toMatchObject({ status: 0 });
  return stdout;
}
async function expectRefused(role: string, says: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr, stdout } = await holdfast(role, args);
  expect(stderr).toContain(says);
  expect(stderr).toMatch(/^HF_DATABASE_REFUSED: /m);
  expect(status).toBe(78);
  expect(stderr + stdout).not.toContain('hunter2');
}

/** What `holdfast serve` answers as a role, to each kind of question there is. */
async function served(role: string): Promise<readonly number[]> {
  const program = '/v1/namespaces/default/programs/keep';
  const answers: number[] = [];
  let asking: Promise<void> | undefined;
  const ask = async (url: string, abort: AbortController) => {
    for (const path of ['/readyz', '/', `${program}/candidates`, `${program}/runs`, '/metrics'])
      answers.push((await answerOf(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })).status);
    abort.abort();
  };
  await shop.holdfast(['serve', '--port', '0', '--data', shop.data], {
    environment: { DATABASE_URL: urlOf(role), HOLDFAST_API_TOKEN: TOKEN },
    watch(text, abort) {
      const url = /"url":"([^"]+)"/.exec(text)?.[1];
      if (url !== undefined) asking ??= ask(url, abort).catch(() => abort.abort());
    },
  });
  await asking;
  return answers;
}

test('the roles of a system of record can do what the guide says, and nothing else', async () => {
  const program = await shop.program();
  const run = ['run', program, '--now', NOW, '--output', 'json'];
  await as('administrator', roles);
  const schema = 'the role is holdfast_viewer: GRANT USAGE, CREATE ON SCHEMA holdfast TO holdfast_viewer';
  await expectRefused('holdfast_viewer', schema, ...run);
  await as('holdfast_owner', viewer);
  const first = JSON.parse(await expectDone('holdfast_owner', ...run)).run;
  await as('holdfast_owner', list);

  for (const args of [['candidates', 'keep', '--csv'], ['runs'], ['status'], ['current', 'keep']])
    await expectDone('holdfast_viewer', ...args);
  const [customer] = (await as('outreach', 'SELECT customer_id FROM holdfast.outreach_candidates')) as {
    customer_id: string;
  }[];
  await expectDone('holdfast_viewer', 'explain', 'keep', customer?.customer_id ?? '');
  await expectDone('holdfast_viewer', 'prune', 'keep', '--dry-run');
  expect(await served('holdfast_viewer')).toEqual([200, 200, 200, 200, 200]);
  const write = 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA holdfast TO holdfast_viewer';
  await expectRefused('holdfast_viewer', write, 'discard', first, '--reason', 'a trial');
  await expectRefused('holdfast_viewer', 'the role is holdfast_viewer: GRANT', ...run);
  for (const forbidden of [
    'DELETE FROM holdfast.decisions',
    'CREATE TABLE holdfast.mine ()',
    'CREATE TEMP TABLE mine ()',
  ])
    await expect(as('holdfast_viewer', forbidden)).rejects.toThrow('permission denied');

  for (const hidden of ['decisions', 'candidates', 'current_candidates', 'runs', 'discards', 'schema_migrations'])
    await expect(as('outreach', `TABLE holdfast.${hidden}`)).rejects.toThrow('permission denied');
  await expect(as('outreach', 'SELECT arm FROM holdfast.outreach_candidates')).rejects.toThrow('does not exist');
  const privileges = 'GRANT SELECT ON ALL TABLES IN SCHEMA holdfast TO outreach';
  await expectRefused('outreach', `and the role is outreach: ${privileges}`, 'runs');

  await expectDone('holdfast_owner', 'discard', first, '--reason', 'a trial');
  await expectDone('holdfast_owner', 'discard', first, '--undo', '--reason', 'it was sent');
  await expectDone('holdfast_owner', 'prune', 'keep');
  for (const beyond of ['CREATE SCHEMA more', 'CREATE ROLE more', 'CREATE TEMP TABLE mine ()', 'TABLE pg_authid'])
    await expect(as('holdfast_owner', beyond)).rejects.toThrow('permission denied');
});

test('the role of a warehouse reads what is granted, and what a load makes anew, and cannot write', async () => {
  const { pool } = postgres.database;
  const load = `CREATE TABLE analytics.customer_analytics AS SELECT 'C1'::text AS customer_id;\n`;
  await as('holdfast', `CREATE SCHEMA analytics AUTHORIZATION loader;\nGRANT CONNECT ON DATABASE shop TO loader;\n`);
  await as('loader', `${load}CREATE TABLE analytics.past_offers ();\nCREATE TABLE analytics.payroll ();\n`);
  await as('holdfast', reader);
  await as('loader', later);
  await as('loader', `DROP TABLE analytics.customer_analytics;\n${load}`);
  expect(await as('holdfast_reader', 'TABLE analytics.customer_analytics')).toEqual([{ customer_id: 'C1' }]);
  expect(await as('holdfast_reader', 'SHOW statement_timeout')).toEqual([{ statement_timeout: '30min' }]);
  for (const forbidden of [
    'TABLE analytics.payroll',
    'DELETE FROM analytics.customer_analytics',
    'SET default_transaction_read_only = off;\nDELETE FROM analytics.customer_analytics',
    'SET default_transaction_read_only = off;\nCREATE TABLE analytics.mine ()',
    `SELECT pg_read_file('postgresql.conf')`,
    `COPY (SELECT 1) TO PROGRAM 'cat'`,
  ]) {
    await expect(as('holdfast_reader', forbidden)).rejects.toThrow(/permission denied|read-only/);
  }
  const extract = async (query: string, role = 'holdfast_reader') => {
    const program = await shop.program((spec) => {
      spec['dataConnectors'] = [{ connectorId: 'shop', type: 'postgres', config: { query } }];
    });
    const environment = { HOLDFAST_CONNECTION_SHOP: urlOf(role) };
    const { status, stderr } = await shop.holdfast(['run', program, '--now', NOW], { environment });
    expect(stderr).not.toContain('hunter2');
    return { status, stderr };
  };
  await pool.query('CREATE ROLE "Nobody\'s" LOGIN; CREATE ROLE retired');
  const cases: readonly [query: string, role: string, says: string][] = [
    [
      'TABLE analytics.payroll',
      'holdfast_reader',
      'the role is holdfast_reader: GRANT SELECT ON ALL TABLES IN SCHEMA <that of payroll> TO holdfast_reader',
    ],
    ['TABLE holdfast.runs', 'holdfast_reader', 'GRANT USAGE ON SCHEMA holdfast TO holdfast_reader'],
    ['SELECT 1', 'retired', 'the role retired may not log in: ALTER ROLE retired LOGIN'],
    ['SELECT 1', 'unknown', 'there is no role unknown: CREATE ROLE unknown LOGIN'],
    ['SELECT 1', "Nobody's", 'GRANT CONNECT ON DATABASE shop TO'],
  ];
  for (const [query, role, says] of cases) {
    const { status, stderr } = await extract(query, role);
    expect(stderr).toContain(says);
    expect(status).toBe(78);
  }
});
