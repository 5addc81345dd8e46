import { expect, test } from '@jest/globals';
import { PIPELINES } from '../../contract/pipelines.ts';
import { run } from '../../test/support/program.ts';
import type { RunObject } from '../kube/objects.ts';
import type { StageStatus } from './run/tasks.ts';
import { resultOf } from './run-result.ts';

const stage = (name: string, rowsIn: number, rowsOut: number, counts: Record<string, number> = {}): StageStatus => ({
  name,
  phase: 'Succeeded',
  rowsIn,
  rowsOut,
  counts,
});
const none = { candidates: 0 };

test.each<[string, Partial<RunObject['spec']>, StageStatus[], string, string]>([
  ['of a batch its candidates are told', {}, [stage('store', 7, 7, { candidates: 7 })], 'Succeeded', '; 7 candidates'],
  ['one is told as one', {}, [stage('store', 1, 1, { candidates: 1 })], 'Succeeded', '; 1 candidate'],
  [
    'of a dry run, that nothing was published',
    { dryRun: true },
    [stage('store', 7, 7, { candidates: 7 })],
    'Succeeded',
    '; 7 candidates, not published: a dry run',
  ],
  [
    'where the filters let nobody through, those that removed most',
    {},
    [
      stage('extract', 400, 400),
      stage('filter', 400, 0, { 'removed.trust': 100, 'removed.value': 300, 'removed.cap': 0 }),
      stage('store', 0, 0, none),
    ],
    'NoCandidates',
    ', and nobody is a candidate: filter let none of 400 customers through (removed by value 300, trust 100)',
  ],
  [
    'where every score is below the levels, the scoring',
    {},
    [stage('filter', 400, 90), stage('score', 90, 0), stage('store', 0, 0, none)],
    'NoCandidates',
    ', and nobody is a candidate: score let none of 90 customers through',
  ],
  [
    'where no counts have come, no more',
    {},
    [{ name: 'store', phase: 'Succeeded', counts: none }],
    'NoCandidates',
    ', and nobody is a candidate',
  ],
  ['of a batch that said nothing, that it is done', {}, [], 'Succeeded', ''],
  ['of a prune, that it is done', { pipeline: 'prune' }, [], 'Succeeded', ''],
])('%s', (_name, spec, stages, reason, told) => {
  const made = { ...run('weekly', spec), metadata: { name: 'weekly' } } as RunObject;
  expect(resultOf(made, stages, PIPELINES)).toEqual({
    phase: 'Succeeded',
    reason,
    message: `every task is done${told}`,
  });
});
