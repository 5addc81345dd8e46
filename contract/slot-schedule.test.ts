import { expect, test } from '@jest/globals';
import { WITH_CAMPAIGN } from '../test/support/pipelines.ts';
import type { PipelineDefinition, Pipelines } from './pipelines.ts';
import { slotOfRun } from './slot-guard.ts';
import { slotSchedule } from './slot-schedule.ts';

const COHORTS = WITH_CAMPAIGN['cohorts'] as PipelineDefinition;
const WEEKLY = { batchSchedule: 'cron(0 2 ? * MON *)' };

test.each<[string, string, object, string]>([
  ['its own schedule', 'prune', { schedules: { prune: '0 5 * * *' } }, '0 5 * * *'],
  ['without one that of the pipeline that it comes after', 'report', {}, WEEKLY.batchSchedule],
  ['otherwise that of the batch', 'prune', {}, WEEKLY.batchSchedule],
  ['of what this version does not know that of the batch', 'unheard-of', {}, WEEKLY.batchSchedule],
])('a pipeline has %s', (_name, pipeline, more, schedule) => {
  expect(slotSchedule(pipeline, { ...WEEKLY, ...more }, WITH_CAMPAIGN)).toBe(schedule);
});

/** A pipeline of a series, whose schedule is a field of its own, and one that comes with it. */
const SNAPSHOTS: Pipelines = {
  ...WITH_CAMPAIGN,
  snapshot: { ...COHORTS, schedule: ['schedule'] },
  sweep: { ...COHORTS, schedule: ['sweepSchedule'], publishes: false },
  tell: { ...COHORTS, schedule: ['tellSchedule'], publishes: false, reachesPeople: true },
};

test('a pipeline of a series goes by what publishes for the series, whatever the schedule of a program is called', () => {
  const { cohorts: _other, ...pipelines } = SNAPSHOTS;
  expect(slotSchedule('sweep', { ...WEEKLY, schedule: '0 3 1 * *' }, pipelines)).toBe('0 3 1 * *');
  expect(slotSchedule('snapshot', WEEKLY, pipelines)).toBeUndefined();
});

test('a single snapshot has no schedule: its run is of the slot that it names, or of none', () => {
  const { cohorts: _other, ...pipelines } = SNAPSHOTS;
  const spec = { timeZone: 'UTC', series: 'loyalty' };
  const now = new Date('2026-11-05T00:00:00Z');
  const asked = { pipeline: 'snapshot', trigger: 'manual' as const, slot: new Date('2026-11-01T00:00:00Z'), made: now };
  expect(slotOfRun(asked, spec, now, pipelines)).toEqual(asked.slot);
  expect(slotOfRun({ ...asked, slot: undefined }, spec, now, pipelines)).toEqual({
    reason: 'NoSlot',
    message: 'snapshot has no schedule here: give the run a slot',
  });
  expect(slotOfRun({ ...asked, slot: new Date('2026-12-01T00:00:00Z') }, spec, now, pipelines)).toMatchObject({
    reason: 'SlotInFuture',
  });
  expect(slotOfRun({ ...asked, pipeline: 'tell' }, spec, now, pipelines)).toEqual({
    reason: 'NoSlot',
    message: 'tell reaches people, and so runs only for the newest slot of a schedule: give it one',
  });
});
