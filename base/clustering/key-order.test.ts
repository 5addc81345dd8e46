import { expect, test } from '@jest/globals';
import { randomNumbers } from '../math/random-numbers.ts';
import { inKeyOrder } from './key-order.ts';

const byComparison = (keys: BigUint64Array, rows: readonly number[]) =>
  [...rows].sort((one, other) => {
    const [a, b] = [keys[one] as bigint, keys[other] as bigint];
    return a < b ? -1 : a > b ? 1 : rows.indexOf(one) - rows.indexOf(other);
  });

test.each([
  ['any 64 bits', (random: number) => BigInt(Math.floor(random * 2 ** 32)) * 0x9e3779b97f4a7c15n],
  [
    'the first half the same, and the last differ',
    (random: number) => (7n << 40n) + BigInt(Math.floor(random * 2 ** 31)),
  ],
  ['few, each of many', (random: number) => BigInt(Math.floor(random * 5)) << 62n],
])('rows are in the order of their keys: %s', (_, key) => {
  const random = randomNumbers(5);
  for (const length of [0, 1, 2, 3, 500]) {
    const keys = BigUint64Array.from({ length }, () => BigInt.asUintN(64, key(random())));
    const all = [...keys.keys()];
    expect([...inKeyOrder(keys)]).toEqual(byComparison(keys, all));
    const some = all.filter((row) => row % 3 !== 1);
    expect([...inKeyOrder(keys, Uint32Array.from(some))]).toEqual(byComparison(keys, some));
  }
});

test('the highest of keys are not cut off', () => {
  const keys = BigUint64Array.of(2n ** 64n - 1n, 0n, 2n ** 63n, 2n ** 64n - 2n);
  expect([...inKeyOrder(keys)]).toEqual([1, 2, 3, 0]);
});
