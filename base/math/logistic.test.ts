import { expect, test } from '@jest/globals';
import { fitLogistic, sigmoid, solvePositive } from './logistic.ts';
import { randomNumbers } from './random-numbers.ts';

function example(seed: number, rows: number, weights: readonly number[], intercept: number) {
  const random = randomNumbers(seed);
  const columns = weights.map(() => Float64Array.from({ length: rows }, () => random() * 4 - 2));
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    const odds = weights.reduce((sum, weight, index) => sum + weight * columns[index]![row]!, intercept);
    return random() < sigmoid(odds) ? 1 : 0;
  });
  return { columns, labels };
}

/** Gradient descent with small steps, until nothing moves: slow, and with nothing in common but the loss. */
function slowly(columns: readonly Float64Array[], labels: Uint8Array, penalty: number): number[] {
  let coefficients = [0, ...columns.map(() => 0)];
  for (let step = 0; step < 20_000; step++) {
    const gradient = coefficients.map((value, index) => (index === 0 ? 0 : penalty * value));
    labels.forEach((label, row) => {
      const values = [1, ...columns.map((column) => column[row]!)];
      const odds = values.reduce((sum, value, index) => sum + value * coefficients[index]!, 0);
      values.forEach((value, index) => (gradient[index]! += (sigmoid(odds) - label) * value));
    });
    coefficients = coefficients.map((value, index) => value - (gradient[index]! / labels.length) * 0.5);
  }
  return coefficients;
}

test('agrees with plain gradient descent', () => {
  const { columns, labels } = example(3, 60, [1.5, -0.7, 0], -0.4);
  const fit = fitLogistic(columns, labels, 2);
  const slow = slowly(columns, labels, 2);
  expect(fit.converged).toBe(true);
  expect(fit.intercept).toBeCloseTo(slow[0]!, 6);
  fit.weights.forEach((weight, index) => expect(weight).toBeCloseTo(slow[index + 1]!, 6));
});

test('finds the weights that made the labels', () => {
  const { columns, labels } = example(5, 20_000, [1, -2, 0.5], -1);
  const { intercept, weights } = fitLogistic(columns, labels, 1);
  expect(Math.abs(intercept + 1)).toBeLessThan(0.1);
  [1, -2, 0.5].forEach((weight, index) => expect(Math.abs(weights[index]! - weight)).toBeLessThan(0.1));
});

test('the mean prediction is the base rate', () => {
  const { columns, labels } = example(9, 500, [0.8, 0.3], 1);
  const { intercept, weights } = fitLogistic(columns, labels, 5);
  const predicted = Array.from(labels, (_, row) =>
    sigmoid(columns.reduce((sum, column, index) => sum + column[row]! * weights[index]!, intercept)),
  );
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  expect(sum(predicted)).toBeCloseTo(sum(labels), 6);
});

test('a column that decides everything, twice the same column, and a constant one stay finite', () => {
  const labels = Uint8Array.from({ length: 40 }, (_, row) => row % 2);
  const decisive = Float64Array.from(labels, (label) => label * 2 - 1);
  const { weights, intercept, converged } = fitLogistic([decisive, decisive, new Float64Array(40)], labels, 1);
  expect(converged).toBe(true);
  expect([...weights, intercept].every(Number.isFinite)).toBe(true);
  expect(weights[0]).toBeCloseTo(weights[1]!, 9);
  expect(weights[2]).toBe(0);
});

test('without columns it predicts the base rate', () => {
  const { intercept } = fitLogistic([], Uint8Array.of(1, 0, 0, 0), 1);
  expect(sigmoid(intercept)).toBeCloseTo(0.25, 9);
});

test('solves a system whose answer is known', () => {
  const solution = solvePositive(Float64Array.of(4, 2, 2, 3), Float64Array.of(10, 9), 2);
  expect([...solution].map((value) => Number(value.toFixed(9)))).toEqual([1.5, 2]);
});
