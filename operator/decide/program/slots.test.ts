import { expect, test } from '@jest/globals';
import { slotsAt } from './slots.ts';

const calendar = (schedule: string) =>
  ({ pipeline: 'batch', schedule, timeZone: 'UTC', startingDeadlineSeconds: 3600 }) as const;
const progress = { schedule: '', since: '2026-11-02T00:00:00Z' };
const NONE = new Set<number>();
const now = new Date('2026-11-23T09:00:00Z');

test('a schedule that has not begun has nothing due, and its first slot is the next', () => {
  const found = slotsAt(calendar('cron(0 2 ? * MON 2030)'), progress, now, NONE);
  expect(found).toEqual({ skipped: 0, next: new Date('2030-01-07T02:00:00Z') });
});

test.each<[string, string, number, Date | undefined, Date | undefined]>([
  [
    'none is missed where the one before has run',
    '2026-11-23T08:55:00Z',
    0,
    undefined,
    new Date('2026-11-23T09:00:00Z'),
  ],
  [
    'the one that runs is not among the missed',
    '2026-11-23T08:50:00Z',
    1,
    new Date('2026-11-23T08:55:00Z'),
    new Date('2026-11-23T09:00:00Z'),
  ],
  [
    '2,173 are counted to the last',
    '2026-11-15T19:50:00Z',
    2173,
    new Date('2026-11-23T08:55:00Z'),
    new Date('2026-11-23T09:00:00Z'),
  ],
])('of slots since an outage began, %s', (_name, lastSlot, skipped, newestSkipped, due) => {
  const found = slotsAt(calendar('*/5 * * * *'), { ...progress, lastSlot }, now, NONE);
  expect({ skipped: found.skipped, newestSkipped: found.newestSkipped, due: found.due }).toEqual({
    skipped,
    newestSkipped,
    due,
  });
});

test('a schedule that is over has no next slot', () => {
  const found = slotsAt(calendar('cron(0 2 ? * MON 2020)'), progress, now, NONE);
  expect(found).toEqual({ skipped: 0 });
});

const at = (...times: readonly string[]) => new Set(times.map((time) => Date.parse(`2026-11-23T${time}:00Z`)));

test.each<[string, ReadonlySet<number>, number, string | undefined]>([
  ['none was made', NONE, 2, '2026-11-23T08:00:00Z'],
  ['the newest was', at('08:00'), 1, '2026-11-23T07:00:00Z'],
  ['each was', at('07:00', '08:00'), 0, undefined],
  ['some were at other times', at('05:00', '07:30', '09:00'), 2, '2026-11-23T08:00:00Z'],
])('of slots that the status knows nothing of those with a run are not skipped: %s', (_name, made, skipped, newest) => {
  const lastSlot = '2026-11-23T06:00:00Z';
  const found = slotsAt(calendar('0 * * * *'), { ...progress, lastSlot }, now, made);
  expect([found.skipped, found.newestSkipped?.toISOString().replace('.000', '')]).toEqual([skipped, newest]);
});
