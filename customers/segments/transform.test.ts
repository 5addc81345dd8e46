import { expect, test } from '@jest/globals';
import { randomNumbers } from '../../base/math/random-numbers.ts';
import { applyTransform, type FeatureTransform, fitTransform, rawValue } from './transform.ts';

const random = randomNumbers(4);
const DAYS = Float64Array.from({ length: 1000 }, (_, row) => (row < 990 ? Math.floor(random() * 100) : 5000 + row));

const apply = (transform: FeatureTransform | undefined, values: Float64Array) => {
  const into = new Float32Array(values.length);
  if (transform === undefined) throw new Error('there is a transform');
  applyTransform(transform, values, into);
  return into;
};
const average = (values: Iterable<number>) =>
  [...values].reduce((sum, value, _, { length }) => sum + value / length, 0);

test('what was fitted on has mean 0 and deviation 1, and the farthest out count as the 99th percentile', () => {
  const transform = fitTransform('recency_days', DAYS);
  const z = apply(transform, DAYS);
  expect(average(z)).toBeCloseTo(0, 6);
  expect(average(z.map((value) => value ** 2))).toBeCloseTo(1, 6);
  // NumPy: numpy.quantile(DAYS, 0.99), which lies between the 990th and the 991st of 1,000.
  const sorted = [...DAYS].sort((a, b) => a - b);
  expect(transform?.cap).toBeCloseTo(
    (sorted[989] as number) + 0.01 * ((sorted[990] as number) - (sorted[989] as number)),
    9,
  );
  expect(new Set(z.slice(990)).size).toBe(1);
});

test('spend alone goes in by its logarithm, and comes back', () => {
  const spend = Float64Array.of(0, 10, 100, 1000, -1e-9);
  const transform = fitTransform('spend_90d', spend);
  expect(transform).toMatchObject({ logarithm: true });
  const z = apply(transform, spend);
  expect(z[4]).toBe(z[0]);
  expect(rawValue(transform as FeatureTransform, z[1] as number)).toBeCloseTo(10, 4);
  expect(fitTransform('recency_days', spend)).toMatchObject({ logarithm: false });
});

test('who never came counts as longest ago, and who has no refund rate as an average customer', () => {
  const values = Float64Array.of(1, 2, 3, Number.NaN);
  const days = fitTransform('last_login_days', values);
  expect(apply(days, values)[3]).toBe(Math.fround(((days?.cap ?? 0) - (days?.mean ?? 0)) / (days?.scale ?? 1)));
  expect(apply(fitTransform('refund_rate', values), values)[3]).toBeCloseTo(0, 6);
});

test.each([
  ['the same for everybody', Float64Array.of(3, 3, 3)],
  ['the same but for rounding', Float64Array.of(0.3, 0.1 + 0.2, 0.3)],
  ['missing for everybody', Float64Array.of(Number.NaN, Number.NaN)],
  ['of nobody', new Float64Array(0)],
])('a feature that is %s tells nobody apart', (_, values) => {
  expect(fitTransform('tenure_days', values)).toBeUndefined();
});

test('an infinite value is refused', () => {
  expect(() => fitTransform('tenure_days', Float64Array.of(1, Number.POSITIVE_INFINITY))).toThrow(
    'a value of tenure_days is infinite',
  );
});
