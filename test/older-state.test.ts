import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDataFolder, dataFolder } from '../cli/local/data-folder.ts';
import { connect } from '../database/client/connect.ts';
import { startEmbeddedPostgres } from '../database/embedded/embedded.ts';
import { MIGRATIONS } from '../database/migrations/index.ts';
import { migrate } from '../database/migrations/migrate.ts';
import { findRun } from '../database/runs/runs.ts';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

const RUN = `INSERT INTO holdfast.runs
    (namespace, program, run, pipeline, slot, sequence, attempt, trigger, revision, phase, started_at)
  VALUES ('default', 'keep', 'keep-before', 'batch', '2026-11-16T02:00:00Z', 1, 1, 'schedule', 'none', 'Failed', '2026-11-16T02:00:01Z')`;

/** What the version before the last step left: a program that ran once. */
async function makeOlder(url: string): Promise<void> {
  const database = await connect(url, { applicationName: 'test' });
  await migrate(database, MIGRATIONS.slice(0, -1));
  await database.pool.query(`INSERT INTO holdfast.programs VALUES ('default', 'keep', 1); ${RUN}`);
  await database.close();
}

let shop: Workspace;
beforeAll(async () => {
  shop = await workspace();
});
afterAll(async () => await shop[Symbol.asyncDispose]());

describe('in a Postgres of others, tables of an earlier version', () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-older-'));
    server = await startEmbeddedPostgres({ folder });
    await makeOlder(server.url);
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  test.each([['runs'], ['status'], ['current', 'keep'], ['candidates', 'keep']])(
    'are named by %s, which changes nothing, and not taken for none',
    async (...args) => {
      const asked = await shop.holdfast(args, { environment: { DATABASE_URL: server.url } });
      expect(asked).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(
          /^(in the Postgres of DATABASE_URL\n)?HF_NOT_MIGRATED: the tables of Holdfast are those of an earlier version: run a /,
        ),
      });
    },
  );

  test('are no empty history to a dry run, which would forget caps and offers', async () => {
    const args = ['run', await shop.program(), '--dry-run', '--now', NOW];
    const { status, stderr } = await shop.holdfast(args, { environment: { DATABASE_URL: server.url } });
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('HF_NOT_MIGRATED: the tables'),
    });
  });
});

test('of a run of before the sentences of its warnings stay, with the stages that warned', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-older-'));
  const server = await startEmbeddedPostgres({ folder });
  try {
    const database = await connect(server.url, { applicationName: 'test' });
    await migrate(database, MIGRATIONS.slice(0, 13));
    const stage = { rowsIn: 9, rowsOut: 9, seconds: 1, counts: {} };
    const stages = [
      { ...stage, name: 'extract', warnings: ['one', 'two'] },
      { ...stage, name: 'filter' },
      { ...stage, name: 'score', warnings: ['three'] },
    ];
    await database.pool.query(`INSERT INTO holdfast.programs VALUES ('default', 'keep', 1); ${RUN}`);
    await database.pool.query('UPDATE holdfast.runs SET stages = $1', [JSON.stringify(stages)]);
    await migrate(database);
    const run = await findRun(database, { namespace: 'default', owner: 'keep', run: 'keep-before' });
    expect(run?.warnings).toEqual([
      { stage: 'extract', code: 'EARLIER_VERSION', message: 'one' },
      { stage: 'extract', code: 'EARLIER_VERSION', message: 'two' },
      { stage: 'score', code: 'EARLIER_VERSION', message: 'three' },
    ]);
    expect(run?.stages).toEqual(['extract', 'filter', 'score'].map((name) => ({ ...stage, name })));
    await database.close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
});

test('on a laptop they are brought up to this version by who only asks, too', async () => {
  const folder = dataFolder(shop.data);
  createDataFolder(folder);
  const server = await startEmbeddedPostgres({ folder: folder.postgres });
  await makeOlder(server.url);
  await server.stop();
  const { status, stdout, stderr } = await shop.holdfast(['runs', '--data', shop.data]);
  expect({ status, stderr, stdout }).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringContaining('keep-before'),
  });
});
