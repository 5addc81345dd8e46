import { expect, test } from '@jest/globals';
import { steadyPart, withoutRandomEnds } from './steady.ts';

test.each([
  [
    'a quota, of which pods with random names are refused',
    'pods "weekly-filter-1-x7k2p" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3',
    'pods "weekly-filter-1-q9zbd" is forbidden: exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=4',
  ],
  ['a wait that grows', 'back-off 10s restarting task in pod a_shop', 'back-off 1m20s restarting task in pod a_shop'],
  [
    'uids',
    'volume of pod 5f0c2a4e-0b1d-4c3e-9f6a-77e1b2c3d4e5 is busy',
    'volume of pod 91d5c3b2-6a7f-4e8d-8c9b-0a1b2c3d4e5f is busy',
  ],
  ['shards', 'pod "weekly-score-shards-1-7-bx2fd"', 'pod "weekly-score-shards-1-12-zz9pt"'],
  ['times', 'not before 2026-11-23T02:00:00Z', 'not before 2026-11-23T02:10:15.5Z'],
  ['nodes', '0/3 nodes are available: 3 Insufficient memory', '0/12 nodes are available: 12 Insufficient memory'],
])('%s: said again it is the same', (_name, one, other) => {
  expect(steadyPart(one)).toBe(steadyPart(other));
});

test.each([
  ['another quota', 'exceeded quota: few', 'exceeded quota: many'],
  ['another missing object', 'secret "holdfast-postgres" not found', 'secret "holdfast-token-a" not found'],
])('%s is another trouble', (_name, one, other) => {
  expect(steadyPart(one)).not.toBe(steadyPart(other));
});

test('a name is left as it is but for its random end', () => {
  expect(withoutRandomEnds('pods "weekly-churn-filter-1-x7k2p" and holdfast-postgres, tasks')).toBe(
    'pods "weekly-churn-filter-1-" and holdfast-postgres, tasks',
  );
});
