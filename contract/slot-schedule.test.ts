import { expect, test } from '@jest/globals';
import { WITH_CAMPAIGN } from '../test/support/pipelines.ts';
import { slotSchedule } from './slot-schedule.ts';

const WEEKLY = { batchSchedule: 'cron(0 2 ? * MON *)' };

test.each<[string, string, object, string]>([
  ['its own schedule', 'prune', { schedules: { prune: '0 5 * * *' } }, '0 5 * * *'],
  ['without one that of the pipeline that it comes after', 'report', {}, WEEKLY.batchSchedule],
  ['otherwise that of the batch', 'prune', {}, WEEKLY.batchSchedule],
  ['of what this version does not know that of the batch', 'segmentation', {}, WEEKLY.batchSchedule],
])('a pipeline has %s', (_name, pipeline, more, schedule) => {
  expect(slotSchedule(pipeline, { ...WEEKLY, ...more }, WITH_CAMPAIGN)).toBe(schedule);
});
