import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Engine, openEngine } from '../../base/duckdb/engine.ts';
import { writeParquet } from '../../base/duckdb/parquet.ts';
import { offersSince, openPastOffers } from './offer-history.ts';

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-history-'));
  engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
});
afterAll(async () => {
  engine.close();
  await rm(folder, { recursive: true });
});

const SLOT = '2026-11-23T02:00:00.000Z';

/** The figures of one customer to whom the warehouse knows one offer, or whom another program decided on. */
async function historyOf(offer: { readonly at: string; readonly decided?: boolean }, until?: string, timeZone = 'UTC') {
  const past = join(folder, 'offers.parquet');
  const of = (at: string) => `SELECT 'C1' AS customer_id, 'other' AS program_id, TIMESTAMP '${at}' AS offered_at`;
  const at = offer.at.replace('T', ' ').replace('Z', '');
  await writeParquet(engine, offer.decided === true ? `${of(at)} WHERE false` : of(at), past);
  const decisions = join(folder, 'decisions.csv');
  const lines = offer.decided === true ? [`"C1","other",${at}`] : [];
  await writeFile(decisions, ['customer_id,program_id,offered_at', ...lines, ''].join('\n'));
  const { history } = await openPastOffers(engine, {
    pastOffers: past,
    decisions,
    slot: new Date(SLOT),
    ...(until === undefined ? {} : { until: new Date(until) }),
    programs: ['own'],
    timeZone,
  });
  await history("SELECT 'C1'");
  const [row] = await engine.rows<{ rolling: number; calendar: number }>(
    'SELECT offers_rolling_quarter AS rolling, offers_calendar_quarter AS calendar FROM offer_history',
  );
  return row === undefined ? 'forgotten' : [row.rolling, row.calendar];
}

test.each<[string, string, string | readonly number[]]>([
  ['90 days ago to the second has left the rolling quarter', '2026-08-25T02:00:00.000Z', [0, 0]],
  ['a millisecond less is in it', '2026-08-25T02:00:00.001Z', [1, 0]],
  ['the instant at which the calendar quarter began is in both', '2026-10-01T00:00:00.000Z', [1, 1]],
  ['a millisecond before it is in the rolling one alone', '2026-09-30T23:59:59.999Z', [1, 0]],
  ['184 days ago is the first that is read', '2026-05-23T02:00:00.000Z', [0, 0]],
  ['a millisecond before that is forgotten', '2026-05-23T01:59:59.999Z', 'forgotten'],
])('an offer of the warehouse %s', async (_sentence, at, expected) => {
  expect(await historyOf({ at })).toEqual(expected);
});

test.each<[string, string, string | readonly number[]]>([
  ['at the slot itself counts', SLOT, [1, 1]],
  ['later than the slot is no history', '2026-11-23T02:00:00.001Z', 'forgotten'],
])('a decision of another program %s', async (_sentence, at, expected) => {
  expect(await historyOf({ at, decided: true })).toEqual(expected);
});

test('where a batch is stored, what others decided since the slot counts, as long as a quarter has both', async () => {
  const now = '2027-06-01T00:00:00Z';
  const since = (at: string) => historyOf({ at, decided: true }, now);
  expect(await since('2026-11-23T09:00:00.000Z')).toEqual([1, 1]);
  expect(await since('2026-12-31T23:59:59.999Z')).toEqual([1, 1]);
  expect(await since('2027-01-01T00:00:00.000Z')).toEqual([1, 0]);
  expect(await since('2027-02-21T01:59:59.999Z')).toEqual([1, 0]);
  expect(await since('2027-02-21T02:00:00.000Z')).toEqual([0, 0]);
  expect(await historyOf({ at: '2026-11-24T00:00:00.000Z', decided: true }, '2026-11-23T23:00:00Z')).toBe('forgotten');
  // What a warehouse knows of the time after the slot is our own future.
  expect(await historyOf({ at: '2026-11-23T02:00:00.000Z' }, now)).toBe('forgotten');
});

test('offers are read from 184 days before the slot', () => {
  expect(offersSince(new Date(SLOT))).toEqual(new Date('2026-05-23T02:00:00.000Z'));
});
