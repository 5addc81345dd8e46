import { expect, test } from '@jest/globals';
import { slotsAt } from './slots.ts';

const calendar = (schedule: string) =>
  ({ pipeline: 'batch', schedule, timeZone: 'UTC', startingDeadlineSeconds: 3600 }) as const;
const progress = { schedule: '', since: '2026-11-02T00:00:00Z' };
const now = new Date('2026-11-23T09:00:00Z');

test('a schedule that has not begun has nothing due, and its first slot is the next', () => {
  const found = slotsAt(calendar('cron(0 2 ? * MON 2030)'), progress, now);
  expect(found).toEqual({ skipped: 0, next: new Date('2030-01-07T02:00:00Z') });
});

test('a schedule that is over has no next slot', () => {
  const found = slotsAt(calendar('cron(0 2 ? * MON 2020)'), progress, now);
  expect(found).toEqual({ skipped: 0 });
});
