import { expect, test } from '@jest/globals';
import { age, inColumns, took } from './columns.ts';

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [330, '5m30s'],
  [1020, '17m'],
  [3 * 3600 + 300, '3h5m'],
  [26 * 3600, '26h'],
  [3 * 86_400 + 4 * 3600, '3d4h'],
  [12 * 86_400 + 9, '12d'],
  [800 * 86_400, '2y'],
  [-5, '0s'],
])('%d seconds are %s, as kubectl says it', (seconds, said) => expect(age(seconds * 1000)).toBe(said));

test.each([
  [0.04, '0.0s'],
  [3.84, '3.8s'],
  [10, '10s'],
  [330.9, '5m30s'],
])('a run of %d seconds took %s', (seconds, said) => expect(took(seconds)).toBe(said));

test('columns are as wide as what is in them, and no line ends in blanks', () => {
  expect(
    inColumns(
      ['NAME', 'AGE'],
      [
        ['a-long-name', '5s'],
        ['b', ''],
      ],
    ),
  ).toBe('NAME          AGE\na-long-name   5s\nb\n');
});
