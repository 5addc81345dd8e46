import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startEmbeddedPostgres, stopEmbeddedPostgres } from './embedded.ts';

/** Making a data folder takes a second: most tests share one, which each leaves stopped. */
let folder: string;
let fresh: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-embedded-'));
});
beforeEach(async () => {
  fresh = await mkdtemp(join(tmpdir(), 'holdfast-embedded-'));
});
afterEach(async () => {
  await stopEmbeddedPostgres({ folder });
  await stopEmbeddedPostgres({ folder: fresh });
  await rm(fresh, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return Object.values((await client.query(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

const serverPid = async () => Number((await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
const isServed = () =>
  access(join(folder, 'data', 'postmaster.pid')).then(
    () => true,
    () => false,
  );

test('what was committed is there after a stop and another start, and nothing is served in between', async () => {
  const first = await startEmbeddedPostgres({ folder });
  await ask(first.url, 'CREATE TABLE first AS SELECT 42 AS answer');
  await first.stop();
  expect(await isServed()).toBe(false);

  const second = await startEmbeddedPostgres({ folder });
  expect(await ask(second.url, 'SELECT answer FROM first')).toBe(42);
  await second.stop();
});

test('it listens on no TCP port, and sorts by code point', async () => {
  const server = await startEmbeddedPostgres({ folder });
  expect(await ask(server.url, `SELECT current_setting('listen_addresses')`)).toBe('');
  expect(
    await ask(server.url, `SELECT string_agg(word, '' ORDER BY word) FROM unnest('{b,ä,A,a,B}'::text[]) AS word`),
  ).toBe('ABabä');
  await server.stop();
});

test('its log never quotes a row', async () => {
  const server = await startEmbeddedPostgres({ folder });
  const failing = ask(server.url, `SELECT text::integer FROM (VALUES ('42'), ('ada@' || 'example.org')) AS t (text)`);
  await expect(failing).rejects.toThrow('invalid input syntax');
  const duplicate = ask(
    server.url,
    `CREATE TABLE ids (id text PRIMARY KEY); INSERT INTO ids VALUES ('C0001'), ('C0001')`,
  );
  await expect(duplicate).rejects.toThrow('duplicate key');
  await server.stop();
  const log = await readFile(join(folder, 'postgres.log'), 'utf8');
  expect(log).toContain('ready to accept connections');
  expect(log).not.toMatch(/C0001|ada@/);
});

test('two users share one server, and only the last to leave stops it', async () => {
  const run = await startEmbeddedPostgres({ folder });
  const explain = await startEmbeddedPostgres({ folder });
  const pid = await serverPid();
  await run.stop();
  expect(await ask(explain.url, 'SELECT 1')).toBe(1);
  expect(await serverPid()).toBe(pid);
  await explain.stop();
  expect(await isServed()).toBe(false);
});

test('two that start at once on a new folder end up with one server, and what a killed set-up left is removed', async () => {
  // No process has a number this large.
  await mkdir(join(fresh, `partial-${2 ** 22 + 1}-x`, 'base'), { recursive: true });
  const servers = await Promise.all([
    startEmbeddedPostgres({ folder: fresh }),
    startEmbeddedPostgres({ folder: fresh }),
  ]);
  for (const { url } of servers) expect(await ask(url, 'SELECT 1')).toBe(1);
  for (const server of servers) await server.stop();
  expect(await readdir(fresh)).toEqual(['data', 'postgres.log']);
  expect(await readdir(join(fresh, 'data'))).not.toContain('postmaster.pid');
});

test('a server left behind by a killed process is taken over, with what was committed', async () => {
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)};
    const { url } = await startEmbeddedPostgres({ folder: ${JSON.stringify(folder)} });
    console.log(url);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = (await once(owner.stdout, 'data')) as [Buffer];
  await ask(output.toString().trim(), 'CREATE TABLE kept AS SELECT 42 AS answer');
  const pid = await serverPid();
  owner.kill('SIGKILL');
  await once(owner, 'exit');

  const server = await startEmbeddedPostgres({ folder });
  expect(await serverPid()).toBe(pid);
  expect(await ask(server.url, 'SELECT answer FROM kept')).toBe(42);
  await server.stop();
  expect(await isServed()).toBe(false);
});

test('a server that was killed itself recovers what was committed', async () => {
  const killed = await startEmbeddedPostgres({ folder });
  await ask(killed.url, 'CREATE TABLE survived AS SELECT 42 AS answer');
  process.kill(await serverPid(), 'SIGKILL');
  await killed.stop();

  const server = await startEmbeddedPostgres({ folder });
  expect(await ask(server.url, 'SELECT answer FROM survived')).toBe(42);
  await server.stop();
});

test('a start waits for what is left of a killed server', async () => {
  const killed = await startEmbeddedPostgres({ folder });
  const log = join(folder, 'postgres.log');
  const backend = Number(await ask(killed.url, `SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'`));
  process.kill(backend, 'SIGSTOP');
  let starting: ReturnType<typeof startEmbeddedPostgres>;
  try {
    process.kill(await serverPid(), 'SIGKILL');
    await killed.stop();
    starting = startEmbeddedPostgres({ folder });
    while (!(await readFile(log, 'utf8')).includes('is still in use')) await new Promise(setImmediate);
  } finally {
    process.kill(backend, 'SIGCONT');
  }
  const server = await starting;
  expect(await ask(server.url, 'SELECT 1')).toBe(1);
  await server.stop();
});

test('a lock file that names another program (its number given out again after a reboot) does not stop it', async () => {
  await (await startEmbeddedPostgres({ folder })).stop();
  await writeFile(
    join(folder, 'data', 'postmaster.pid'),
    `${process.pid}\n${join(folder, 'data')}\n0\n5432\n/nowhere\n\n\nready\n`,
  );
  const server = await startEmbeddedPostgres({ folder });
  expect(await ask(server.url, 'SELECT 1')).toBe(1);
  await server.stop();
});

test('a server whose socket was cleared away with the temporary files is replaced', async () => {
  const lost = await startEmbeddedPostgres({ folder });
  const pid = await serverPid();
  await rm(new URL(lost.url).searchParams.get('host') ?? '', { recursive: true });
  const server = await startEmbeddedPostgres({ folder });
  expect(await serverPid()).not.toBe(pid);
  expect(await ask(server.url, 'SELECT 1')).toBe(1);
  await lost.stop();
  await server.stop();
});

test('an interrupt while the data folder is being made leaves none, and the next start makes it', async () => {
  const controller = new AbortController();
  const starting = startEmbeddedPostgres({ folder: fresh, signal: controller.signal });
  // initdb is at work once its folder is there.
  while (!(await readdir(fresh)).some((name) => name.startsWith('partial-'))) await new Promise(setImmediate);
  controller.abort();
  await expect(starting).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  expect(await readdir(fresh)).toEqual(['postgres.log']);
  const server = await startEmbeddedPostgres({ folder: fresh });
  expect(await ask(server.url, 'SELECT 1')).toBe(1);
  await server.stop();
});

test('a data folder of another PostgreSQL is refused, and the log says why', async () => {
  await (await startEmbeddedPostgres({ folder })).stop();
  const file = join(folder, 'data', 'PG_VERSION');
  const version = await readFile(file);
  await writeFile(file, '9.6\n');
  await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({
    code: 'HF_DATA_FOLDER',
    cause: { message: expect.stringContaining('database files are incompatible with server') },
  });
  await writeFile(file, version);
});

test('a folder that cannot be made is refused', async () => {
  const file = join(fresh, 'file');
  await writeFile(file, '');
  await expect(startEmbeddedPostgres({ folder: join(file, 'postgres') })).rejects.toMatchObject({
    code: 'HF_DATA_FOLDER',
  });
});
