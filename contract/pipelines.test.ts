import { expect, test } from '@jest/globals';
import { WITH_CAMPAIGN } from '../test/support/pipelines.ts';
import { laneOf, lanesOf, pipelinesIn, shareLane } from './lane.ts';
import { PIPELINES, type PipelineName, pipelinesOf, scheduleOf, schedulesIn, secretsOf } from './pipelines.ts';

test.each(Object.keys(PIPELINES) as PipelineName[])('the stages of %s read earlier stages only', (pipeline) => {
  const { stages } = PIPELINES[pipeline];
  for (const [index, { reads }] of stages.entries()) {
    const earlier = stages.slice(0, index).map(({ name }) => name);
    expect(reads.filter((name) => !earlier.includes(name))).toEqual([]);
  }
});

test('what prepares the system of record for a stage gets none of its secrets', () => {
  const [, deliver] = WITH_CAMPAIGN['campaign']!.stages;
  expect(deliver!.tasks.map((task) => secretsOf(deliver!, task))).toEqual([[], ['modelTokens']]);
});

test('prune waits for the batch whose files it may delete, a pipeline with a lane of its own for none of them', () => {
  const shared = (one: string, other: string) => shareLane(one, other, WITH_CAMPAIGN);
  expect([shared('batch', 'prune'), shared('campaign', 'campaign')]).toEqual([true, true]);
  expect([shared('batch', 'campaign'), shared('campaign', 'prune')]).toEqual([false, false]);
  expect(lanesOf(WITH_CAMPAIGN).map((lane) => pipelinesIn(lane, WITH_CAMPAIGN))).toEqual([
    ['batch', 'prune', 'cohorts'],
    ['campaign'],
    ['report'],
  ]);
});

test.each([
  ['a pipeline of another version', 'batch', 'unheard-of'],
  ['one that is called as a part of every object', 'batch', 'constructor'],
  ["another owner's, though its lane is called the same", 'batch', 'cohorts'],
])('%s is in no lane of a program', (_name, one, other) => {
  const shared = (first: string, second: string) => shareLane(first, second, WITH_CAMPAIGN);
  expect([shared(one, other), shared(other, one)]).toEqual([false, false]);
});

test('a lane is that of a pipeline which is known', () => {
  expect([laneOf('prune'), laneOf('constructor')]).toEqual(['batch', undefined]);
});

test.each<[string, string, object, string | undefined]>([
  [
    'a pipeline has the schedule that the spec gives it',
    'campaign',
    { schedules: { campaign: '0 9 * * *' } },
    '0 9 * * *',
  ],
  ['without one it may go with the pipeline that it comes after', 'campaign', {}, '0 2 * * *'],
  ['or never begin by itself', 'report', {}, undefined],
  ['as may one that comes after none', 'prune', { schedules: {} }, undefined],
  ['one that is not known has none', 'toString', {}, undefined],
])('%s', (_name, pipeline, spec, schedule) => {
  expect(scheduleOf(pipeline, { batchSchedule: '0 2 * * *', ...spec }, WITH_CAMPAIGN)?.schedule).toBe(schedule);
});

test('the schedules of a spec are its own, each with its field', () => {
  const spec = { batchSchedule: '0 2 * * *', schedules: { report: '0 9 * * MON' } };
  expect(schedulesIn(spec, pipelinesOf('program', WITH_CAMPAIGN))).toEqual([
    { schedule: '0 2 * * *', field: ['batchSchedule'] },
    { schedule: '0 9 * * MON', field: ['schedules', 'report'] },
  ]);
});

test('the pipelines of a kind of owner are its own, in the order of the table', () => {
  expect(Object.keys(pipelinesOf('program', WITH_CAMPAIGN))).toEqual(['batch', 'prune', 'campaign', 'report']);
  expect(pipelinesOf('series', WITH_CAMPAIGN)).toEqual({ cohorts: WITH_CAMPAIGN['cohorts'] });
  expect(pipelinesOf('series', WITH_CAMPAIGN)).toBe(pipelinesOf('series', WITH_CAMPAIGN));
});
