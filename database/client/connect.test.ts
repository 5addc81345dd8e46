import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HoldfastError } from '../../base/errors.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { connect } from './connect.ts';
import { statement } from './statement.ts';
import { transaction } from './transaction.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
  await postgres.database.pool.query('CREATE TABLE public.notes (id integer PRIMARY KEY, text text NOT NULL)');
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const database = () => postgres.database;
const noteCount = async () => (await database().pool.query('SELECT FROM public.notes')).rowCount;

/** Everything that a person or a log could be shown of an error. */
function shown(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause)
    parts.push(`${at.stack}`, JSON.stringify(Object.entries(at)));
  return parts.join('\n');
}

async function failureOf(promise: Promise<unknown>): Promise<HoldfastError> {
  const error = await promise.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(HoldfastError);
  return error as HoldfastError;
}

test.each([
  [
    'nothing listening names the host',
    'postgres://ada:s3cret@127.0.0.1:1/shop?sslmode=disable',
    'at 127.0.0.1:1/shop: nothing listens there',
  ],
  [
    'a missing socket names its folder',
    'postgres://ada:s3cret@localhost/shop?host=/nowhere',
    'at /nowhere/shop: nothing listens there',
  ],
  ['a URL that is none is not repeated', 'postgres//ada:s3cret@db/shop', 'not of the form'],
  ['a URL of something else is not repeated', 'mysql://ada:s3cret@db/shop', 'not of the form'],
  ['a password with a question mark in it', 'postgres://ada:12?s3cret@db/shop', 'not of the form'],
  ['a password with a hash sign in it', 'postgres://ada:12#s3cret@db/shop', 'not of the form'],
  ['a port that is none is not repeated', 'postgres://ada:s3cret@db:99999999/shop', 'not of the form'],
])('%s, and never the password', async (_sentence, url, said) => {
  const error = await failureOf(connect(url, { applicationName: 'test' }));
  const code = said === 'not of the form' ? 'HF_DATABASE_REFUSED' : 'HF_DATABASE_UNREACHABLE';
  expect(error).toMatchObject({ code, message: expect.stringContaining(said) });
  expect(shown(error)).not.toContain('s3cret');
});

test('an unknown database and a refused user are told as such', async () => {
  const unknownDatabase = postgres.url.replace('/postgres?', '/shop?');
  const unknownUser = postgres.url.replace('holdfast@', 'ada:s3cret@');
  expect((await failureOf(connect(unknownDatabase, { applicationName: 'test' }))).message).toContain(
    'there is no such database',
  );
  const refused = await failureOf(connect(unknownUser, { applicationName: 'test' }));
  expect(refused.message).toContain('the user or the password is refused');
  expect(shown(refused)).not.toContain('s3cret');
});

test('a connection that the server drops while idle is replaced, and the process goes on', async () => {
  const other = await connect(postgres.url, { applicationName: 'to be dropped', maximum: 1 });
  const dropped = new Promise((resolve) => other.pool.once('error', resolve));
  await database().pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be dropped'`,
  );
  await dropped;
  expect((await other.pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await other.close();
});

test('closing ends what is still in use, and does not wait for it', async () => {
  const other = await connect(postgres.url, { applicationName: 'in use' });
  const client = await other.pool.connect();
  const sleeping = client.query('SELECT pg_sleep(600)');
  await Promise.all([expect(sleeping).rejects.toThrow('Connection terminated'), other.close()]);
  await other.close();
});

test('work that rejects leaves nothing behind, and the connection is used again', async () => {
  const failing = transaction(database(), { doing: 'write notes' }, async (client) => {
    await client.query(`INSERT INTO public.notes VALUES (1, 'a')`);
    await client.query('SELECT 1 / 0');
  });
  await expect(failing).rejects.toMatchObject({
    code: 'HF_DATABASE_FAILED',
    message: 'Postgres failed to write notes (SQLSTATE 22012)',
  });
  expect(await noteCount()).toBe(0);
});

test('an abort stops the statement under way, rolls back, and does not hand its connection to anybody', async () => {
  const controller = new AbortController();
  const sleeping = transaction(database(), { doing: 'sleep', signal: controller.signal }, async (client) => {
    await client.query(`INSERT INTO public.notes VALUES (1, 'a')`);
    setImmediate(() => controller.abort());
    await client.query('SELECT pg_sleep(600)');
  });
  await expect(sleeping).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  expect(await noteCount()).toBe(0);
});

test('an abort before it began does nothing', async () => {
  const work = transaction(database(), { doing: 'write notes', signal: AbortSignal.abort() }, (client) =>
    client.query(`INSERT INTO public.notes VALUES (1, 'a')`),
  );
  await expect(work).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  expect(await noteCount()).toBe(0);
});

test('a connection that the server ends in the middle is unreachable, not a failed statement', async () => {
  const ended = transaction(database(), { doing: 'write notes' }, (client) =>
    client.query('SELECT pg_terminate_backend(pg_backend_pid())'),
  );
  await expect(ended).rejects.toMatchObject({ code: 'HF_DATABASE_UNREACHABLE' });
});

test('a disk that is full on the server is told as such', async () => {
  const full = statement(
    database(),
    'write notes',
    `DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`,
    [],
  );
  await expect(full).rejects.toMatchObject({ code: 'HF_DISK_FULL' });
});

test.each([
  ['a duplicate', `INSERT INTO public.notes VALUES (7, 'ada@example.org'), (7, 'ada@example.org')`],
  ['a missing value', `INSERT INTO public.notes SELECT NULL, 'ada@example.org'`],
  ['a text that is no number', `SELECT text::integer FROM (VALUES ('ada@example.org')) AS t (text)`],
])('%s is told without the row that has it', async (_sentence, sql) => {
  const error = await failureOf(statement(database(), 'write notes', sql, []));
  expect(error.code).toBe('HF_DATABASE_FAILED');
  expect(shown(error)).not.toContain('ada@');
  expect(shown(error)).not.toContain('(7)');
  expect(error.cause).toMatchObject({ code: expect.stringMatching(/^2/) });
});
