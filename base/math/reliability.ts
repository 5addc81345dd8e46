/** How far predicted probabilities are from what happened. */
export interface Reliability {
  readonly rows: number;
  /** Share of positives. */
  readonly baseRate: number;
  /** Mean squared difference of probability and outcome (Brier 1950); 0 is perfect, always saying p gives p(1 − p). */
  readonly brier: number;
  /** Mean negative log-likelihood, in nats; probabilities are kept 1e-15 away from 0 and 1. */
  readonly logLoss: number;
  /** Expected calibration error: mean distance of score and outcome over the bins, weighted by their rows. */
  readonly calibrationError: number;
  /** Bins of equal width over 0 to 1, lowest first, empty ones included. */
  readonly bins: readonly ReliabilityBin[];
}

/** The rows whose probability is in [from, to); the last bin includes 1. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly positives: number;
  /** Mean probability; NaN when the bin is empty. */
  readonly predicted: number;
  /** Share of positives; NaN when the bin is empty. */
  readonly observed: number;
  /** 95 % interval of that share (Wilson 1927); 0 to 1 when the bin is empty. */
  readonly low: number;
  readonly high: number;
}

const CLOSEST_TO_CERTAIN = 1e-15;

/**
 * Compares probabilities with outcomes.
 * @param probabilities from 0 to 1
 * @param labels 1 for positive, 0 for negative, one per probability
 */
export function reliability(probabilities: Float64Array, labels: Uint8Array, bins = 10): Reliability {
  const rows = probabilities.length;
  if (rows !== labels.length) throw new RangeError(`reliability: ${rows} scores, but ${labels.length} labels`);
  const counts = new Float64Array(bins);
  const positives = new Float64Array(bins);
  const sums = new Float64Array(bins);
  let squares = 0;
  let logs = 0;
  for (let row = 0; row < rows; row++) {
    const probability = probabilities[row] as number;
    const label = labels[row] === 0 ? 0 : 1;
    const bin = Math.min(bins - 1, Math.floor(probability * bins));
    counts[bin] = (counts[bin] as number) + 1;
    positives[bin] = (positives[bin] as number) + label;
    sums[bin] = (sums[bin] as number) + probability;
    squares += (probability - label) ** 2;
    logs -= Math.log(Math.max(CLOSEST_TO_CERTAIN, label === 1 ? probability : 1 - probability));
  }
  const all = Array.from({ length: bins }, (_, bin) =>
    toBin(bin, bins, counts[bin] as number, positives[bin] as number, sums[bin] as number),
  );
  const distance = all.reduce((sum, { rows: inBin, predicted, observed }) => {
    return inBin === 0 ? sum : sum + inBin * Math.abs(predicted - observed);
  }, 0);
  return {
    rows,
    baseRate: positives.reduce((sum, count) => sum + count, 0) / rows,
    brier: squares / rows,
    logLoss: logs / rows,
    calibrationError: distance / rows,
    bins: all,
  };
}

function toBin(bin: number, bins: number, rows: number, positives: number, sum: number): ReliabilityBin {
  const [low, high] = wilson(positives, rows);
  const bounds = { from: bin / bins, to: (bin + 1) / bins };
  return { ...bounds, rows, positives, predicted: sum / rows, observed: positives / rows, low, high };
}

/** 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/** 95 % interval of a proportion (Wilson 1927), which stays inside 0 to 1 for few rows, too. */
export function wilson(positives: number, rows: number): readonly [low: number, high: number] {
  if (rows === 0) return [0, 1];
  const share = positives / rows;
  const middle = share + Z ** 2 / (2 * rows);
  const half = Z * Math.sqrt((share * (1 - share)) / rows + Z ** 2 / (4 * rows ** 2));
  const scale = 1 + Z ** 2 / rows;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}
