import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from '../database/client/connect.ts';
import type { Database } from '../database/client/database.ts';
import { prepared, statement } from '../database/client/statement.ts';
import { transaction } from '../database/client/transaction.ts';
import { lockLane } from '../database/locks/run-lock.ts';
import { lockTask } from '../database/locks/task-lock.ts';
import { hasPooler, openPooler, type Pooler } from './support/pooler.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { workspace } from './support/workspace.ts';

const OURS = ['statement_timeout', 'idle_in_transaction_session_timeout', 'options'];
const KEY = { namespace: 'shop', owner: 'keep' };
const LANE = { ...KEY, lane: 'batch' };

if (!hasPooler) console.warn('behind a pooler: skipped, since there is no pgbouncer');
(hasPooler ? describe : describe.skip).each([
  ['as it comes', []],
  ['that drops our settings', OURS],
])('behind PgBouncer in the mode of transactions, %s,', (_name, ignored) => {
  let postgres: TestPostgres;
  let pooler: Pooler;
  const databases: Database[] = [];
  const open = async (options: { readonly readOnly?: boolean } = {}) => {
    const database = await connect(pooler.url(), { applicationName: 'test', ...options });
    databases.push(database);
    return database;
  };
  const count = async (from: string) => (await postgres.database.pool.query(`SELECT FROM ${from}`)).rowCount;

  beforeAll(async () => {
    postgres = await openPostgres();
    pooler = await openPooler(postgres.url, ignored);
  });
  afterAll(async () => {
    for (const database of databases) await database.close();
    await pooler[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });

  test('a program is run by one process at a time, and is free once that is done', async () => {
    const [one, other] = [await open(), await open()];
    const before = await count("pg_locks WHERE locktype = 'advisory'");
    const lock = await lockLane(one, LANE);
    await expect(lockLane(other, LANE)).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
    // Whoever uses the pool meanwhile must not hold, or lose, the lock for it.
    await other.pool.query('SELECT 1');
    await expect(lockLane(other, LANE)).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
    await lock.release();
    await (await lockLane(other, LANE)).release();
    expect(await count("pg_locks WHERE locktype = 'advisory'")).toBe(before);
  });

  test('a task is done by one process at a time', async () => {
    const [one, other] = [await open(), await open()];
    const key = { ...KEY, run: 'weekly', task: 'store/store' };
    const { signal } = new AbortController();
    const lock = await lockTask(one, key, signal);
    const taken: unknown[] = [];
    const waiting = lockTask(other, key, signal).then((second) => {
      taken.push(second);
      return second;
    });
    const waits = () => count("pg_locks WHERE locktype = 'advisory' AND NOT granted");
    for (let looks = 0; looks < 100 && (await waits()) === 0; looks += 1) await other.pool.query('SELECT 1');
    expect(taken).toEqual([]);
    await lock.release();
    await (await waiting).release();
  });

  test('no setting of ours is left to whoever uses the connection next', async () => {
    const settings = async ({ pool }: Database) =>
      (
        await pool.query(
          "SELECT name, setting FROM pg_settings WHERE name ~ '(timeout|read_only)$|^tcp_' ORDER BY name",
        )
      ).rows;
    const database = await open({ readOnly: true });
    const before = await settings(database);
    await statement(database, 'ask', 'SELECT 1', []);
    await (await lockLane(database, LANE)).release();
    await (await lockTask(database, { ...KEY, run: 'a', task: 'b' }, new AbortController().signal)).release();
    expect(await settings(database)).toEqual(before);
  });

  test('the limits of our statements hold all the same', async () => {
    const limits = `SELECT current_setting('statement_timeout') AS statement,
      current_setting('idle_in_transaction_session_timeout') AS idle`;
    const database = await open();
    const ours = [{ statement: '1min', idle: '10min' }];
    expect((await statement(database, 'ask', limits, [])).rows).toEqual(ours);
    expect((await transaction(database, { doing: 'ask' }, (client) => client.query(limits))).rows).toEqual(ours);
  });

  test('who is to read only can change nothing', async () => {
    const write = (database: Database) => statement(database, 'write', 'CREATE TABLE public.notes (id integer)', []);
    await expect(write(await open({ readOnly: true }))).rejects.toMatchObject({ cause: { code: '25006' } });
    await write(await open());
    await statement(await open(), 'clear away', 'DROP TABLE public.notes', []);
  });

  test('a statement that comes again and again goes well on whichever connection of the server', async () => {
    const [one, other] = [await open(), await open()];
    const ask = (database: Database) =>
      prepared<{ sum: number }>(database, 'add', { sql: 'SELECT $1::integer + 1 AS sum', values: [1] });
    const answers = await Promise.all([one, other, one, other, one, one, other].map(ask));
    expect(answers.map(({ rows }) => rows[0]?.sum)).toEqual(Array.from({ length: 7 }, () => 2));
  });

  test('a program runs, is explained, and is pruned', async () => {
    await using shop = await workspace();
    const options = { environment: { DATABASE_URL: pooler.url() } };
    const program = await shop.program();
    const commands = [
      ['run', program],
      ['run', program],
      ['explain', 'keep', 'C0350'],
      ['prune', 'keep'],
    ];
    for (const command of commands) {
      expect(await shop.holdfast(command, options)).toMatchObject({
        status: 0,
        stderr: expect.not.stringContaining('HF_'),
      });
    }
  });
});
