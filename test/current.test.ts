import { mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import type { TestPostgres } from './support/postgres.ts';
import { useShop } from './support/shop.ts';
import { type CommandResult, type Workspace } from './support/workspace.ts';

let shop: Workspace;
let postgres: TestPostgres;
useShop((opened) => {
  ({ shop, postgres } = opened);
});

const MONDAY = '2026-11-16T09:00:00Z';
const NEXT_MONDAY = '2026-11-23T09:00:00Z';

const command = (args: readonly string[], environment: Record<string, string> = {}) =>
  shop.holdfast(args, { environment: { DATABASE_URL: postgres.url, USER: 'ada', ...environment } });
const json = ({ stdout }: CommandResult) => JSON.parse(stdout);
const rows = async (sql: string) => (await postgres.database.pool.query(sql)).rows;

/** A program whose customers may be decided on every week, and its batch at some instant. */
async function batchAt(name: string, now: string): Promise<string> {
  const program = await shop.program((spec) => {
    spec['programId'] = name;
    spec['filterChain'].pop();
  }, `${name}.yaml`);
  const ran = await command(['run', program, '--now', now, '--output', 'json']);
  expect({ status: ran.status, stderr: ran.stderr }).toMatchObject({ status: 0 });
  return json(ran).run;
}

const seen = async (program: string) =>
  (await rows(`SELECT DISTINCT run FROM holdfast.current_candidates WHERE program = '${program}'`)).map(
    ({ run }) => run,
  );
const linked = (program: string) => readlink(join(shop.data, 'artifacts/default', program, 'current.parquet'));

test('a batch that is wrong is set back from: view, path and record follow, and the next batch takes over', async () => {
  const good = await batchAt('back', MONDAY);
  const wrong = await batchAt('back', NEXT_MONDAY);
  await rows(`UPDATE holdfast.candidates SET expires_at = now() + interval '1 day' WHERE program = 'back'`);

  const shown = await command(['current', 'back']);
  expect(shown.stdout).toMatch(new RegExp(`^back\n  current +${wrong} .*candidates\n +${good} .*candidates\n$`));
  expect(await seen('back')).toEqual([wrong]);

  const set = await command(['current', 'back', '--set', good, '--reason', 'prices were wrong', '--output', 'json']);
  expect(set.stderr).toMatch(/^warning: What .* decided still counts for caps .*--withdraw/);
  expect(json(set)).toMatchObject({
    current: good,
    batches: [
      { run: good, isCurrent: true },
      { run: wrong, isCurrent: false },
    ],
    changes: [{ from: wrong, to: good, by: 'ada', reason: 'prices were wrong', withdrawn: false }],
  });
  expect(await seen('back')).toEqual([good]);
  expect(await linked('back')).toContain(good);
  expect(
    await rows(`SELECT role, changed_at <= now() AS past FROM holdfast.current_changes WHERE program = 'back'`),
  ).toEqual([{ role: 'holdfast', past: true }]);

  const again = await batchAt('back', NEXT_MONDAY);
  expect(await seen('back')).not.toContain(good);
  expect(await linked('back')).toContain(again);
  expect((await command(['current', 'back'])).stdout).toMatch(/set by hand \S+ by ada: \S+ → \S+: prices were wrong/);
});

test('a batch as of a day that is yet to come, from before such slots were refused, is set back from by its database alone', async () => {
  const good = await batchAt('frozen', MONDAY);
  const future = await batchAt('frozen', NEXT_MONDAY);
  await rows(`UPDATE holdfast.current_batches SET slot = '2031-11-24T02:00:00Z' WHERE program = 'frozen';
    UPDATE holdfast.candidates SET expires_at = now() + interval '1 day' WHERE program = 'frozen'`);
  const refused = await command(['run', shop.path('frozen.yaml'), '--now', NEXT_MONDAY, '--output', 'json']);
  expect(refused.status).toBe(78);
  expect(json(refused).error).toMatchObject({ code: 'HF_BATCH_NOT_CURRENT', message: expect.stringContaining(future) });
  // As on a cluster, whose files are elsewhere: there is no folder of state at all.
  const elsewhere = await mkdtemp(join(tmpdir(), 'holdfast-nowhere-'));
  const args = ['--set', good, '--reason', 'a clock', '--by', 'grace', '--withdraw', '--data', join(elsewhere, 'none')];
  const set = await command(['current', 'frozen', ...args]);
  await rm(elsewhere, { recursive: true });
  expect({ status: set.status, stderr: set.stderr }).toEqual({ status: 0, stderr: '' });
  expect(set.stdout).toMatch(/by grace: .* \(withdrawn\): a clock/);
  // Nobody was contacted from it, so that nobody is spared for it.
  expect(await rows(`SELECT run FROM holdfast.runs WHERE program = 'frozen' AND published_at IS NULL`)).toEqual([
    { run: future },
  ]);
  await batchAt('frozen', NEXT_MONDAY);
});

test('where no batch is current that is said, with what makes one so', async () => {
  const program = await shop.program((spec) => {
    spec['programId'] = 'none-yet';
    spec['dataConnectors'][0].config.query = 'SELECT * FROM customers WHERE false';
  }, 'none-yet.yaml');
  expect((await command(['run', program, '--now', MONDAY])).status).toBe(78);
  expect((await command(['current', 'none-yet'])).stdout).toBe(
    'none-yet\n  no batch has been published yet: `holdfast run FILE` makes one current\n',
  );
  const run = await batchAt('only', MONDAY);
  await command(['discard', run, '--reason', 'never sent']);
  expect((await command(['current', 'only'])).stdout).toMatch(
    /^only\n {2}no batch is current: `holdfast run FILE` makes one current\n/,
  );
});

test('a batch that cannot be current is refused, with the reason, and nothing changes', async () => {
  const first = await batchAt('refused', MONDAY);
  const now = await batchAt('refused', NEXT_MONDAY);
  const backfill = {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'RetentionRun',
    metadata: { name: 'past' },
    spec: { programRef: { name: 'keep' }, pipeline: 'batch', slot: '2026-11-02T02:00:00Z', trigger: 'backfill' },
  };
  const file = shop.path('backfill.yaml');
  await writeFile(file, `${await readFile(shop.path('refused.yaml'), 'utf8')}---\n${stringify(backfill)}`);
  const past = json(await command(['run', file, '--output', 'json'])).run;
  const refusal = async (...args: string[]) => {
    const { status, stderr } = await command(['current', 'refused', ...args]);
    return [status, stderr.split(':')[0], stderr];
  };
  const why = ['--reason', 'why not'];
  expect(await refusal('--set', first)).toEqual([78, 'HF_USAGE', expect.stringContaining('--reason')]);
  expect(await refusal(...why)).toEqual([78, 'HF_USAGE', expect.stringContaining('--set')]);
  expect(await refusal('--set', 'nothing', ...why)).toEqual([
    78,
    'HF_NOT_FOUND',
    expect.stringContaining('no run nothing'),
  ]);
  expect(await refusal('--set', now, ...why)).toEqual([78, 'HF_USAGE', expect.stringContaining('already')]);
  expect(await refusal('--set', past, ...why)).toEqual([78, 'HF_USAGE', expect.stringContaining('backfill')]);
  await rows(`UPDATE holdfast.candidates SET expires_at = now() WHERE run = '${first}'`);
  expect(await refusal('--set', first, ...why)).toEqual([78, 'HF_NOT_FOUND', expect.stringContaining('expired')]);
  await rows(`UPDATE holdfast.runs SET pruned_at = now() WHERE run = '${first}'`);
  expect(await refusal('--set', first, ...why)).toEqual([78, 'HF_NOT_FOUND', expect.stringContaining('pruned')]);
  expect((await command(['current', 'unknown'])).stderr).toMatch(/^HF_NOT_FOUND: unknown has not run/);
  expect((await shop.holdfast(['current', 'refused', '--data', shop.path('none')])).stderr).toMatch(
    /^HF_NOT_FOUND: there is no state/,
  );
  expect(await rows(`SELECT run FROM holdfast.current_batches WHERE program = 'refused'`)).toEqual([{ run: now }]);
  expect(await rows(`SELECT FROM holdfast.current_changes WHERE program = 'refused'`)).toEqual([]);
});
