import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { adjustedRand } from './adjusted-rand.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { bestMatching } from './matching.ts';
import { EMPTY_BIN, populationStability } from './population-stability.ts';
import { randomNumbers } from './random-numbers.ts';
import { ranks, spearman } from './spearman.ts';

interface Reference {
  readonly partitions: readonly { name: string; table: readonly (readonly number[])[]; adjustedRand: number }[];
  readonly pairs: readonly { xs: readonly number[]; ys: readonly number[]; spearman: number }[];
  readonly samples: readonly { one: readonly number[]; other: readonly number[]; ks: number }[];
  readonly matchings: readonly { worth: readonly (readonly number[])[]; best: number }[];
}

/** By scikit-learn and SciPy: test/references/clustering.py. */
const reference: Reference = JSON.parse(
  readFileSync(new URL('../../test/references/clustering.json', import.meta.url), 'utf8'),
);

test.each(reference.partitions)('$name: adjusted Rand index of scikit-learn', ({ table, adjustedRand: expected }) => {
  expect(adjustedRand(table)).toBeCloseTo(expected, 9);
});

test('two partitions of nothing have no agreement, and ten million things are counted exactly', () => {
  expect(adjustedRand([])).toBeUndefined();
  expect(adjustedRand([[0, 0]])).toBeUndefined();
  expect(
    adjustedRand([
      [5_000_000, 0],
      [0, 5_000_000],
    ]),
  ).toBe(1);
});

test.each(reference.pairs)("SciPy's rank correlation of $xs.length pairs", ({ xs, ys, spearman: expected }) => {
  expect(spearman(xs, ys)).toBeCloseTo(expected, 12);
});

test('ties share the mean of their ranks; a constant has no order', () => {
  expect(ranks([3, 1, 3, 2])).toEqual([3.5, 1, 3.5, 2]);
  expect(spearman([1, 1, 1], [1, 2, 3])).toBeUndefined();
  expect(spearman([1], [2])).toBeUndefined();
  expect(spearman([1, Number.NaN], [1, 2])).toBeUndefined();
});

test.each(reference.samples)("SciPy's D of two samples", ({ one, other, ks }) => {
  expect(kolmogorovSmirnov(Float64Array.from(one), Float64Array.from(other))).toBeCloseTo(ks, 12);
});

test('the D of a sample with itself is 0, of samples apart 1, of nothing none', () => {
  const sample = Float64Array.of(3, 1, 2, 2);
  expect(kolmogorovSmirnov(sample, sample)).toBe(0);
  expect(kolmogorovSmirnov(sample, Float64Array.of(7))).toBe(1);
  expect(kolmogorovSmirnov(sample, new Float64Array(0))).toBeUndefined();
  expect(kolmogorovSmirnov(sample, Float64Array.of(1, Number.NaN))).toBeUndefined();
  expect([...sample]).toEqual([3, 1, 2, 2]);
});

const sum = (worth: readonly (readonly number[])[], columns: readonly (number | undefined)[]) =>
  columns.reduce<number>((total, column, row) => total + (column === undefined ? 0 : (worth[row]?.[column] ?? 0)), 0);

test.each(reference.matchings)("as much as SciPy's assignment", ({ worth, best }) => {
  const matched = bestMatching(worth);
  expect(sum(worth, matched)).toBe(best);
  const columns = matched.filter((column) => column !== undefined);
  expect(new Set(columns).size).toBe(Math.min(worth.length, worth[0]?.length ?? 0));
});

/** Every way to give each row a column of its own, or none. */
function most(worth: readonly (readonly number[])[], row = 0, taken: readonly number[] = []): number {
  if (row === worth.length) return 0;
  const columns = worth[0]?.length ?? 0;
  const mayLeave = worth.length - row > columns - taken.length;
  let best = mayLeave ? most(worth, row + 1, taken) : Number.NEGATIVE_INFINITY;
  for (let column = 0; column < columns; column++) {
    if (taken.includes(column)) continue;
    best = Math.max(best, (worth[row]?.[column] as number) + most(worth, row + 1, [...taken, column]));
  }
  return best;
}

test('no other matching is worth more, whatever the shape, ties and signs', () => {
  const random = randomNumbers(5);
  for (let trial = 0; trial < 300; trial++) {
    const [rows, columns] = [1 + Math.floor(random() * 5), 1 + Math.floor(random() * 5)];
    const range = 1 + Math.floor(random() * 9);
    const worth = Array.from({ length: rows }, () =>
      Array.from({ length: columns }, () => Math.floor(random() * range) - (trial % 3 === 0 ? 4 : 0)),
    );
    expect(sum(worth, bestMatching(worth))).toBe(most(worth));
  }
});

test('nothing to match is no error; what is no table is', () => {
  expect(bestMatching([])).toEqual([]);
  expect(bestMatching([[], []])).toEqual([undefined, undefined]);
  expect(() => bestMatching([[1, 2], [3]])).toThrow(RangeError);
  expect(() => bestMatching([[Number.NaN]])).toThrow(RangeError);
});

test('an empty bin counts as 0.0001, so that the index is finite', () => {
  expect(populationStability([1, 1, 1, 1], [0.4, 0.3, 0.3, 0])).toBeCloseTo(2.044, 4);
  expect(populationStability([100, 300], [100, 300])).toBe(0);
  expect(populationStability([0, 10], [10, 0])).toBeCloseTo(2 * (1 - EMPTY_BIN) * Math.log(1 / EMPTY_BIN), 9);
});

test('a constant does not drift, and neither does what was or is not there', () => {
  expect(populationStability([7], [9])).toBeUndefined();
  expect(populationStability([0, 0], [1, 2])).toBeUndefined();
  expect(populationStability([1, 2], [0, 0])).toBeUndefined();
  expect(() => populationStability([1], [1, 2])).toThrow('1 bins beside 2');
});
