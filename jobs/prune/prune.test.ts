import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { retireRun } from '../../database/expiry/retired-runs.ts';
import { lockLane } from '../../database/locks/run-lock.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { daysAgo, type PruneWorld, pruneWorld, TODAY } from '../../test/support/pruning.ts';
import { until } from '../../test/support/until.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

let world: PruneWorld;
beforeEach(async () => {
  world = await pruneWorld(postgres.database);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** An old published run, an old backfill, and the two newest, of which the last is current. */
async function someHistory() {
  await world.make({ run: 'old', age: 300, published: true, candidates: 3, expiresIn: -270, decisions: 3 });
  await world.make({
    run: 'old-backfill',
    age: 290,
    trigger: 'backfill',
    candidates: 2,
    expiresIn: -260,
    decisions: 2,
  });
  await world.make({ run: 'last', age: 14, published: true, candidates: 2, expiresIn: 16, decisions: 2 });
  await world.make({ run: 'now', age: 7, published: true, current: true, candidates: 4, expiresIn: -1, decisions: 4 });
}

test('what is past its time goes, of the current batch too; its run, live candidates and the history of decisions stay', async () => {
  await someHistory();
  const pruned = await world.prune();
  expect(pruned).toMatchObject({ candidates: 9, runs: 2, decisions: 2, records: 1, orphans: 0, foreign: 0 });
  expect(pruned.kept).toEqual({ current: 1, 'live-candidates': 1 });
  expect(pruned.bytes).toBeGreaterThan(2 * 1100);
  expect(await world.remains()).toEqual({
    // The old run has no artifacts any more, and its decisions still count for caps.
    runs: ['last', 'now', 'old'],
    folders: ['last', 'now'],
    candidates: { last: 2 },
    decisions: { last: 2, now: 4, old: 3 },
  });
  expect(await world.prune()).toMatchObject({ candidates: 0, runs: 0, decisions: 0, records: 0, bytes: 0 });
});

test('a dry run counts the same and deletes nothing', async () => {
  await someHistory();
  const before = await world.remains();
  const would = await world.prune({ dryRun: true });
  expect(await world.remains()).toEqual(before);
  const did = await world.prune();
  // What only follows from the rest is not foreseen.
  expect({ ...would, records: did.records, decisions: did.decisions }).toEqual(did);
});

test('decisions go when the program says how long they are kept, and then the record of their run, but never those of the current batch', async () => {
  await someHistory();
  const retention = { runs: 1, failedDays: 10, decisionDays: 184 };
  expect(await world.prune({ retention })).toMatchObject({ decisions: 5, records: 2 });
  expect((await world.remains()).runs).toEqual(['last', 'now']);
  await postgres.database.pool.query(`UPDATE holdfast.decisions SET period = $2 WHERE namespace = $1 AND run = 'now'`, [
    world.namespace,
    daysAgo(999),
  ]);
  await world.prune({ retention });
  expect((await world.remains()).decisions).toEqual({ last: 2, now: 4 });
});

test('neither a clock of the far future nor one of the past deletes what lives by the other', async () => {
  const { namespace } = world;
  await someHistory();
  await postgres.database.pool.query(
    `UPDATE holdfast.candidates SET expires_at = now() + interval '1 day' WHERE namespace = $1 AND run = 'last'`,
    [namespace],
  );
  await world.prune({ now: new Date('2900-01-01T00:00:00Z') });
  expect((await world.remains()).candidates).toEqual({ last: 2 });
  expect(await world.prune({ now: new Date('1999-01-01T00:00:00Z') })).toMatchObject({ candidates: 0, runs: 0 });
});

test('more rows than one transaction takes all go', async () => {
  await world.make({ run: 'big', age: 300, candidates: 12_001, expiresIn: -1, folder: false });
  const steps: number[] = [];
  expect(await world.prune({ progress: (done) => steps.push(done) })).toMatchObject({ candidates: 12_001 });
  expect(steps.slice(0, 3)).toEqual([5000, 10_000, 12_001]);
});

test('rows that somebody else has locked are passed over, not waited for', async () => {
  await world.make({ run: 'old', age: 300, candidates: 3, expiresIn: -1 });
  const client = await postgres.database.pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SELECT FROM holdfast.candidates WHERE namespace = $1 AND customer_id = 'C1' FOR UPDATE`, [
      world.namespace,
    ]);
    expect(await world.prune()).toMatchObject({ candidates: 2 });
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});

test('two prunes at once leave what one leaves', async () => {
  await someHistory();
  await Promise.all([world.prune(), world.prune(), world.prune()]);
  expect(await world.remains()).toMatchObject({ runs: ['last', 'now', 'old'], folders: ['last', 'now'] });
});

test('a run that begins again while it is about to be pruned keeps its folder', async () => {
  await world.make({ run: 'old', age: 300 });
  const client = await postgres.database.pool.connect();
  const key = { namespace: world.namespace, owner: 'keep', run: 'old' };
  try {
    await client.query('BEGIN');
    await client.query(`UPDATE holdfast.runs SET phase = 'Running' WHERE namespace = $1`, [world.namespace]);
    let taken = false;
    const retiring = retireRun(postgres.database, key, TODAY, new AbortController().signal, async () => {
      taken = true;
    });
    await until(
      'the prune waits for the lock of the run',
      () =>
        postgres.database.pool.query(
          `SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM holdfast.runs%FOR UPDATE'`,
        ),
      ({ rows }) => rows.length > 0,
    );
    await client.query('COMMIT');
    expect(await retiring).toBe(false);
    expect(taken).toBe(false);
  } finally {
    client.release();
  }
});

describe('a program that was deleted', () => {
  async function deletedProgram() {
    await someHistory();
    await world.make({ run: 'failed', age: 1, phase: 'Failed' });
    // Its object went away in the midst of it.
    await world.make({ run: 'cut-short', age: 1, phase: 'Running', candidates: 1, expiresIn: 29 });
    await world.makeFolder('nobody-knows', 2);
  }
  const kept = { last: 2, now: 4, old: 3 };

  test('leaves no candidate and no artifact, live or not; what it decided stays, with the runs that did', async () => {
    await deletedProgram();
    const pruned = await world.prune({ deleted: true });
    expect(pruned).toMatchObject({ candidates: 12, runs: 6, decisions: 2, records: 3, orphans: 1, kept: {} });
    expect(await world.remains()).toEqual({
      runs: ['last', 'now', 'old'],
      folders: [],
      candidates: {},
      decisions: kept,
    });
    const { rows } = await postgres.database.pool.query('SELECT FROM holdfast.current_batches WHERE namespace = $1', [
      world.namespace,
    ]);
    expect(rows).toEqual([]);
    expect(await world.prune({ deleted: true })).toMatchObject({ candidates: 0, runs: 0, records: 0, bytes: 0 });
  });

  test('is counted by a dry run, which deletes nothing', async () => {
    await deletedProgram();
    const before = await world.remains();
    expect(await world.prune({ deleted: true, dryRun: true })).toMatchObject({ candidates: 12, runs: 6, orphans: 1 });
    expect(await world.remains()).toEqual(before);
  });

  test('is left alone while a run of it goes on here', async () => {
    await deletedProgram();
    const lock = await lockLane(postgres.database, { namespace: world.namespace, owner: 'keep', lane: 'batch' });
    await expect(world.prune({ deleted: true })).rejects.toMatchObject({ code: 'HF_DATA_LOCKED' });
    await lock.release();
    expect((await world.remains()).candidates).toMatchObject({ now: 4, last: 2 });
  });
});

test.each<[string, { current?: boolean; expiresIn?: number; phase?: 'Running' }, boolean]>([
  ['an old run that nothing needs', {}, true],
  ['a run that became the current batch since prune looked', { current: true }, false],
  ['a run whose candidates live, by the clock of prune', { expiresIn: 1 }, false],
  ['a run that was begun again since', { phase: 'Running' }, false],
])('%s: retired under the lock, and its folder taken away, or left as it was', async (_sentence, change, gone) => {
  await world.make({ run: 'looked-at', age: 300, published: true, candidates: 2, expiresIn: -1, ...change });
  const key = { namespace: world.namespace, owner: 'keep', run: 'looked-at' };
  let taken = false;
  const retired = await retireRun(postgres.database, key, TODAY, new AbortController().signal, async () => {
    taken = true;
  });
  expect({ retired, taken }).toEqual({ retired: gone, taken: gone });
  const { rows } = await postgres.database.pool.query<{ pruned: boolean }>(
    'SELECT pruned_at IS NOT NULL AS pruned FROM holdfast.runs WHERE namespace = $1',
    [world.namespace],
  );
  expect(rows).toEqual([{ pruned: gone }]);
});

describe('folders', () => {
  const folderOf = (run: string) => join(world.root, world.namespace, 'keep', run);

  test.each([
    ['an old one that no row knows goes', 3, undefined, []],
    ['one that is young stays: its run may be about to begin', 0.5, undefined, ['stray']],
    ['one that another database knows stays', 3, 'another/1', ['stray']],
    ['one that does not say whose it is stays', 3, null, ['stray']],
  ])('%s', async (_sentence, age, owner, left) => {
    await world.makeFolder('stray', age, owner);
    expect((await world.prune()).orphans).toBe(left.length === 0 ? 1 : 0);
    expect((await world.remains()).folders).toEqual(left);
  });

  test('one that no row knows is left alone for as long as a task may last', async () => {
    await world.makeFolder('stray', 3);
    expect((await world.prune({ deadlineSeconds: 4 * 86_400 })).orphans).toBe(0);
    expect((await world.prune({ deadlineSeconds: 2 * 86_400 })).orphans).toBe(1);
  });

  test.each<[string, (folder: string) => Promise<unknown>]>([
    ['a link in it', (folder) => symlink(join(folder, 'filter'), join(folder, 'link'))],
    ['a link in a stage', (folder) => symlink(join(folder, 'filter'), join(folder, 'extract', '2'))],
    ['a link among the parts', (folder) => symlink('/etc/passwd', join(folder, 'extract', '1', 'more.parquet'))],
    [
      'a part that is a link',
      async (folder) => {
        const part = join(folder, 'extract', '1', 'rows.parquet');
        await rename(part, join(world.root, 'moved.parquet'));
        await symlink(join(world.root, 'moved.parquet'), part);
      },
    ],
    ["somebody's notes", (folder) => writeFile(join(folder, 'notes.txt'), 'mine')],
    ["somebody's file among the parts", (folder) => writeFile(join(folder, 'filter', '1', 'mine.parquet'), 'mine')],
    ['a folder among the parts', (folder) => mkdir(join(folder, 'filter', '1', 'mine'))],
  ])('of a run with %s stay as they are, and so does the run', async (_sentence, change) => {
    for (const run of ['old', 'newer', 'newest']) await world.make({ run, age: 300 });
    await change(folderOf('old'));
    const before = (await readdir(folderOf('old'), { recursive: true })).sort();
    expect(await world.prune()).toMatchObject({ runs: 0, foreign: 1, bytes: 0 });
    expect((await readdir(folderOf('old'), { recursive: true })).sort()).toEqual(before);
    expect((await world.remains()).runs).toContain('old');
  });

  test('that are links are not followed, wherever on the way they are', async () => {
    for (const run of ['old', 'older', 'newest']) await world.make({ run, age: 300 });
    await world.makeFolder('stray', 300);
    const elsewhere = join(world.root, 'elsewhere');
    await mkdir(elsewhere);
    await rename(folderOf('old'), join(elsewhere, 'old'));
    await rename(folderOf('stray'), join(elsewhere, 'stray'));
    await symlink(join(elsewhere, 'old'), folderOf('old'));
    await symlink(join(elsewhere, 'stray'), folderOf('stray'));
    await symlink(elsewhere, folderOf('.pruned-old-1-1'));
    await world.prune({ retention: { runs: 1, failedDays: 0 } });
    expect((await readdir(elsewhere)).sort()).toEqual(['old', 'stray']);
    expect(await readFile(join(elsewhere, 'old', 'extract', '1', 'rows.parquet'), 'utf8')).toHaveLength(1000);
  });

  test('of a program that is a link are not seen', async () => {
    for (const run of ['old', 'older', 'newest']) await world.make({ run, age: 300 });
    const program = join(world.root, world.namespace, 'keep');
    await rename(program, join(world.root, 'moved'));
    await symlink(join(world.root, 'moved'), program);
    expect((await world.prune({ retention: { runs: 1, failedDays: 0 } })).bytes).toBe(0);
    expect((await readdir(join(world.root, 'moved'))).sort()).toEqual(['newest', 'old', 'older']);
  });

  test('that a crash left set aside are deleted by the next prune', async () => {
    await world.makeFolder('stray', 3);
    await world.folders.setAside({ namespace: world.namespace, owner: 'keep', run: 'stray' });
    expect((await world.prune()).bytes).toBeGreaterThan(1100);
    expect((await world.remains()).folders).toEqual([]);
  });

  test('that were not deleted although their run is recorded as pruned go with the next', async () => {
    await world.make({ run: 'old', age: 300, published: true, decisions: 1 });
    await world.make({ run: 'newest', age: 1 });
    const retention = { runs: 1, failedDays: 0 };
    await world.prune({ retention });
    await world.makeFolder('old', 300);
    expect((await world.prune({ retention })).runs).toBe(1);
    expect((await world.remains()).folders).toEqual(['newest']);
  });

  test('that are gone already are no failure', async () => {
    for (const run of ['old', 'newer', 'newest']) await world.make({ run, age: 300 });
    await rm(join(world.root, world.namespace), { recursive: true });
    expect(await world.prune()).toMatchObject({ runs: 1, bytes: 0 });
  });
});
