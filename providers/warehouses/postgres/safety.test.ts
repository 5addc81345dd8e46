import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openPostgresShop, PASSWORD, type PostgresShop, UNABORTED } from '../../../test/support/postgres-shop.ts';
import { until } from '../../../test/support/until.ts';

let server: PostgresShop;
beforeAll(async () => {
  server = await openPostgresShop();
});
afterEach(() => server.tidy());
afterAll(() => server[Symbol.asyncDispose]() as Promise<void>);

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

const noSession = (seen: readonly unknown[]) => seen.length === 0;

describe('a warehouse in Postgres is only read', () => {
  beforeAll(async () => {
    await server.admin('CREATE TABLE shop.canary (alive text)');
    await server.admin(`INSERT INTO shop.canary VALUES ('tweet')`);
    await server.admin('CREATE SEQUENCE shop.counter');
    await server.admin(`CREATE FUNCTION shop.shoot() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN DELETE FROM shop.canary; RETURN 'shot'; END $$`);
    await server.admin('CREATE PROCEDURE shop.shoot_all() LANGUAGE sql AS $$ DELETE FROM shop.canary $$');
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
    const shop = await server.open();
    const completion = { table: 'customers', columns: ['tier'] };
    for (const request of [{ query }, { query, completion }]) {
      const { code } = await failureOf(shop.extract(request, server.file, UNABORTED));
      expect(code).toBe('HF_QUERY_REFUSED');
    }
    expect(await server.admin('SELECT alive FROM shop.canary')).toEqual([{ alive: 'tweet' }]);
    expect(await server.admin('SELECT is_called FROM shop.counter')).toEqual([{ is_called: false }]);
    expect(await server.admin('SELECT FROM pg_largeobject_metadata')).toEqual([]);
    expect(await server.admin(`SELECT FROM pg_tables WHERE tablename = 'mine'`)).toEqual([]);
  });

  test.each(['canary; DROP TABLE canary', 'shop.canary, customers', '"canary', "canary'--", '../canary', 'a.b.c', ''])(
    'a table is a plain name: %j is refused',
    async (table) => {
      const shop = await server.open();
      await expect(shop.describeTable(table)).rejects.toMatchObject({ code: 'HF_MANIFEST_INVALID' });
    },
  );

  test('a notification is never sent', async () => {
    const listener = await server.pool.connect();
    const heard: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload));
    await listener.query('LISTEN birds');
    const shop = await server.open();
    await shop.extract({ query: `SELECT pg_notify('birds', 'from a query') AS customer_id` }, server.file, UNABORTED);
    await shop.close();
    await listener.query(`NOTIFY birds, 'from the test'`);
    expect(heard).toEqual(['from the test']);
    listener.release(true);
  });

  test('what a query sets is gone for the next', async () => {
    const shop = await server.open();
    const query = `SELECT set_config('TimeZone', 'Asia/Tokyo', true) AS customer_id`;
    await shop.extract({ query }, server.file, UNABORTED);
    await shop.extract({ query: `SELECT timestamptz '2026-01-01 00:00:00+00' AS customer_id` }, server.file, UNABORTED);
    expect(await server.rows('CAST(customer_id AS VARCHAR) AS id')).toEqual([{ id: '2026-01-01 00:00:00+00' }]);
  });
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
  await server.admin(`CREATE OR REPLACE FUNCTION shop.run(sql text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE sql; RETURN sql; END $$`);
  const { message, shown } = await failureOf((await server.open()).extract({ query }, server.file, UNABORTED));
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
    const shop = await server.open({ config: { statementTimeoutSeconds: 1 } });
    const { code, message } = await failureOf(shop.extract({ query }, server.file, UNABORTED));
    expect(code).toBe('HF_WAREHOUSE_UNREACHABLE');
    expect(message).toContain('it took longer than the connector');
    await shop.close();
    await until('the server is at rest', () => server.sessions(), noSession, SOON_MS);
    expect(await readdir(server.folder)).toEqual([]);
  });

  test.each([
    ['does nothing', SLOW],
    ['trickles', TRICKLE],
  ])('and %s ends on the server when the run is interrupted', async (_name, query) => {
    const abort = new AbortController();
    const shop = await server.open();
    const failing = failureOf(shop.extract({ query }, server.file, { signal: abort.signal }));
    await until(
      'the server is at work',
      () => server.sessions(),
      (seen) => seen.some(({ state, query: at }) => state === 'active' && /FETCH/.test(at)),
    );
    abort.abort();
    expect((await failing).code).toBe('HF_INTERRUPTED');
    await shop.close();
    await until('the server is at rest', () => server.sessions(), noSession, SOON_MS);
    expect(await readdir(server.folder)).toEqual([]);
  });

  test('and whose connection is lost is to be tried again', async () => {
    const shop = await server.open();
    const failing = failureOf(shop.extract({ query: TRICKLE }, server.file, UNABORTED));
    await until(
      'the server is at work',
      () => server.sessions(),
      (seen) => seen.some(({ query: at }) => /FETCH/.test(at)),
    );
    await server.admin(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast extract'`,
    );
    const error = await failing;
    expect(error).toMatchObject({
      code: 'HF_WAREHOUSE_UNREACHABLE',
      kind: 'retry',
      message: 'Connector crm: cannot run the query: the connection to Postgres was lost',
    });
    expect(await readdir(server.folder)).toEqual([]);
    // What is asked next is told the same.
    expect((await failureOf(shop.describe('SELECT 1 AS customer_id'))).code).toBe('HF_WAREHOUSE_UNREACHABLE');
    expect(await (await server.open()).extract({ query: 'SELECT 1 AS customer_id' }, server.file, UNABORTED)).toBe(1);
  });
});

describe('a connection that cannot be made says why, and never with which password', () => {
  const tcp = (rest: string) => `postgres://reader:${PASSWORD}@${rest}`;
  test.each<[name: string, url: () => string, said: string]>([
    ['nothing listens', () => tcp('127.0.0.1:1/shop'), '127.0.0.1:1/shop: nothing listens there'],
    ['the host is not known', () => tcp('nowhere.invalid/shop'), 'the host is not known'],
    [
      'there is no such database',
      () => server.source().replace('/postgres?', '/nowhere?'),
      'there is no such database',
    ],
    ['the user is refused', () => server.source().replace('reader:', 'nobody:'), 'the user or the password is refused'],
    ['it is no URL', () => `postgres//reader:${PASSWORD}@db/shop`, 'not of the form'],
    ['it is of something else', () => `mysql://reader:${PASSWORD}@db/shop`, 'not of the form'],
    ['its password is not escaped', () => `postgres://reader:a/${PASSWORD}@db:x/shop`, 'not of the form'],
    [
      'its password is not escaped and looks like a port',
      () => `postgres://reader:12/${PASSWORD}@db/shop`,
      'not of the form',
    ],
    [
      'its certificate is not there',
      () => `${server.source()}&sslmode=verify-full&sslrootcert=/nowhere.crt`,
      'no such file',
    ],
    ['the server speaks no TLS', () => `${server.source()}&sslmode=verify-full`, 'it speaks no TLS'],
  ])('because %s', async (_name, url, said) => {
    const { code, message, shown } = await failureOf(server.open({ options: { source: url() } }));
    // Only what heals by itself is worth another try.
    const passing = /nothing listens|host is not known/.test(said);
    expect(code).toBe(passing ? 'HF_WAREHOUSE_UNREACHABLE' : 'HF_WAREHOUSE_UNREADABLE');
    expect(message).toContain('Connector crm');
    expect(message).toContain(said);
    expect(shown).not.toContain(PASSWORD);
  });

  test('but a newline at its end does no harm', async () => {
    const shop = await server.open({ options: { source: `${server.source()}\n` } });
    expect(await shop.extract({ query: 'SELECT 1 AS customer_id' }, server.file, UNABORTED)).toBe(1);
  });

  test('because there is none', async () => {
    const { code, message } = await failureOf(server.open({ options: { source: undefined } }));
    expect(code).toBe('HF_USAGE');
    expect(message).toContain('HOLDFAST_CONNECTION_CRM');
  });

  test('because the password is wrong, or missing', async () => {
    const hba = join(server.dataFolder, 'pg_hba.conf');
    const before = await readFile(hba, 'utf8');
    await writeFile(hba, `local all reader scram-sha-256\n${before}`);
    await server.admin('SELECT pg_reload_conf()');
    try {
      const wrong = () => failureOf(server.open({ options: { source: server.source().replace(PASSWORD, 'wr0ng') } }));
      const error = await until('the server has read its settings', wrong, ({ code }) => code !== undefined);
      expect(error.message).toContain('the user or the password is refused');
      expect(error.shown).not.toContain('wr0ng');
      const missing = await failureOf(
        server.open({ options: { source: server.source().replace(`:${PASSWORD}`, '') } }),
      );
      expect(missing.message).toContain('it asks for a password, and the URL has none');
      const shop = await server.open();
      expect(await shop.extract({ query: 'SELECT 1 AS customer_id' }, server.file, UNABORTED)).toBe(1);
    } finally {
      await writeFile(hba, before);
      await server.admin('SELECT pg_reload_conf()');
    }
  });
});

describe('a role that may do more than read tables', () => {
  const as = (role: string, parameters: Readonly<Record<string, string>> = {}) => {
    const url = new URL(server.source());
    url.username = role;
    url.password = PASSWORD;
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return server.open({ options: { source: url.href } });
  };
  beforeAll(async () => {
    await server.admin(`CREATE ROLE almighty SUPERUSER LOGIN PASSWORD '${PASSWORD}'`);
    await server.admin(
      `CREATE ROLE filer LOGIN PASSWORD '${PASSWORD}' IN ROLE pg_read_server_files, pg_execute_server_program`,
    );
    await server.admin('CREATE ROLE inherits_nothing NOLOGIN IN ROLE pg_write_server_files');
    await server.admin(`CREATE ROLE climber LOGIN NOINHERIT PASSWORD '${PASSWORD}' IN ROLE inherits_nothing`);
    await server.admin(`CREATE ROLE disguised SUPERUSER LOGIN PASSWORD '${PASSWORD}'`);
    await server.admin('ALTER ROLE disguised SET role = reader');
  });

  test.each([
    ['a superuser', 'almighty', /is a superuser/],
    [
      'whoever may read files and run programs',
      'filer',
      /is a member of pg_execute_server_program, pg_read_server_files/,
    ],
    ['whoever could become one who may write files', 'climber', /is a member of pg_write_server_files/],
    ['a superuser who has taken another role', 'disguised', /is a superuser/],
  ])('%s is refused with what suffices', async (_name, role, what) => {
    const error = await failureOf(as(role));
    expect(error).toMatchObject({ code: 'HF_WAREHOUSE_UNREADABLE', message: expect.stringMatching(what) });
    expect(error.message).toContain('GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO holdfast_reader');
    expect(error.shown).not.toContain(PASSWORD);
    expect(await server.sessions()).toEqual([]);
  });

  test('it is let in where the connection says so, which is whose secret it is', async () => {
    const shop = await as('almighty', { privileged_role: 'allow' });
    expect(await shop.extract({ query: 'SELECT 1 AS customer_id' }, server.file, UNABORTED)).toBe(1);
  });
});
