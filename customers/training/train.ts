import { auc } from '../../base/math/auc.ts';
import { fitLogistic } from '../../base/math/logistic.ts';
import type { RandomNumbers } from '../../base/math/random-numbers.ts';
import { type Reliability, reliability } from '../../base/math/reliability.ts';
import { type Hinge, type LogisticModel, predict } from '../../providers/models/onnx/logistic-model.ts';
import { strength } from './leaks.ts';
import type { NumberColumns } from './training-rows.ts';

/** A trained model and how good it is on rows that it has not seen. */
export interface Trained {
  readonly model: LogisticModel;
  readonly trainingRows: number;
  readonly holdoutRows: number;
  readonly auc: number;
  readonly reliability: Reliability;
  /** Whether its outputs may be called probabilities. */
  readonly calibrated: boolean;
}

const HOLDOUT_SHARE = 0.2;
const MOST_FEATURES = 60;
/** Features whose line may bend: those that tell most by themselves. */
const BENT_FEATURES = 15;
const BENDS = [0.25, 0.5, 0.75];
/** Fewer different values need no bends. */
const LEAST_VALUES = 4;
const LIMIT = 4;
const PENALTY = 1;
const LARGEST_CALIBRATION_ERROR = 0.05;
const LEAST_FOR_CALIBRATION = 30;

/**
 * Trains a logistic regression on four fifths of the rows and measures it on the rest.
 * @param random decides which rows are held out
 */
export function train(data: NumberColumns, labels: Uint8Array, random: RandomNumbers): Trained {
  const held = Array.from(labels, () => random() < HOLDOUT_SHARE);
  const rowsWhere = (isHeld: boolean) => Int32Array.from(held.flatMap((value, row) => (value === isHeld ? [row] : [])));
  const [training, holdout] = [rowsWhere(false), rowsWhere(true)];
  const chosen = strongest(data, labels, training);
  const model = fit(chosen, take(labels, training, Uint8Array), training);
  const scores = Float64Array.from(holdout, (row) =>
    predict(
      model,
      chosen.columns.map((column) => column[row] as number),
    ),
  );
  const outcomes = take(labels, holdout, Uint8Array);
  const measured = reliability(scores, outcomes);
  const left = outcomes.reduce((sum, label) => sum + label, 0);
  return {
    model,
    trainingRows: training.length,
    holdoutRows: holdout.length,
    auc: auc(scores, outcomes),
    reliability: measured,
    calibrated:
      Math.min(left, outcomes.length - left) >= LEAST_FOR_CALIBRATION &&
      measured.calibrationError <= LARGEST_CALIBRATION_ERROR,
  };
}

/** The features that tell most by themselves, the strongest first. */
function strongest({ names, columns, rows }: NumberColumns, labels: Uint8Array, training: Int32Array): NumberColumns {
  const outcomes = take(labels, training, Uint8Array);
  const order = columns
    .map((column, index) => ({ index, strength: strength([take(column, training, Float64Array)], outcomes) }))
    .sort((a, b) => b.strength - a.strength || a.index - b.index)
    .slice(0, MOST_FEATURES)
    .map(({ index }) => index);
  return {
    names: order.map((index) => names[index] as string),
    columns: order.map((index) => columns[index] as Float64Array),
    rows,
  };
}

function fit({ names, columns }: NumberColumns, labels: Uint8Array, training: Int32Array): LogisticModel {
  const prepared = columns.map((column) => standardised(take(column, training, Float64Array)));
  const missing = prepared.flatMap(({ absent, share }, feature) =>
    share > 0.005 && share < 0.995 ? [{ feature, absent }] : [],
  );
  const hinges = prepared
    .slice(0, BENT_FEATURES)
    .flatMap(({ values }, feature) =>
      knotsOf(values).map((knot) => ({ feature, knot, column: values.map((value) => Math.max(0, value - knot)) })),
    );
  const all = [
    ...prepared.map(({ values }) => values),
    ...missing.map(({ absent }) => absent),
    ...hinges.map(({ column }) => column),
  ];
  const { intercept, weights } = fitLogistic(all, labels, PENALTY);
  const missingWeights = names.map(() => 0);
  for (const [index, { feature }] of missing.entries())
    missingWeights[feature] = weights[names.length + index] as number;
  const offset = names.length + missing.length;
  return {
    features: names,
    means: prepared.map(({ mean }) => mean),
    scales: prepared.map(({ scale }) => scale),
    limit: LIMIT,
    weights: Array.from(weights.subarray(0, names.length)),
    missingWeights,
    hinges: hinges.map(
      ({ feature, knot }, index): Hinge => ({ feature, knot, weight: weights[offset + index] as number }),
    ),
    intercept,
  };
}

/** Values in standard deviations from the mean, kept within the limit; the mean where one is missing. */
function standardised(column: Float64Array) {
  const known = column.filter(Number.isFinite);
  const mean = known.length === 0 ? 0 : sum(known) / known.length;
  const variance = known.length === 0 ? 0 : sum(known.map((value) => (value - mean) ** 2)) / known.length;
  const scale = variance > 0 ? Math.sqrt(variance) : 1;
  const absent = column.map((value) => (Number.isNaN(value) ? 1 : 0));
  const values = column.map((value) =>
    Number.isNaN(value) ? 0 : Math.min(LIMIT, Math.max(-LIMIT, (value - mean) / scale)),
  );
  return { mean, scale, values, absent, share: sum(absent) / Math.max(1, column.length) };
}

/** Quantiles at which a line may bend, each once, none at the end of the values. */
function knotsOf(values: Float64Array): number[] {
  const sorted = Float64Array.from(values).sort();
  if (new Set(sorted).size < LEAST_VALUES) return [];
  const [first, last] = [sorted[0] as number, sorted.at(-1) as number];
  const quantiles = BENDS.map((share) => sorted[Math.floor(share * (sorted.length - 1))] as number);
  return [...new Set(quantiles)].filter((knot) => knot > first && knot < last);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function take<Numbers extends Float64Array | Uint8Array>(
  values: Numbers,
  rows: Int32Array,
  type: new (length: number) => Numbers,
): Numbers {
  const taken = new type(rows.length);
  for (let place = 0; place < rows.length; place++) taken[place] = values[rows[place] as number] as number;
  return taken;
}
