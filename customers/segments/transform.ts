import { featureOf } from './features.ts';

/** Values above this quantile count as it: a few customers of another kind would have a segment to themselves. */
const CAP_QUANTILE = 0.99;

/**
 * How a feature goes into clustering: z = (min(f(value), cap) − mean) ÷ scale, where f is log1p for a logarithm and the value
 * itself otherwise. Fitted once, on the customers that the model is fitted on, and stored with the model.
 */
export interface FeatureTransform {
  readonly feature: string;
  readonly logarithm: boolean;
  /** 99th percentile of f. */
  readonly cap: number;
  /** Mean of f, capped. */
  readonly mean: number;
  /** Standard deviation of f, capped; never 0. */
  readonly scale: number;
  /** What f counts as where the value is missing. */
  readonly missing: number;
}

/**
 * Fits the transform of a feature.
 * @param values in raw units, in an order that is always the same; NaN where missing
 * @returns undefined for a feature that is the same for everybody, or missing for everybody: it tells nobody apart
 * @throws RangeError for a value that is infinite
 */
export function fitTransform(feature: string, values: Float64Array): FeatureTransform | undefined {
  const { logarithm = false, missing: meaning } = featureOf(feature);
  const known = values.filter((value) => !Number.isNaN(value));
  if (known.some((value) => !Number.isFinite(value))) throw new RangeError(`a value of ${feature} is infinite`);
  if (known.length === 0) return undefined;
  const scaled = known.map((value) => ofUnit(value, logarithm));
  const cap = quantile(Float64Array.from(scaled).sort(), CAP_QUANTILE);
  const missing = meaning === 'never' ? cap : mean(scaled.map((value) => Math.min(value, cap)));
  const all = values.map((value) => (Number.isNaN(value) ? missing : Math.min(ofUnit(value, logarithm), cap)));
  const centre = mean(all);
  const scale = Math.sqrt(mean(all.map((value) => (value - centre) ** 2)));
  // Differences that are rounding only are none.
  if (scale <= 1e-12 * Math.max(1, Math.abs(centre))) return undefined;
  return { feature, logarithm, cap, mean: centre, scale, missing };
}

/** Writes the transformed values into a column of the points; `into` has as many rows as `values`. */
export function applyTransform(
  { logarithm, cap, mean, scale, missing }: FeatureTransform,
  values: Float64Array,
  into: Float32Array,
): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    const scaled = Number.isNaN(value) ? missing : ofUnit(value, logarithm);
    into[row] = (Math.min(scaled, cap) - mean) / scale;
  }
}

/** The value that a transformed one stands for, in raw units: what a centre is to a person. */
export function rawValue({ logarithm, mean, scale }: FeatureTransform, transformed: number): number {
  const scaled = transformed * scale + mean;
  return logarithm ? Math.expm1(scaled) : scaled;
}

/** Nobody spends less than nothing: what is below 0 by rounding counts as 0. */
const ofUnit = (value: number, logarithm: boolean): number => (logarithm ? Math.log1p(Math.max(value, 0)) : value);

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Between the two values around it, in proportion (type 7 of Hyndman and Fan 1996); of an ascending list. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] as number;
  const high = sorted[Math.ceil(place)] as number;
  return low + (high - low) * (place - Math.floor(place));
}
