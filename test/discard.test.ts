import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { publishBatch } from '../database/batches/publish.ts';
import { openApi } from './support/api.ts';
import type { TestPostgres } from './support/postgres.ts';
import { useShop } from './support/shop.ts';
import { type CommandResult, type Workspace } from './support/workspace.ts';

let shop: Workspace;
let postgres: TestPostgres;
useShop((opened) => {
  ({ shop, postgres } = opened);
});

const MONDAYS = ['2026-11-09T09:00:00Z', '2026-11-16T09:00:00Z', '2026-11-23T09:00:00Z'] as const;

const command = (args: readonly string[]) =>
  shop.holdfast(args, { environment: { DATABASE_URL: postgres.url, USER: 'ada' } });
const json = ({ stdout }: CommandResult) => JSON.parse(stdout);
const rows = async (sql: string) => (await postgres.database.pool.query(sql)).rows;
const discard = (run: string, ...options: string[]) =>
  command(['discard', run, '--reason', 'the mail tool was down', ...options]);
const current = async (program: string) => json(await command(['current', program, '--output', 'json']));

/** A batch of a program at some instant: its run, and how many candidates it has. */
async function batch(program: string, now: string, cap = false): Promise<{ run: string; candidates: number }> {
  const file = await shop.program((spec) => {
    spec['programId'] = program;
    if (!cap) return;
    const parameters = { maxOffersPerQuarter: 1 };
    spec['filterChain'].splice(-1, 1, { filterId: 'cap', type: 'business-rule', order: 4, parameters });
  }, `${program}.yaml`);
  const ran = await command(['run', file, '--now', now, '--output', 'json']);
  expect({ status: ran.status, stderr: ran.stderr }).toMatchObject({ status: 0 });
  // The samples of years past are alive for the clock of the database as well.
  await rows(`UPDATE holdfast.candidates SET expires_at = now() + interval '1 day' WHERE program = '${program}'`);
  const { run, stages } = json(ran);
  return { run, candidates: stages.at(-1).rowsOut };
}

test('a batch that was never sent counts as no offer: its customers are chosen again', async () => {
  const first = await batch('again', MONDAYS[0]);
  expect(first.candidates).toBeGreaterThan(0);
  const second = await batch('again', MONDAYS[1]);
  expect(second.candidates).toBe(0);

  expect(await discard(second.run)).toMatchObject({ status: 0 });
  const done = await discard(first.run);
  expect([done.status, done.stdout]).toEqual([
    0,
    expect.stringMatching(/^discarded +again-\S+: what it decided counts/),
  ]);
  expect(json(await command(['runs', 'again', '--output', 'json'])).runs[1].discardedAt).toMatch(/Z$/);
  expect((await command(['runs', 'again'])).stdout).toMatch(new RegExp(`^${first.run} .* Discarded$`, 'm'));
  expect((await batch('again', MONDAYS[2])).candidates).toBe(first.candidates);
});

test('nor does it count for the caps of another program', async () => {
  const { run, candidates } = await batch('this', MONDAYS[0], true);
  expect((await batch('other-before', MONDAYS[1], true)).candidates).toBe(0);
  expect(await discard(run, '--keep-later')).toMatchObject({ status: 0 });
  expect((await batch('other-after', MONDAYS[1], true)).candidates).toBe(candidates);
  await rows(`UPDATE holdfast.runs SET discarded_at = now() WHERE program IN ('this', 'other-after')`);
});

test('where the current batch is discarded the one before it is current again, or none; it is recorded and shown', async () => {
  const [first, second] = [await batch('back', MONDAYS[0]), await batch('back', MONDAYS[1])];
  await rows(`UPDATE holdfast.candidates SET expires_at = now() + interval '1 day' WHERE program = 'back'`);
  const link = () => readlink(join(shop.data, 'artifacts/default/back/current.parquet'));
  expect(await link()).toContain(second.run);

  const done = await discard(second.run);
  expect(done.stdout.split('\n')[1]).toMatch(
    new RegExp(`^current +${first.run} again, as of 2026-11-09T02:00:00Z: who`),
  );
  expect(await link()).toContain(first.run);
  const told = await current('back');
  expect(told.current).toBe(first.run);
  expect(told.batches.map(({ run }: { run: string }) => run)).toEqual([first.run]);
  expect(told.discards).toMatchObject([
    { run: second.run, current: first.run, by: 'ada', reason: 'the mail tool was down', undone: false },
  ]);
  expect((await command(['current', 'back'])).stdout).toMatch(
    new RegExp(`discarded \\S+Z by ada: ${second.run} \\(then ${first.run} was current\\): the mail tool was down\n`),
  );

  const list = await command(['candidates', 'back', '--run', second.run]);
  expect(list.stderr).toMatch(/warning: the batch of \S+ was discarded: what it decided counts as no offer/);

  const last = json(await discard(first.run, '--output', 'json'));
  expect(last).toMatchObject({ run: first.run, discarded: true, wasCurrent: true, current: null });
  expect(await rows(`SELECT * FROM holdfast.current_candidates WHERE program = 'back'`)).toEqual([]);
  await expect(link()).rejects.toThrow(/ENOENT/);
  expect((await current('back')).current).toBeNull();
  // Whatever is served says so, too.
  await using api = await openApi(postgres.database);
  const served = await api.get(`/v1/namespaces/default/programs/back/runs/${second.run}`);
  expect(served.json).toMatchObject({ discardedAt: expect.stringMatching(/^20/) });
  const page = await api.get('/?program=default/back');
  expect(page.text).toMatch(/No batch is current.*was discarded.*discarded<\/td>/s);
  // The next run is current as ever.
  const third = await batch('back', MONDAYS[1]);
  expect((await current('back')).current).toBe(third.run);
});

test('a discard is taken back: the batch counts again, and may be made current again', async () => {
  const { run, candidates } = await batch('undo', MONDAYS[0]);
  const why = ['--reason', 'it was sent after all'];
  expect((await command(['discard', run, '--undo', ...why])).stderr).toMatch(/is not discarded/);
  await discard(run);
  const set = ['current', 'undo', '--set', run, '--reason', 'again'];
  expect(await command(set)).toMatchObject({
    status: 78,
    stderr: expect.stringMatching(/is discarded: take that back/),
  });
  expect(await command(['discard', run, '--undo', ...why])).toMatchObject({ status: 0 });
  expect((await command(['current', 'undo'])).stdout).toMatch(/counts again \S+ by ada: \S+: it was sent after all/);
  expect(await command(set)).toMatchObject({ status: 0 });
  expect(candidates).toBeGreaterThan(0);
  expect((await batch('undo', MONDAYS[1])).candidates).toBe(0);
});

test('a batch is not discarded behind the back of those that were made of it, unless they are to stay', async () => {
  const first = await batch('later', MONDAYS[0]);
  const second = await batch('later', MONDAYS[1]);
  const refused = await discard(first.run);
  expect([refused.status, refused.stderr]).toEqual([
    78,
    `HF_USAGE: ${second.run} counted what ${first.run} decided, and may have left customers out for it: discard what was ` +
      'not sent of those first, or give --keep-later, and they stay as they are\n',
  ]);
  expect(await rows(`SELECT run FROM holdfast.runs WHERE program = 'later' AND discarded_at IS NOT NULL`)).toEqual([]);
  expect(await discard(first.run, '--keep-later')).toMatchObject({ status: 0 });
  expect((await current('later')).current).toBe(second.run);
});

test('a batch that another of its own slot took over from is discarded without more ado', async () => {
  const first = await batch('twice', MONDAYS[0]);
  const second = await batch('twice', MONDAYS[0]);
  expect(await discard(first.run)).toMatchObject({ status: 0 });
  expect((await current('twice')).current).toBe(second.run);
});

test('what is no batch that counts is refused, with the reason', async () => {
  const { run } = await batch('refused', MONDAYS[0]);
  const refusal = async (...args: string[]) => {
    const { status, stderr } = await command(['discard', ...args]);
    return [status, stderr];
  };
  const why = ['--reason', 'why not'];
  expect(await refusal(run)).toEqual([78, expect.stringMatching(/^HF_USAGE: give --reason TEXT/)]);
  expect(await refusal(run.replace('refused', 'refuse'), ...why)).toEqual([
    78,
    expect.stringMatching(new RegExp(`^HF_NOT_FOUND: there is no run .*the newest are .*did you mean ${run}\\?`)),
  ]);
  expect(await refusal(run, '--program', 'other', ...why)).toEqual([
    78,
    expect.stringMatching(/other has not run in .*; the programs that have are/),
  ]);
  for (const [change, reason] of [
    [`phase = 'Running'`, /is under way/],
    [`trigger = 'backfill'`, /is a backfill/],
    ['published_at = NULL', /published no batch/],
  ] as const) {
    await rows(`UPDATE holdfast.runs SET ${change} WHERE run = '${run}'`);
    expect(await refusal(run, ...why)).toEqual([78, expect.stringMatching(reason)]);
    await rows(`UPDATE holdfast.runs SET phase = 'Succeeded', trigger = 'manual', published_at = now() WHERE run = '${run}';
`);
  }
  await discard(run);
  expect(await refusal(run, ...why)).toEqual([78, expect.stringMatching(/is discarded already/)]);
});

test('an attempt that publishes the batch of a discarded run anew makes it count', async () => {
  const { run } = await batch('anew', MONDAYS[0]);
  await discard(run);
  const client = await postgres.database.pool.connect();
  const slot = new Date('2026-11-09T02:00:00Z');
  const again = {
    namespace: 'default',
    owner: 'anew',
    run,
    attempt: 2,
    slot,
    sequence: 1,
    trigger: 'manual',
  } as const;
  await publishBatch(client, again, new Date());
  client.release();
  expect(await rows(`SELECT discarded_at FROM holdfast.runs WHERE program = 'anew'`)).toEqual([{ discarded_at: null }]);
  expect((await current('anew')).current).toBe(run);
});
