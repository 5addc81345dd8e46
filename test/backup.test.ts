import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import { freePorts } from './cluster/ports.ts';
import { documented } from './support/documented.ts';
import { workspace } from './support/workspace.ts';

/*
 * The lines of docs/guides/operations.md for the database, with Debian's Postgres: the one that comes with the project has no
 * pg_dump, and one of an older version refuses a newer server.
 */
const DEBIAN = '/usr/lib/postgresql';
const versions = (await readdir(DEBIAN).catch(() => [])).sort((one, other) => Number(other) - Number(one));
const programs = versions[0] === undefined ? undefined : join(DEBIAN, versions[0], 'bin');
const isComplete = programs !== undefined && spawnSync(join(programs, 'pg_dump'), ['--version']).status === 0;
const testWithPostgres =
  isComplete && spawnSync(join(programs, 'initdb'), ['--version']).status === 0 ? test : test.skip;

testWithPostgres(
  'a database that is lost and restored by the printed lines has every row, and the next run goes on',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-backup-'));
    await chmod(folder, 0o777);
    const [port] = await freePorts(1);
    const asServer = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
    const serve = (...args: string[]) => {
      const [program = '', ...rest] = [
        ...asServer,
        join(programs ?? '', 'pg_ctl'),
        '-D',
        join(folder, 'data'),
        ...args,
      ];
      execFileSync(program, rest, { cwd: folder, stdio: 'ignore' });
    };
    serve('init', '-o', '--username=admin --auth=trust --encoding=UTF8 --locale=C --no-sync');
    serve('start', '-w', '-o', `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off`);
    const shop = await workspace();
    try {
      const url = `postgres://admin@127.0.0.1:${port}/postgres`;
      const environment = { DATABASE_URL: url };
      const types = (name: string) =>
        execFileSync('bash', ['-euo', 'pipefail', '-c', documented('docs/guides/operations.md', name)], {
          cwd: folder,
          env: { ...process.env, ...environment, PATH: `${programs}:${process.env['PATH']}` },
          encoding: 'utf8',
        });
      expect((await shop.holdfast(['run', await shop.program()], { environment })).status).toBe(0);
      const before = await rowsOf(url);
      expect(before['candidates']?.length).toBeGreaterThan(10);
      types('dump');
      await ask(url, 'DROP SCHEMA holdfast CASCADE');
      types('restore');
      expect(await rowsOf(url)).toEqual(before);
      // Over what is there, too.
      await ask(url, 'DELETE FROM holdfast.decisions');
      types('restore');
      expect(await rowsOf(url)).toEqual(before);
      expect((await shop.holdfast(['run', await shop.program()], { environment })).status).toBe(0);
    } finally {
      await shop[Symbol.asyncDispose]();
      serve('stop', '-m', 'immediate');
      await rm(folder, { recursive: true });
    }
  },
  120_000,
);

async function ask<Row extends object>(url: string, sql: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function rowsOf(url: string): Promise<Record<string, readonly object[]>> {
  const tables = await ask<{ name: string }>(
    url,
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'holdfast' AND table_type = 'BASE TABLE'`,
  );
  const found: Record<string, readonly object[]> = {};
  for (const { name } of tables) {
    found[name] = await ask(url, `SELECT t::text AS row FROM holdfast."${name}" t ORDER BY 1`);
  }
  return found;
}
