import { describe, expect, test } from '@jest/globals';
import { parseSchedule } from '../base/schedules/index.ts';
import { main } from '../cli/main.ts';
import type { TestPostgres } from './support/postgres.ts';
import { useShop } from './support/shop.ts';
import { type Workspace } from './support/workspace.ts';

/** Days for which candidates are kept, unless the program says otherwise. */
const KEPT_DAYS = 30;

let shop: Workspace;
let postgres: TestPostgres;
useShop((opened) => {
  ({ shop, postgres } = opened);
});

/** Runs a program of this name with a clock that shows each of the instants in turn, and then the last for ever. */
async function runAt(name: string, ...instants: string[]): Promise<{ run: string; stored: number }> {
  const { status, stdout, stderr } = await tryAt(name, ...instants);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const report = JSON.parse(stdout) as { run: string; stages: { rowsOut: number }[] };
  return { run: report.run, stored: report.stages.at(-1)?.rowsOut ?? 0 };
}

/** The same, however it ends. */
async function tryAt(name: string, ...instants: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const program = await shop.program((spec) => {
    spec['programId'] = name;
    // Who is decided on in one run is to be decided on in the next, so that each has a batch.
    spec['filterChain'].pop();
  });
  const clock = instants.map((instant) => new Date(instant));
  let stdout = '';
  let stderr = '';
  const status = await main(['run', program, '--output', 'json', '--data', shop.data], {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    environment: { DATABASE_URL: postgres.url },
    signal: new AbortController().signal,
    now: () => (clock.length > 1 ? clock.shift() : clock[0]) as Date,
    elapsed: () => performance.now(),
  });
  return { status, stdout, stderr };
}

async function runsOf(program: string): Promise<number> {
  const sql = 'SELECT FROM holdfast.runs WHERE program = $1';
  return (await postgres.database.pool.query(sql, [program])).rowCount ?? 0;
}

async function current(program: string): Promise<{ run: string; slot: Date } | undefined> {
  const sql = 'SELECT run, slot FROM holdfast.current_batches WHERE program = $1';
  return (await postgres.database.pool.query<{ run: string; slot: Date }>(sql, [program])).rows[0];
}

async function storedOf(run: string): Promise<{ count: number; kept_days: number | null; slot: Date | null }> {
  const { rows } = await postgres.database.pool.query(
    `SELECT count(*)::int AS count, min(slot) AS slot,
       CASE WHEN min(expires_at - created_at) = max(expires_at - created_at) THEN extract(epoch FROM min(expires_at - created_at))::int / 86400 END AS kept_days
     FROM holdfast.candidates WHERE run = $1`,
    [run],
  );
  return rows[0];
}

describe('a clock that is moved between two runs', () => {
  test('back: the batch that is current stays current, none of it goes, and the run that cannot take its place fails', async () => {
    const newer = await runAt('back', '2026-11-23T09:00:00Z');
    const { status, stdout } = await tryAt('back', '2026-11-10T09:00:00Z');
    expect(status).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({
      phase: 'Refused',
      error: { code: 'HF_BATCH_NOT_CURRENT', message: expect.stringContaining(newer.run) },
    });
    expect(await current('back')).toMatchObject({ run: newer.run });
    expect(await storedOf(newer.run)).toMatchObject({ count: newer.stored, kept_days: KEPT_DAYS });
    expect(await runsOf('back')).toBe(1);
    // And forth again: the next run of the newest slot takes over.
    const again = await runAt('back', '2026-11-23T09:00:01Z');
    expect(await current('back')).toMatchObject({ run: again.run });
  });

  test.each(['2999-12-31T23:59:59Z', '2031-11-24T09:00:00Z'])(
    'forth to %s: a slot that is yet to come is refused, and the runs after it are what they were',
    async (then) => {
      const name = `forth-${Date.parse(then) / 1000}`;
      // As of the real day, so that Postgres' clock agrees that they live.
      const today = await runAt(name, new Date().toISOString());
      const future = await tryAt(name, then);
      expect(future.status).toBe(78);
      expect(JSON.parse(future.stdout)).toMatchObject({ phase: 'Refused', error: { code: 'HF_SLOT_IN_FUTURE' } });
      expect(await storedOf(today.run)).toMatchObject({ count: today.stored, kept_days: KEPT_DAYS });
      const next = await runAt(name, new Date().toISOString());
      expect(await current(name)).toMatchObject({ run: next.run });
    },
  );

  test('to 1971: its candidates have long expired, and nobody else loses any', async () => {
    const past = await runAt('past', '1971-01-05T00:00:00Z');
    expect(past.run).toMatch(/^past-19710104t020000z/);
    expect(await current('past')).toMatchObject({ run: past.run });
    const today = await runAt('past', new Date().toISOString());
    expect((await tryAt('past', '1971-01-05T00:00:00Z')).status).toBe(78);
    expect(await current('past')).toMatchObject({ run: today.run });
    expect(await storedOf(today.run)).toMatchObject({ count: today.stored });
    const visible = await postgres.database.pool.query(
      `SELECT DISTINCT run FROM holdfast.current_candidates WHERE program = 'past'`,
    );
    expect(visible.rows).toEqual([{ run: today.run }]);
  });
});

describe('a clock that is moved while a run goes on', () => {
  test.each([
    ['back by a year', '2025-11-23T09:00:00Z'],
    ['to the beginning of time', '1970-01-01T00:00:00Z'],
    ['forth by ten years', '2036-11-23T09:00:00Z'],
  ])('%s: the run keeps the slot that it began with, and its candidates live as long as any', async (_name, then) => {
    const begun = '2026-11-23T09:00:00Z';
    for (const ticks of [1, 2, 3]) {
      const name = `moved-${Date.parse(then) / 1000}-${ticks}`;
      const { run, stored } = await runAt(name, ...Array.from({ length: ticks }, () => begun), then);
      expect(await current(name)).toEqual({ run, slot: new Date('2026-11-23T02:00:00Z') });
      expect(await storedOf(run)).toMatchObject({ count: stored, kept_days: KEPT_DAYS });
    }
  });
});

describe('the newest slot', () => {
  test.each([
    ['when clocks go forth', '30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z'],
    ['when clocks go back', '30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z'],
    ['when clocks go back by half an hour', '45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00:00Z'],
    ['on the day that a zone left out', '0 12 * * *', 'Pacific/Apia', '2011-12-29T00:00:00Z'],
    ['at the beginning of time', '0 2 * * MON', 'UTC', '1970-01-01T00:00:00Z'],
    ['at the end of a leap year', '0 0 29 2 *', 'UTC', '2028-02-28T00:00:00Z'],
    ['a thousand years from now', '0 2 * * MON', 'America/New_York', '2999-03-09T00:00:00Z'],
  ])('%s never lies ahead, and never goes back as time goes on', (_name, schedule, zone, from) => {
    const parsed = parseSchedule(schedule, zone);
    let last = Number.NEGATIVE_INFINITY;
    for (let minutes = 0; minutes <= 48 * 60; minutes += 15) {
      const now = new Date(Date.parse(from) + minutes * 60_000);
      const slot = parsed.newest(now)?.getTime();
      if (slot === undefined) continue;
      expect(slot).toBeLessThanOrEqual(now.getTime());
      expect(slot).toBeGreaterThanOrEqual(last);
      last = slot;
    }
    expect(Number.isFinite(last)).toBe(true);
  });
});
