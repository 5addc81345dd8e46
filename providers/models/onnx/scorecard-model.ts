import { castToFloat, model, node, tensor } from './writer.ts';

/**
 * A score that nobody trained: the mean of the percentiles of some figures, each counted so that more is worse. It
 * ranks customers; it is no probability.
 */
export interface Scorecard {
  readonly figures: readonly ScorecardFigure[];
}

export interface ScorecardFigure {
  readonly feature: string;
  /** Whether a high value speaks for leaving. */
  readonly highIsRisky: boolean;
  /** Values that cut the customers into parts of equal size, ascending; the middle one stands for a missing value. */
  readonly cuts: readonly number[];
}

/** What the scorecard says of one row: the plain version of what the file computes. */
export function scorecardRisk({ figures }: Scorecard, row: readonly number[]): number {
  const risks = figures.map(({ cuts, highIsRisky }, index) => {
    const given = row[index] ?? Number.NaN;
    const value = Number.isNaN(given) ? middle(cuts) : given;
    const ranks = cuts.map((cut) => ((value > cut ? 1 : 0) + (value >= cut ? 1 : 0)) / 2);
    const percentile = ranks.reduce((sum, rank) => sum + rank, 0) / cuts.length;
    return highIsRisky ? percentile : 1 - percentile;
  });
  return risks.reduce((sum, risk) => sum + risk, 0) / figures.length;
}

function middle(cuts: readonly number[]): number {
  return cuts[Math.floor(cuts.length / 2)] ?? 0;
}

/** Larger than any figure and small enough that nothing times 0 is not a number. */
const LARGEST = 1e30;

/** The scorecard as the bytes of an ONNX file with one input `[N, figures]` and one output `[N, 1]`. */
export function scorecardOnnx({ figures }: Scorecard): Buffer {
  const width = figures.length;
  const cuts = figures.flatMap((figure) => figure.cuts);
  const owners = figures.flatMap((figure, index) => figure.cuts.map(() => index));
  const select = figures.flatMap((_, index) => owners.map((owner) => (owner === index ? 1 : 0)));
  const weights = figures.flatMap(({ highIsRisky, cuts: own }) =>
    own.map(() => (highIsRisky ? 0.5 : -0.5) / (own.length * width)),
  );
  const start = figures.filter(({ highIsRisky }) => !highIsRisky).length / width;
  return model({
    name: 'scorecard',
    nodes: [
      node('IsNaN', ['features'], ['absent']),
      node('Where', ['absent', 'middles', 'features'], ['known']),
      node('Clip', ['known', 'least', 'most'], ['filled']),
      node('MatMul', ['filled', 'select'], ['picked']),
      node('Greater', ['picked', 'cuts'], ['is_above']),
      node('GreaterOrEqual', ['picked', 'cuts'], ['is_not_below']),
      castToFloat('is_above', 'above'),
      castToFloat('is_not_below', 'not_below'),
      node('Add', ['above', 'not_below'], ['ranks']),
      node('MatMul', ['ranks', 'weights'], ['weighed']),
      node('Add', ['weighed', 'start'], ['sum']),
      node('Clip', ['sum', 'zero', 'one'], ['scores']),
    ],
    initializers: [
      tensor(
        'middles',
        [width],
        figures.map((figure) => middle(figure.cuts)),
      ),
      tensor('least', [], [-LARGEST]),
      tensor('most', [], [LARGEST]),
      tensor('select', [width, cuts.length], select),
      tensor('cuts', [cuts.length], cuts),
      tensor('weights', [cuts.length, 1], weights),
      tensor('start', [1], [start]),
      tensor('zero', [], [0]),
      tensor('one', [], [1]),
    ],
    input: ['N', width],
    output: ['N', 1],
  });
}
