import { expect, test } from '@jest/globals';
import { randomNumbers } from '../../../base/math/random-numbers.ts';
import { MANUAL_SEGMENTS, manualSegments } from './manual.ts';
import { type Quintile, quintiles, RFM_SEGMENTS, rfmSegment, rfmSegments } from './rfm.ts';

const QUINTILES: readonly Quintile[] = [1, 2, 3, 4, 5];

test('each of the 125 combinations is in one segment, every segment has one, and the best is that of 5, 5, 5', () => {
  const segments = QUINTILES.flatMap((r) => QUINTILES.flatMap((f) => QUINTILES.map((m) => rfmSegment(r, f, m))));
  expect(segments).toHaveLength(125);
  expect(new Set(segments)).toEqual(new Set(RFM_SEGMENTS));
  expect(rfmSegment(5, 5, 5)).toBe('Champions');
  expect(rfmSegment(1, 1, 1)).toBe('Lost');
});

test('no segment is worth more for buying more seldom or spending less', () => {
  const best = ['Champions', 'Loyal'];
  for (const r of QUINTILES) {
    for (const [f, m] of [
      [1, 1],
      [1, 2],
    ] as const) {
      expect(best).not.toContain(rfmSegment(r, f, m));
    }
  }
});

test('half the customers bought once: they are all in the same quintile, in whatever order they come', () => {
  const values = Float64Array.from({ length: 100 }, (_, row) => (row < 50 ? 1 : row));
  const expected = quintiles(values);
  expect(new Set(expected.slice(0, 50))).toEqual(new Set([1]));
  expect(expected.slice(50, 60)).toEqual(Array.from({ length: 10 }, () => 3));
  expect(quintiles(values.toReversed())).toEqual(expected.toReversed());
});

test('without ties a fifth is in each', () => {
  const counts = [0, 0, 0, 0, 0];
  for (const quintile of quintiles(Float64Array.from({ length: 1000 }, (_, row) => (row * 37) % 1000))) {
    counts[quintile - 1] = (counts[quintile - 1] as number) + 1;
  }
  expect(counts).toEqual([200, 200, 200, 200, 200]);
});

test('the most recent are the best', () => {
  const labels = rfmSegments(Float64Array.of(1, 2, 3, 4, 500), Float64Array.of(9, 1, 1, 1, 1), new Float64Array(5));
  // Who spends like everybody is in the lowest quintile of spend.
  expect(RFM_SEGMENTS[labels[0] as number]).toBe('Promising');
  expect(RFM_SEGMENTS[labels[4] as number]).toBe('Lost');
});

test('by hand: every customer is in one segment, and none of them is out of reach', () => {
  const random = randomNumbers(3);
  const recency = Float64Array.from({ length: 500 }, () => Math.floor(random() * 120));
  const frequency = Float64Array.from({ length: 500 }, () => Math.floor(random() * 8));
  const labels = manualSegments(recency, frequency);
  expect(new Set(labels)).toEqual(new Set(MANUAL_SEGMENTS.keys()));
  expect(
    MANUAL_SEGMENTS[manualSegments(Float64Array.of(Number.NaN), Float64Array.of(Number.NaN))[0] as number]?.name,
  ).toBe('Others');
});
