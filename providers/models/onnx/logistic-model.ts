import { sigmoid } from '../../../base/math/logistic.ts';
import { castToFloat, model, node, tensor } from './writer.ts';

/**
 * A logistic regression as a file: every feature is standardised and kept within `limit` standard deviations, a
 * missing one counts as the mean and has a weight of its own, and hinges bend the line of a feature at its knots.
 */
export interface LogisticModel {
  readonly features: readonly string[];
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly limit: number;
  readonly weights: readonly number[];
  readonly missingWeights: readonly number[];
  readonly hinges: readonly Hinge[];
  readonly intercept: number;
}

/** What is added to the log-odds for each standard deviation of a feature above a knot. */
export interface Hinge {
  /** Place of the feature. */
  readonly feature: number;
  /** In standard deviations from the mean. */
  readonly knot: number;
  readonly weight: number;
}

/** What the model says of one row: the plain version of what the file computes. */
export function predict(logistic: LogisticModel, row: readonly number[]): number {
  const { means, scales, limit, weights, missingWeights, hinges, intercept } = logistic;
  let odds = intercept;
  const standard = row.map((value, index) => {
    if (Number.isNaN(value)) {
      odds += missingWeights[index] ?? 0;
      return 0;
    }
    return Math.min(limit, Math.max(-limit, (value - (means[index] ?? 0)) / (scales[index] ?? 1)));
  });
  for (const [index, value] of standard.entries()) odds += value * (weights[index] ?? 0);
  for (const { feature, knot, weight } of hinges) odds += weight * Math.max(0, (standard[feature] ?? 0) - knot);
  return sigmoid(odds);
}

/** The model as the bytes of an ONNX file with one input `[N, features]` and one output `[N, 1]`. */
export function logisticOnnx(logistic: LogisticModel): Buffer {
  const { features, means, scales, limit, weights, missingWeights, hinges, intercept } = logistic;
  const width = features.length;
  const select = Array.from({ length: width * hinges.length }, () => 0);
  for (const [index, { feature }] of hinges.entries()) select[feature * hinges.length + index] = 1;
  const bent =
    hinges.length === 0
      ? { nodes: [], initializers: [], terms: [] }
      : {
          nodes: [
            node('MatMul', ['standard', 'select'], ['picked']),
            node('Sub', ['picked', 'knots'], ['beyond']),
            node('Relu', ['beyond'], ['bent']),
            node('MatMul', ['bent', 'bends'], ['curved']),
          ],
          initializers: [
            tensor('select', [width, hinges.length], select),
            tensor(
              'knots',
              [hinges.length],
              hinges.map(({ knot }) => knot),
            ),
            tensor(
              'bends',
              [hinges.length, 1],
              hinges.map(({ weight }) => weight),
            ),
          ],
          terms: ['curved'],
        };
  return model({
    name: 'logistic-regression',
    nodes: [
      node('IsNaN', ['features'], ['absent']),
      node('Where', ['absent', 'means', 'features'], ['filled']),
      node('Sub', ['filled', 'means'], ['centred']),
      node('Div', ['centred', 'scales'], ['scaled']),
      node('Clip', ['scaled', 'least', 'most'], ['standard']),
      node('MatMul', ['standard', 'weights'], ['straight']),
      castToFloat('absent', 'missing'),
      node('MatMul', ['missing', 'missing_weights'], ['missed']),
      ...bent.nodes,
      node('Sum', ['straight', 'missed', 'intercept', ...bent.terms], ['odds']),
      node('Sigmoid', ['odds'], ['scores']),
    ],
    initializers: [
      tensor('means', [width], means),
      tensor('scales', [width], scales),
      tensor('least', [], [-limit]),
      tensor('most', [], [limit]),
      tensor('weights', [width, 1], weights),
      tensor('missing_weights', [width, 1], missingWeights),
      tensor('intercept', [1], [intercept]),
      ...bent.initializers,
    ],
    input: ['N', width],
    output: ['N', 1],
  });
}
