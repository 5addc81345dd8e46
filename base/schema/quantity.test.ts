import { expect, test } from '@jest/globals';
import { amountOf, QUANTITY } from './quantity.ts';

test.each<[string | number, number]>([
  ['500m', 0.5],
  ['0.5', 0.5],
  [2, 2],
  ['2Gi', 2_147_483_648],
  ['1.5k', 1500],
  [2_147_483_648, 2_147_483_648],
])('%s is %d', (quantity, expected) => {
  expect(String(quantity)).toMatch(new RegExp(QUANTITY));
  expect(amountOf(quantity)).toBe(expected);
});
