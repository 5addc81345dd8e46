import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Engine, openEngine } from '../../../base/duckdb/engine.ts';
import { daysBetween, daysLater } from './calendar.ts';
import { COMPLETENESS_LIMITS, type CompletenessCheck, completeness, inputVolume } from './completeness.ts';
import { type DayCounts, dayCounts, dayCountsSql } from './completeness-sql.ts';
import { DUCKDB } from './dialect.ts';

const SNAPSHOT = '2026-11-01';

/** A hundred rows every day but Saturdays, for half a year. */
function history(change: (day: string, given: DayCounts) => DayCounts | undefined = (_, given) => given): DayCounts[] {
  return Array.from({ length: 180 }, (_, back) => daysLater(SNAPSHOT, -1 - back)).flatMap((day) => {
    if (new Date(day).getUTCDay() === 6) return [];
    const hoursBefore = 24 * daysBetween(day, SNAPSHOT) - 18;
    return change(day, { day, rows: 100, missing: { customer_id: 1, amount: 0 }, hoursBefore }) ?? [];
  });
}
const stops = (checks: readonly CompletenessCheck[]) =>
  checks.filter(({ outcome }) => outcome === 'stop').map(({ check, sentence }) => [check, sentence]);
const judged = (counts: readonly DayCounts[], change: Partial<typeof COMPLETENESS_LIMITS> = {}) =>
  completeness('transactions', counts, SNAPSHOT, inputVolume(history(), SNAPSHOT), {
    ...COMPLETENESS_LIMITS,
    ...change,
  });

test('a whole history passes, closed Saturdays and all', () => {
  const checks = judged(history());
  expect(checks.map(({ check, outcome, value }) => [check, outcome, value])).toEqual([
    ['freshness', 'pass', 6],
    ['silent-days', 'pass', 0],
    ['volume', 'pass', 1],
    ['volume', 'pass', 1],
    ['missing', 'pass', 0],
    ['missing', 'pass', 0.01],
    ['missing', 'pass', 0],
  ]);
  expect(checks[0]?.sentence).toBe(
    'The newest of transactions is of 2026-10-30, 30 hours before the snapshot, without 1 quiet day.',
  );
});

test('data that ends two days early stops, and says since when', () => {
  const late = history((day, given) => (day < '2026-10-30' ? given : undefined));
  expect(stops(judged(late))).toEqual([
    [
      'freshness',
      'The newest of transactions is of 2026-10-29, 54 hours before the snapshot, without 1 quiet day; they may be 24 hours late. Wait until the data is there, or list days on which nothing happened as quiet.',
    ],
    [
      'silent-days',
      'Transactions have no row on 2026-10-30, where 10 or more are usual on such a weekday. Load the days, or list them as quiet if nothing happened.',
    ],
  ]);
  expect(stops(judged(late, { quietDays: ['2026-10-30'] }))).toEqual([]);
  expect(stops(judged(late, { delayHours: 48 })).map(([check]) => check)).toEqual(['silent-days']);
});

test('a gap in the middle stops, a weekday that is always quiet does not', () => {
  const gap = history((day, given) => (day === '2026-10-13' || day === '2026-10-14' ? undefined : given));
  expect(stops(judged(gap))[0]?.[1]).toContain('no row on 2026-10-13, 2026-10-14,');
});

test('a snapshot older than the data stops', () => {
  expect(stops(completeness('sessions', [], SNAPSHOT, undefined))).toEqual([
    ['freshness', `There are no sessions before ${SNAPSHOT}: is the snapshot older than the data?`],
  ]);
});

test('half the rows of recent days, or a tenth of all, lost since the last snapshot stops', () => {
  const thin = history((day, given) => ({ ...given, rows: day >= '2026-10-04' ? 49 : 100 }));
  expect(stops(judged(thin))).toEqual([
    [
      'volume',
      'Transactions have 1,176 rows in the last 28 days, 49 % of the 2,400 at the last snapshot; under 50 % something is likely lost.',
    ],
  ]);
  const cut = history((day, given) => (daysBetween(day, SNAPSHOT) > 150 ? undefined : given));
  expect(stops(judged(cut)).map(([check]) => check)).toEqual(['volume']);
});

test('missing values stop by column over all recent days, and on one day', () => {
  const without = history((_, given) => ({ ...given, missing: { customer_id: 6, amount: 0 } }));
  expect(stops(judged(without))).toEqual([
    ['missing', 'transactions.customer_id is missing in 144 of 2,400 rows, 6 %; up to 5 % are let pass.'],
  ]);
  const oneDay = history((day, given) => (day === '2026-10-20' ? { ...given, missing: { amount: 60 } } : given));
  expect(stops(judged(oneDay))).toEqual([
    [
      'missing',
      'transactions.amount is missing in 60 of 2,400 rows, 2.5 %; of 2026-10-20 it is missing in 60 %, and up to 50 % of a day are let pass.',
    ],
  ]);
  const timeless = [...history(), { day: undefined, rows: 200, missing: {}, hoursBefore: Number.POSITIVE_INFINITY }];
  expect(stops(judged(timeless))[0]?.[1]).toContain('transactions.at is missing in 200 of 2,600 rows');
});

test('of a shop with a sale a day nothing is said by its gaps', () => {
  const few = history((day, given) => (day >= '2026-10-25' ? undefined : { ...given, rows: 1, missing: {} }));
  const checks = completeness('transactions', few, SNAPSHOT, undefined);
  expect(stops(checks)).toEqual([]);
  expect(checks.slice(0, 2).map(({ outcome }) => outcome)).toEqual(['not-judgeable', 'not-judgeable']);
});

test('nothing is said of when customers came', () => {
  const checks = completeness('customers', history().slice(90), SNAPSHOT, undefined);
  expect(checks.map(({ check }) => check)).toEqual(['volume', 'missing', 'missing', 'missing']);
});

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: '/nonexistent' });
});
afterAll(() => engine.close());

test('rows are counted by local day, with what is missing, and none of the snapshot or later', async () => {
  const columns = Object.entries({
    customer_id: 'VARCHAR',
    at: 'TIMESTAMP WITH TIME ZONE',
    amount: 'DOUBLE',
    kind: 'VARCHAR',
  });
  const query = `SELECT * FROM (VALUES
    ('a', TIMESTAMPTZ '2026-10-30 23:30:00Z', 1::DOUBLE, 'purchase'), ('none', '2026-10-31 12:00:00Z', 1, 'swap'),
    ('b', '2026-10-31 22:59:00Z', 'nan', NULL), ('c', '2026-10-31 23:00:00Z', 1, NULL), ('d', NULL, NULL, NULL), ('e', 'infinity', 1, NULL)
  ) AS t (customer_id, "at", amount, kind)`;
  const input = { query, columns: columns.map(([name, type]) => ({ name, type })) };
  const rows = await engine.rows<Record<string, unknown>>(
    dayCountsSql('transactions', input, { date: SNAPSHOT, timeZone: 'Europe/Berlin' }, DUCKDB),
  );
  expect(rows.map(dayCounts)).toEqual([
    {
      day: '2026-10-31',
      rows: 3,
      missing: { customer_id: 1, amount: 1, kind: 1 },
      hoursBefore: expect.closeTo(1 / 60, 9),
    },
    { day: undefined, rows: 2, missing: { customer_id: 0, amount: 1, kind: 0 }, hoursBefore: Number.POSITIVE_INFINITY },
  ]);
});

test('a row that is of a day alone counts as late as its end', async () => {
  const columns = Object.entries({ customer_id: 'INTEGER', at: 'DATE' }).map(([name, type]) => ({ name, type }));
  const input = { query: 'SELECT 1 AS customer_id, DATE \'2026-10-30\' AS "at"', columns };
  const rows = await engine.rows<Record<string, unknown>>(
    dayCountsSql('sessions', input, { date: SNAPSHOT, timeZone: 'UTC' }, DUCKDB),
  );
  expect(rows.map(dayCounts)).toEqual([{ day: '2026-10-30', rows: 1, missing: { customer_id: 0 }, hoursBefore: 24 }]);
});
