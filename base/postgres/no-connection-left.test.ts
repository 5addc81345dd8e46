import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from '../../database/client/connect.ts';
import { statement } from '../../database/client/statement.ts';
import { PostgresSession } from '../../providers/warehouses/postgres/session.ts';
import { hasPooler, openPooler } from '../../test/support/pooler.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { until } from '../../test/support/until.ts';
import { noConnectionLeft, type Patience } from './no-connection-left.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
  await postgres.database.pool.query('CREATE ROLE narrow LOGIN CONNECTION LIMIT 1');
  await postgres.database.pool.query('CREATE ROLE three LOGIN CONNECTION LIMIT 3');
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const url = () => postgres.url.replace('holdfast@', 'narrow@');
const SENTENCE =
  /no connection is left: each task under way holds two, each shard \(execution.shards\) is one, .* raise the role's CONNECTION LIMIT/;

test('where none is left a connection says so, and what to do', async () => {
  const one = await connect(url(), { applicationName: 'test' });
  await expect(connect(url(), { applicationName: 'test' })).rejects.toMatchObject({
    code: 'HF_DATABASE_UNREACHABLE',
    message: expect.stringMatching(SENTENCE),
  });
  await expect(PostgresSession.open(url(), 'Connector crm', 60)).rejects.toMatchObject({
    code: 'HF_WAREHOUSE_UNREACHABLE',
    message: expect.stringMatching(SENTENCE),
  });
  await one.close();
});

test('so does the work of a task that finds no second one', async () => {
  const one = await connect(url(), { applicationName: 'test' });
  const held = await one.pool.connect();
  await expect(statement(one, 'store the candidates', 'SELECT 1', [])).rejects.toMatchObject({
    code: 'HF_DATABASE_UNREACHABLE',
    message: expect.stringMatching(/^Postgres failed to store the candidates: no connection is left/),
  });
  held.release();
  await one.close();
});

/** A clock that only waiting moves on. */
function patience(longestMs: number, meanwhile: (waited: number) => Promise<void>): Patience {
  let now = 0;
  return {
    longestMs,
    elapsed: () => now,
    random: () => 0.5,
    async pause(milliseconds) {
      now += milliseconds;
      await meanwhile(now);
    },
  };
}

test('who has patience gets the connection that another gives back', async () => {
  const three = postgres.url.replace('holdfast@', 'three@');
  const free = patience(60_000, () => Promise.reject(new Error('waited')));
  const one = await connect(three, { applicationName: 'test', patience: free });
  const mine = async () =>
    (await postgres.database.pool.query("SELECT FROM pg_stat_activity WHERE usename = 'three'")).rowCount;
  const other = await connect(three, {
    applicationName: 'test',
    patience: patience(60_000, async (waited) => {
      // The two that its work needs, or, while it waits, none: nobody holds one and waits for another.
      await until('its own are given back', mine, (count) => count === 2);
      if (waited >= 7000) await one.close();
    }),
  });
  expect(await mine()).toBe(2);
  await other.close();
});

test('patience ends, and what is no want of connections is not waited for', async () => {
  const one = await connect(url(), { applicationName: 'test' });
  let last = 0;
  const waits = patience(60_000, async (waited) => {
    last = waited;
  });
  await expect(connect(url(), { applicationName: 'test', patience: waits })).rejects.toMatchObject({
    message: expect.stringMatching(SENTENCE),
  });
  expect(last).toBe(75_000);
  await one.close();
  const none = patience(60_000, () => Promise.reject(new Error('waited')));
  const refused = url().replace('narrow@', 'nobody@');
  await expect(connect(refused, { applicationName: 'test', patience: none })).rejects.toMatchObject({
    code: 'HF_DATABASE_REFUSED',
  });
});

test.each([
  ['sorry, too many clients already', '53300', 'max_connections'],
  ['remaining connection slots are reserved for roles with the SUPERUSER attribute', '53300', 'max_connections'],
  ['too many connections for role "a"', '53300', "the role's CONNECTION LIMIT"],
  ['too many connections for database "a"', '53300', "the database's CONNECTION LIMIT"],
  ['no more connections allowed (max_client_conn)', '08P01', "the pooler's max_client_conn"],
  ['query_wait_timeout', '08P01', "the pooler's max_client_conn"],
  ['server login has been failing: sorry, too many clients already', '08P01', 'max_connections'],
])('"%s" (%s) names its limit', (message, code, limit) => {
  expect(noConnectionLeft(Object.assign(new Error(message), { code }))).toContain(`raise ${limit}`);
});

test('what else fails is no want of connections', () => {
  expect(noConnectionLeft(Object.assign(new Error('out of memory'), { code: '53200' }))).toBeUndefined();
  expect(noConnectionLeft(undefined)).toBeUndefined();
});

(hasPooler ? describe : describe.skip)('behind PgBouncer', () => {
  test('that takes no more clients the same is said', async () => {
    await using pooler = await openPooler(postgres.url, [], ['max_client_conn = 1']);
    const one = await connect(pooler.url(), { applicationName: 'test' });
    await expect(connect(pooler.url(), { applicationName: 'test' })).rejects.toMatchObject({
      code: 'HF_DATABASE_UNREACHABLE',
      message: expect.stringMatching(
        /no connection is left: .* raise the pooler's max_client_conn and default_pool_size/,
      ),
    });
    await one.close();
  });
});

test('a limit of the server that is exceeded is named with its own words', async () => {
  const raise = `DO $$ BEGIN RAISE EXCEPTION 'temporary file size exceeds "temp_file_limit"' USING ERRCODE = '53400'; END $$`;
  await expect(statement(postgres.database, 'store the candidates', raise, [])).rejects.toMatchObject({
    code: 'HF_DATABASE_FAILED',
    message: 'Postgres failed to store the candidates: temporary file size exceeds "temp_file_limit" (SQLSTATE 53400)',
  });
});
