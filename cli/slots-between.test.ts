import { expect, test } from '@jest/globals';
import { slotsBetween } from './slots-between.ts';

const NOW = new Date('2026-11-23T09:30:00Z');
const WEEKLY = { schedule: '0 2 * * MON', timeZone: 'UTC' };
const BERLIN = { schedule: '30 0 * * *', timeZone: 'Europe/Berlin' };

function slots(calendar: typeof WEEKLY, from: string, to: string, max = '10'): readonly string[] {
  return slotsBetween(calendar, { from, to, max }, NOW).map((slot) => slot.toISOString().slice(0, 16));
}

test('both ends are included, and a day is that of the schedule’s zone', () => {
  expect(slots(WEEKLY, '2026-11-09', '2026-11-23')).toEqual([
    '2026-11-09T02:00',
    '2026-11-16T02:00',
    '2026-11-23T02:00',
  ]);
  expect(slots(WEEKLY, '2026-11-09T02:00:00Z', '2026-11-16T01:59:59Z')).toEqual(['2026-11-09T02:00']);
  // Half past midnight in Berlin is the day before in UTC.
  expect(slots(BERLIN, '2026-11-10', '2026-11-11')).toEqual(['2026-11-09T23:30', '2026-11-10T23:30']);
  // The night in which clocks go back is one of its day.
  expect(slots(BERLIN, '2026-10-25', '2026-10-26')).toEqual(['2026-10-24T22:30', '2026-10-25T23:30']);
});

test.each<[string, Parameters<typeof slots>, string, string]>([
  ['more than --max', [WEEKLY, '2026-01-01', '2026-11-01'], 'HF_SLOT_REFUSED', 'has 43 slots'],
  ['none', [WEEKLY, '2026-11-10', '2026-11-12'], 'HF_SLOT_REFUSED', 'has no slot from 2026-11-10 to 2026-11-12'],
  ['one to come', [WEEKLY, '2026-11-23', '2026-11-30'], 'HF_SLOT_REFUSED', '2026-11-30T02:00:00Z is yet to come'],
  ['the wrong way round', [WEEKLY, '2026-11-23', '2026-11-16'], 'HF_USAGE', 'is before --from'],
  [
    'no day',
    [WEEKLY, 'last week', '2026-11-16'],
    'HF_USAGE',
    "--from last week: give an instant such as 2026-11-23T02:00:00Z, or a day of the schedule's zone",
  ],
  ['more than may be', [WEEKLY, '2026-11-09', '2026-11-16', '61'], 'HF_USAGE', 'from 1 to 60'],
  ['no number', [WEEKLY, '2026-11-09', '2026-11-16', 'all'], 'HF_USAGE', 'from 1 to 60'],
  [
    'every minute of many years',
    [{ schedule: '* * * * *', timeZone: 'UTC' }, '1990-01-01', '2026-11-01'],
    'HF_SLOT_REFUSED',
    'slots',
  ],
])('%s is refused', (_, asked, code, message) => {
  expect(() => slots(...asked)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});
