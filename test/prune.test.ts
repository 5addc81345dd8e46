import { existsSync } from 'node:fs';
import { readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../database/client/connect.ts';
import { startEmbeddedPostgres } from '../database/embedded/embedded.ts';
import { type Workspace, workspace } from './support/workspace.ts';

/** A year of batches every five weeks: candidates of each have expired when the next but one runs. */
const SLOTS = ['2026-01-05', '2026-02-09', '2026-03-16', '2026-04-20', '2026-05-25', '2026-06-29'];
const runOf = (day: string, sequence: number) => `keep-${day.replaceAll('-', '')}t020000z-${sequence}`;
const RUNS = SLOTS.map((day, index) => runOf(day, index + 1));

let shop: Workspace;
beforeAll(async () => {
  shop = await workspace();
  const program = await shop.program((spec) => (spec['retention'] = { runs: 3 }));
  for (const day of SLOTS) {
    const { status, stderr } = await shop.holdfast(['run', program, '--now', `${day}T09:00:00Z`]);
    expect([status, stderr.match(/HF_\w+/)]).toEqual([0, null]);
  }
});
afterAll(() => shop[Symbol.asyncDispose]() as Promise<void>);

/** Runs that have a folder; beside them lies the link to the newest decisions. */
const artifacts = async () => {
  const entries = await readdir(join(shop.data, 'artifacts/default/keep'), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
};

async function inDatabase(sql: string): Promise<unknown[]> {
  const postgres = await startEmbeddedPostgres({ folder: join(shop.data, 'postgres') });
  const database = await connect(postgres.url, { applicationName: 'test' });
  try {
    return (await database.pool.query(sql)).rows ?? [];
  } finally {
    await database.close();
    await postgres.stop();
  }
}

/** Writes a run of the pipeline `prune` of the program of a file. */
async function pruneRun(program: string): Promise<string> {
  const run = [
    'apiVersion: holdfast.dev/v1alpha1',
    'kind: RetentionRun',
    'metadata: { name: keep-prune }',
    'spec: { programRef: { name: keep }, pipeline: prune }',
  ].join('\n');
  await writeFile(shop.path('prune.yaml'), `${await readFile(program, 'utf8')}---\n${run}\n`);
  return shop.path('prune.yaml');
}

test('a dry run tells what would go and deletes nothing', async () => {
  const file = await pruneRun(shop.path('program.yaml'));
  for (const command of [
    ['prune', 'keep'],
    ['run', file],
  ]) {
    const { status, stdout } = await shop.holdfast([...command, '--dry-run']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/would go .*artifacts of 3 runs/);
    expect(await artifacts()).toEqual(RUNS);
  }
});

test.each([
  ['no program', [], 'name one program, or give --all'],
  ['a program and all', ['keep', '--all'], 'name one program, or give --all'],
  ['every program as deleted', ['--all', '--deleted'], '--deleted is for one program'],
  ['no run at all', ['keep', '--keep-runs', '0'], '--keep-runs 0: give a whole number, 1 or more'],
  ['half a day', ['keep', '--keep-days', '0.5'], '--keep-days 0.5'],
  ['a day that is none', ['keep', '--now', '2026-02-30'], '--now 2026-02-30'],
])('%s is a matter of usage', async (_sentence, args, said) => {
  const { status, stderr } = await shop.holdfast(['prune', ...args]);
  expect(status).toBe(78);
  expect(stderr).toContain(`HF_USAGE: ${said}`);
});

test('a program that has not run is not found, and the ones that have are named', async () => {
  const { status, stderr } = await shop.holdfast(['prune', 'kepp']);
  expect([status, stderr]).toEqual([
    78,
    expect.stringMatching(/HF_NOT_FOUND: kepp .* are keep \(did you mean keep\?\)$/m),
  ]);
});

test('a folder without state is not made', async () => {
  const nowhere = shop.path('nowhere');
  expect((await shop.holdfast(['prune', '--all', '--data', nowhere])).stderr).toContain('HF_NOT_FOUND');
  expect(existsSync(nowhere)).toBe(false);
});

/** As where DATABASE_URL is a cluster's: the artifacts are there, and so is what prunes them. */
test.each([
  ['some runs are of a cluster', `UPDATE holdfast.runs SET owner = 'uid' WHERE sequence = 2`],
  [
    'none has left a trace in this folder',
    `INSERT INTO holdfast.programs (namespace, program, last_sequence) VALUES ('default', 'other', 1);
     INSERT INTO holdfast.runs (namespace, program, run, pipeline, slot, sequence, attempt, trigger, revision, phase, started_at, finished_at)
     VALUES ('default', 'other', 'other-1', 'batch', '2026-01-01Z', 1, 1, 'manual', 'x', 'Failed', '2026-01-01Z', '2026-01-01Z')`,
  ],
])('a program of which %s is left to whoever runs it', async (_sentence, change) => {
  const program = change.includes('other') ? 'other' : 'keep';
  await inDatabase(change);
  try {
    const before = await inDatabase('SELECT run, pruned_at FROM holdfast.runs ORDER BY run');
    const one = await shop.holdfast(['prune', program]);
    expect([one.status, one.stderr]).toEqual([78, expect.stringContaining(`HF_NOT_FOUND: ${program} runs elsewhere`)]);
    const all = await shop.holdfast(['prune', '--all', '--dry-run']);
    expect([all.status, all.stderr]).toEqual([0, expect.stringContaining(`warning: ${program} runs elsewhere`)]);
    expect(await inDatabase('SELECT run, pruned_at FROM holdfast.runs ORDER BY run')).toEqual(before);
  } finally {
    await inDatabase(`UPDATE holdfast.runs SET owner = NULL; DELETE FROM holdfast.runs WHERE program = 'other';
      DELETE FROM holdfast.programs WHERE program = 'other'`);
  }
});

test('what the program keeps of its own stays, the rest goes, and who asks for it hears so', async () => {
  const { status, stdout } = await shop.holdfast(['prune', '--all', '--output', 'json']);
  expect(status).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  const report = JSON.parse(stdout) as { programs: { bytes: number }[] };
  expect(report).toMatchObject({
    dryRun: false,
    programs: [
      {
        namespace: 'default',
        program: 'keep',
        runs: 3,
        orphans: 0,
        foreign: 0,
        kept: { current: 1, newest: 2 },
      },
    ],
  });
  expect(report.programs[0]?.bytes).toBeGreaterThan(10_000);
  expect(await artifacts()).toEqual(RUNS.slice(3));
  const pruned = await shop.holdfast(['explain', 'keep', 'C0300', '--run', RUNS[0] ?? '']);
  expect(pruned.stderr).toMatch(/HF_NOT_FOUND: the artifacts of the run keep-20260105t020000z-1 were pruned at 2026/);
  expect((await shop.holdfast(['explain', 'keep', 'C0300'])).status).toBe(0);
});

test('pruned again there is nothing to do, and a stricter rule goes further but never as far as the current batch', async () => {
  expect((await shop.holdfast(['prune', 'keep'])).stdout).toMatch(
    /gone +0 candidates past their time {3}artifacts of 0 runs/,
  );
  await shop.holdfast(['prune', 'keep', '--keep-runs', '1', '--keep-days', '0']);
  expect(await artifacts()).toEqual(RUNS.slice(5));
});

test('a RetentionRun of the pipeline prune does the same', async () => {
  const own = { retention: { runs: 1 }, schedules: { prune: '0 5 1 1 *' }, timeZone: 'UTC' };
  const file = await pruneRun(await shop.program((spec) => Object.assign(spec, own)));
  const text = await shop.holdfast(['run', file]);
  expect(text.status).toBe(0);
  expect(text.stdout).toMatch(/^keep\n {2}gone +0 candidates/m);
  const { status, stdout } = await shop.holdfast(['run', file, '--output', 'json']);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    phase: 'Succeeded',
    slot: expect.stringMatching(/-01-01T05:00:00Z$/),
    stages: [{ name: 'prune', rowsOut: 0 }],
  });
  // It is no batch: what was current still is.
  expect((await shop.holdfast(['explain', 'keep', 'C0300'])).stdout).toContain(RUNS[5]);
});

test('while another process uses the folder nothing is pruned', async () => {
  let during = { status: 0, stderr: '' };
  let asked: Promise<unknown> | undefined;
  await shop.holdfast(['run', await shop.program(), '--now', '2026-08-03T09:00:00Z'], {
    watch: (text) => {
      // A warning of the manifest comes before the folder is taken.
      if (text.startsWith('extract')) asked ??= shop.holdfast(['prune', '--all']).then((result) => (during = result));
    },
  });
  await asked;
  expect(during).toMatchObject({ status: 1, stderr: expect.stringContaining('HF_DATA_LOCKED') });
});

test('old samples go but for the newest three; what only looks like one, or is a link, stays', async () => {
  const samples = join(shop.data, 'samples');
  const sample = (day: string) => `sample-2-1000-1-${day}t020000z.duckdb`;
  const days = ['20260105', '20260112', '20260119', '20260126', '20260202'];
  const filesOf = (day: string) => [sample(day), sample(day).replace('.duckdb', '.truth.duckdb')];
  for (const [index, day] of days.entries()) {
    for (const name of filesOf(day)) {
      await writeFile(join(samples, name), 'x'.repeat(100));
      const changed = new Date(1_700_000_000_000 + index * 1000);
      await utimes(join(samples, name), changed, changed);
    }
  }
  await writeFile(join(samples, 'mine.duckdb'), '');
  await symlink(join(samples, 'mine.duckdb'), join(samples, sample('20250101')));
  expect((await shop.holdfast(['prune', '--all', '--dry-run'])).stdout).toContain('2 sample warehouses would go');
  const { stdout } = await shop.holdfast(['prune', '--all', '--output', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({ samples: { samples: 2, bytes: 400 } });
  const left = ['mine.duckdb', sample('20250101'), ...days.slice(2).flatMap(filesOf)];
  expect((await readdir(samples)).sort()).toEqual(left.sort());
});

test('an interrupt ends it between two steps, and the next finds the rest', async () => {
  const { status, stderr } = await shop.holdfast(['prune', 'keep', '--keep-runs', '1'], {
    terminal: true,
    watch: (_text, abort) => abort.abort(),
  });
  expect([status, stderr]).toEqual([1, expect.stringContaining('HF_INTERRUPTED')]);
  expect((await shop.holdfast(['prune', 'keep', '--keep-runs', '1'])).status).toBe(0);
});

test('a program that was deleted leaves nothing but what it decided, and its files where they are elsewhere', async () => {
  const program = await shop.program((spec) => (spec['programId'] = 'gone'), 'gone.yaml');
  expect((await shop.holdfast(['run', program, '--now', '2026-06-29T09:00:00Z'])).status).toBe(0);
  const decided = `SELECT count(*)::int AS n FROM holdfast.decisions WHERE program = 'gone'`;
  const [before] = (await inDatabase(decided)) as { n: number }[];
  expect(before?.n).toBeGreaterThan(0);
  const would = await shop.holdfast(['prune', 'gone', '--deleted', '--dry-run']);
  expect(would.stdout).toMatch(new RegExp(`would go +${before?.n} candidates`));
  // From a machine that has the database alone, as that of a cluster.
  const postgres = await startEmbeddedPostgres({ folder: join(shop.data, 'postgres') });
  try {
    const args = ['prune', 'gone', '--deleted', '--dry-run', '--data', shop.path('nowhere')];
    const afar = await shop.holdfast(args, { environment: { DATABASE_URL: postgres.url } });
    expect([afar.status, afar.stderr]).toEqual([
      0,
      expect.stringContaining('delete the folder default/gone of the volume'),
    ]);
  } finally {
    await postgres.stop();
  }
  const { status, stdout } = await shop.holdfast(['prune', 'gone', '--deleted']);
  expect([status, stdout]).toEqual([0, expect.stringMatching(/artifacts of 1 runs/)]);
  expect(existsSync(join(shop.data, 'artifacts/default/gone'))).toBe(false);
  expect(await inDatabase(`SELECT FROM holdfast.candidates WHERE program = 'gone'`)).toEqual([]);
  expect(await inDatabase(decided)).toEqual([before]);
  // Made again, it begins without a batch, and remembers whom it has offered something.
  const again = await shop.holdfast(['run', program, '--now', '2026-06-29T09:00:00Z', '--output', 'json']);
  expect(JSON.parse(again.stdout).run).toBe('gone-20260629t020000z-2');
});
