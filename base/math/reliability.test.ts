import { expect, test } from '@jest/globals';
import { randomNumbers } from './random-numbers.ts';
import { reliability, wilson } from './reliability.ts';

/** Each figure by its definition, one row or one bin at a time. */
function slowly(probabilities: readonly number[], labels: readonly number[], bins: number) {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = probabilities.map((probability, row) => ({ probability, label: labels[row] as number }));
  const grouped = Array.from({ length: bins }, (_, bin) =>
    rows.filter(({ probability: p }) => p >= bin / bins && (p < (bin + 1) / bins || (bin === bins - 1 && p === 1))),
  );
  return {
    brier: mean(rows.map(({ probability, label }) => (probability - label) ** 2)),
    logLoss: mean(rows.map(({ probability, label }) => -Math.log(label === 1 ? probability : 1 - probability))),
    calibrationError: grouped
      .filter((group) => group.length > 0)
      .map((group) => {
        const gap = mean(group.map(({ probability }) => probability)) - mean(group.map(({ label }) => label));
        return (group.length / rows.length) * Math.abs(gap);
      })
      .reduce((sum, gap) => sum + gap, 0),
    counts: grouped.map((group) => group.length),
  };
}

test('agrees with the definitions, row by row', () => {
  const random = randomNumbers(11);
  for (let trial = 0; trial < 100; trial++) {
    const rows = 1 + Math.floor(random() * 300);
    const bins = 1 + Math.floor(random() * 16);
    const probabilities = Array.from({ length: rows }, () => 0.001 + 0.998 * random());
    const labels = probabilities.map((probability) => (random() < probability ** 2 ? 1 : 0));
    const slow = slowly(probabilities, labels, bins);
    const fast = reliability(Float64Array.from(probabilities), Uint8Array.from(labels), bins);
    expect(fast.brier).toBeCloseTo(slow.brier, 12);
    expect(fast.logLoss).toBeCloseTo(slow.logLoss, 12);
    expect(fast.calibrationError).toBeCloseTo(slow.calibrationError, 12);
    expect(fast.bins.map(({ rows: inBin }) => inBin)).toEqual(slow.counts);
  }
});

test('0 and 1 are in the first and the last bin, and a certain error costs much, but not everything', () => {
  const { bins, logLoss, brier } = reliability(Float64Array.of(0, 1, 1), Uint8Array.of(0, 1, 0));
  expect(bins.map(({ rows }) => rows)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
  expect(brier).toBeCloseTo(1 / 3, 12);
  expect(logLoss).toBeCloseTo(-Math.log(1e-15) / 3, 6);
});

test('a sure and right prediction has no error', () => {
  const { brier, calibrationError, logLoss } = reliability(Float64Array.of(0, 1), Uint8Array.of(0, 1));
  expect([brier, calibrationError, Math.abs(logLoss)]).toEqual([0, 0, 0]);
});

test.each([
  // Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3.
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('the interval of %d in %d is %d to %d', (positives, rows, low, high) => {
  const [from, to] = wilson(positives, rows);
  expect([Number(from.toFixed(4)), Number(to.toFixed(4))]).toEqual([low, high]);
});

test('nothing known is anything from 0 to 1', () => {
  expect(wilson(0, 0)).toEqual([0, 1]);
});
