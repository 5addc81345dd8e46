export interface ProposedLevels {
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  /** Where they come from, for people. */
  readonly comment: string;
}

const USE_CASE = { critical: 0.8, high: 0.6, medium: 0.4 } as const;
/** Shares of the customers who reach each level, where they are not probabilities of the use case. */
const RISKIEST = { critical: 0.01, high: 0.04, medium: 0.1 } as const;
const LEAST_SHARE = 0.01;
const STEP = 0.001;
const ROUNDING = 1e-5;

/**
 * Thresholds of the risk levels: those of the use case when they mean probabilities and enough customers reach them,
 * else the scores that the riskiest 1, 4 and 10 % of the customers reach.
 * @param scores of the customers who have not left
 */
export function proposeLevels(scores: Float64Array, calibrated: boolean): ProposedLevels {
  const sorted = Float64Array.from(scores).sort();
  const reached = sorted.filter((score) => score >= USE_CASE.medium).length;
  if (calibrated && reached >= LEAST_SHARE * sorted.length && reached > 0) {
    return { ...USE_CASE, comment: 'Probabilities of leaving.' };
  }
  const at = (share: number) => {
    const score = sorted[Math.max(0, Math.ceil((1 - share) * sorted.length) - 1)] ?? 0;
    // A little lower: the file computes with fewer digits.
    return Math.floor((score - ROUNDING) / STEP) * STEP;
  };
  // Scores may be all the same; thresholds have to fall.
  const medium = clamp(at(RISKIEST.medium), 0, 1 - 2 * STEP);
  const high = clamp(at(RISKIEST.high), medium + STEP, 1 - STEP);
  const critical = clamp(at(RISKIEST.critical), high + STEP, 1);
  const why = calibrated
    ? `only ${reached} of ${sorted.length} customers have a risk of ${USE_CASE.medium} or more`
    : 'the scores are no probabilities';
  const levels = { critical: rounded(critical), high: rounded(high), medium: rounded(medium) };
  const share = (level: number) =>
    `${((100 * sorted.filter((one) => one >= level).length) / Math.max(1, sorted.length)).toFixed(1)} %`;
  const shares = `${share(levels.critical)}, ${share(levels.high)} and ${share(levels.medium)}`;
  return {
    ...levels,
    comment: `Meant are the riskiest 1 %, 4 % and 10 % of the customers, since ${why}; ${shares} reach them.`,
  };
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
const rounded = (value: number) => Number(value.toFixed(3));
