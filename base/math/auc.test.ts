import { expect, test } from '@jest/globals';
import { auc } from './auc.ts';
import { randomNumbers } from './random-numbers.ts';

/** Every pair of a positive and a negative, as the definition has it. */
function pairs(scores: Float64Array, labels: Uint8Array): number {
  let wins = 0;
  let count = 0;
  for (const [i, high] of scores.entries()) {
    for (const [j, low] of scores.entries()) {
      if (labels[i] !== 1 || labels[j] !== 0) continue;
      count++;
      if (high > low) wins += 1;
      else if (high === low) wins += 0.5;
    }
  }
  return wins / count;
}

test.each([
  ['every positive is above every negative', [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1],
  ['every positive is below every negative', [0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0],
  ['all scores are the same', [0.5, 0.5, 0.5], [0, 1, 1], 0.5],
  ['a tie counts half', [0.2, 0.5, 0.5, 0.9], [0, 0, 1, 1], 0.875],
  ['scores are not probabilities', [-7, 3, 1e9, -1e9], [0, 1, 1, 0], 1],
])('%s', (_, scores, labels, expected) => {
  expect(auc(Float64Array.from(scores), Uint8Array.from(labels))).toBe(expected);
});

test.each([
  ['no positive', [1, 2], [0, 0]],
  ['no negative', [1, 2], [1, 1]],
  ['nothing at all', [], []],
  ['a score that is not a number', [1, Number.NaN], [1, 0]],
])('%s has no area', (_, scores, labels) => {
  expect(auc(Float64Array.from(scores), Uint8Array.from(labels))).toBeNaN();
});

test('is the share of pairs in the right order, whatever the ties', () => {
  const random = randomNumbers(7);
  for (let trial = 0; trial < 200; trial++) {
    const rows = 2 + Math.floor(random() * 40);
    const distinct = 1 + Math.floor(random() * 12);
    const scores = Float64Array.from({ length: rows }, () => Math.floor(random() * distinct) / distinct);
    const labels = Uint8Array.from({ length: rows }, () => (random() < 0.4 ? 1 : 0));
    const [fast, slow] = [auc(scores, labels), pairs(scores, labels)];
    if (Number.isNaN(slow)) expect(fast).toBeNaN();
    else expect(fast).toBeCloseTo(slow, 12);
  }
});

test('leaves its arguments as they were', () => {
  const scores = Float64Array.from([3, 1, 2]);
  auc(scores, Uint8Array.from([0, 1, 0]));
  expect([...scores]).toEqual([3, 1, 2]);
});
