import { setImmediate } from 'node:timers/promises';
import { inKeyOrder } from './key-order.ts';
import type { Keys } from './keyed-random.ts';
import { checkValues, fitKMeans, type KMeansOptions } from './kmeans.ts';
import { clusterSizes, type Labels, type Points } from './points.ts';
import { TooFewDistinct } from './seeding.ts';
import type { Space } from './space.ts';
import type { Team } from './team.ts';

/** Added to every variance, as scikit-learn's reg_covar: a component of points in one place keeps a width. */
export const VARIANCE_FLOOR = 1e-6;

/** Less weight than this, in points, is none: it is what rounding leaves, 10 times 2^-52 as in scikit-learn. */
const LEAST_WEIGHT = 10 * 2 ** -52;

/** Points between two looks at the signal. */
const POINTS_AT_A_TIME = 65_536;

/** Normal distributions with diagonal covariances, mixed. */
export interface Mixture {
  readonly components: number;
  readonly dimensions: number;
  /** Share of each component, 1 together; 0 for one that has lost its points. */
  readonly weights: Float64Array;
  /** One component after the other. */
  readonly means: Float64Array;
  /** One component after the other, `VARIANCE_FLOOR` included. */
  readonly variances: Float64Array;
}

/** When expectation maximization ends. */
export interface MixtureLimits {
  readonly mostIterations: number;
  /** Ends where the mean log-likelihood of a point changes by less, in nats. */
  readonly tolerance: number;
  readonly signal?: AbortSignal | undefined;
}

export interface MixtureOptions extends MixtureLimits {
  readonly components: number;
  /** How k-means begins, from whose clusters the mixture does. */
  readonly start: Pick<KMeansOptions, 'seed' | 'restarts' | 'mostIterations' | 'tolerance'>;
}

export interface MixtureFit extends Mixture {
  /** Points that are most probably of each component. */
  readonly sizes: readonly number[];
  /** Mean over the points of the logarithm of their density, in nats. */
  readonly logLikelihood: number;
  /** Bayesian information criterion (Schwarz 1978): the lower, the better. */
  readonly bic: number;
  readonly iterations: number;
  /** Whether it ended before the most iterations. */
  readonly converged: boolean;
}

/**
 * A Gaussian mixture with diagonal covariances by expectation maximization (Dempster, Laird and Rubin 1977), from the clusters
 * of k-means, in double precision and in the order of the keys: the same for any order of the points and any number of threads.
 * The labels of the space are the most probable components, the lower of equals.
 * @param keys of the points, by row
 * @throws TooFewDistinct; RangeError for values that are not finite or too large
 */
export async function fitMixture(space: Space, keys: Keys, team: Team, options: MixtureOptions): Promise<MixtureFit> {
  const { components, start, signal } = options;
  const { values } = await fitKMeans(space, keys, team, { ...start, clusters: components, signal });
  const inOrder = ordered(space, keys);
  const means = Float64Array.from(values);
  // Weights and variances come with the first maximization.
  const centres: Mixture = {
    components,
    dimensions: space.columns.length,
    weights: new Float64Array(components),
    means,
    variances: new Float64Array(means.length).fill(1),
  };
  const ofClusters: Weighing = (place, _, shares) => {
    shares.fill(0)[space.labels[inOrder.rows[place] as number] as number] = 1;
    return 0;
  };
  const first = maximized(centres, await momentsOf(inOrder.values, centres, ofClusters, signal));
  return maximizeExpectation(space, inOrder, first, options);
}

/**
 * A mixture from a given one.
 * @throws TooFewDistinct where there are fewer points than components; RangeError as `fitMixture`
 */
export async function fitMixtureFrom(
  space: Space,
  keys: Keys,
  start: Mixture,
  limits: MixtureLimits,
): Promise<MixtureFit> {
  checkValues(space);
  if (space.rows < start.components) throw new TooFewDistinct(space.rows, start.components);
  return maximizeExpectation(space, ordered(space, keys), start, limits);
}

async function maximizeExpectation(
  space: Space,
  inOrder: Ordered,
  start: Mixture,
  { mostIterations, tolerance, signal }: MixtureLimits,
): Promise<MixtureFit> {
  const { rows } = space;
  let mixture = start;
  let before = Number.NEGATIVE_INFINITY;
  let converged = false;
  let iterations = 0;
  while (!converged && iterations < mostIterations) {
    iterations++;
    const moments = await momentsOf(inOrder.values, mixture, weighingOf(mixture), signal);
    mixture = maximized(mixture, moments);
    const logLikelihood = moments.logDensity / rows;
    converged = Math.abs(logLikelihood - before) < tolerance;
    before = logLikelihood;
  }
  const { labels, logDensities } = softAssignments(space, mixture);
  space.labels.set(labels);
  const logDensity = inOrder.rows.reduce((sum, row) => sum + (logDensities[row] as number), 0);
  const counted = clusterSizes(labels);
  return {
    ...mixture,
    sizes: Array.from(mixture.weights, (_, component) => counted[component] ?? 0),
    logLikelihood: logDensity / rows,
    bic: parametersOf(mixture) * Math.log(rows) - 2 * logDensity,
    iterations,
    converged,
  };
}

/** How probable it is that each point is of each component. */
export interface SoftAssignments {
  /** Probabilities (responsibilities), those of one point after those of the other. */
  readonly probabilities: Float64Array;
  /** The most probable component, the lower of equals. */
  readonly labels: Labels;
  /** Logarithm of the density of the mixture at each point, in nats. */
  readonly logDensities: Float64Array;
}

/**
 * Each point for itself: any part of the points gives the same.
 * @throws RangeError for values that are not finite or too large
 */
export function softAssignments(points: Points, mixture: Mixture): SoftAssignments {
  checkValues(points);
  const { rows, columns } = points;
  const { components } = mixture;
  const weigh = weighingOf(mixture);
  const probabilities = new Float64Array(rows * components);
  const labels = new Uint8Array(rows);
  const logDensities = new Float64Array(rows);
  const point = new Float32Array(columns.length);
  for (let row = 0; row < rows; row++) {
    for (let dimension = 0; dimension < columns.length; dimension++) {
      point[dimension] = (columns[dimension] as Float32Array)[row] as number;
    }
    const shares = probabilities.subarray(row * components, (row + 1) * components);
    logDensities[row] = weigh(0, point, shares);
    labels[row] = mostProbable(shares);
  }
  return { probabilities, labels, logDensities };
}

function mostProbable(shares: Float64Array): number {
  let most = 0;
  for (let component = 1; component < shares.length; component++) {
    if ((shares[component] as number) > (shares[most] as number)) most = component;
  }
  return most;
}

/** Free numbers: shares but the last, means, variances. */
function parametersOf({ components, dimensions }: Mixture): number {
  return components - 1 + 2 * components * dimensions;
}

/** Writes the share of each component in the point at a place of `values`; returns the logarithm of its density. */
type Weighing = (place: number, values: Float32Array, shares: Float64Array) => number;

/** Expectation: shares by Bayes' rule, through the logarithm of a sum of exponentials, whose greatest is 1. */
function weighingOf({ components, dimensions, weights, means, variances }: Mixture): Weighing {
  const precisions = variances.map((variance) => 1 / variance);
  const heights = weights.map((weight, component) => {
    const ofComponent = variances.subarray(component * dimensions, (component + 1) * dimensions);
    return Math.log(weight) - ofComponent.reduce((sum, variance) => sum + Math.log(2 * Math.PI * variance), 0) / 2;
  });
  return (place, values, shares) => {
    let greatest = Number.NEGATIVE_INFINITY;
    for (let component = 0, at = 0; component < components; component++) {
      let squares = 0;
      for (let dimension = 0; dimension < dimensions; dimension++, at++) {
        const difference = (values[place * dimensions + dimension] as number) - (means[at] as number);
        squares += difference * difference * (precisions[at] as number);
      }
      const logDensity = (heights[component] as number) - squares / 2;
      shares[component] = logDensity;
      if (logDensity > greatest) greatest = logDensity;
    }
    let sum = 0;
    for (let component = 0; component < components; component++) {
      const share = Math.exp((shares[component] as number) - greatest);
      shares[component] = share;
      sum += share;
    }
    for (let component = 0; component < components; component++)
      shares[component] = (shares[component] as number) / sum;
    return greatest + Math.log(sum);
  };
}

/** Sums over all points. */
interface Moments {
  /** Of the shares of each component. */
  readonly weights: Float64Array;
  /** Of share × distance to the mean, by component and dimension; of its square. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly logDensity: number;
}

/** Around the means that there are, so that variances are no small difference of great numbers. */
async function momentsOf(
  values: Float32Array,
  { components, dimensions, means }: Mixture,
  weigh: Weighing,
  signal: AbortSignal | undefined,
): Promise<Moments> {
  const weights = new Float64Array(components);
  const first = new Float64Array(means.length);
  const second = new Float64Array(means.length);
  const shares = new Float64Array(components);
  const points = values.length / dimensions;
  let logDensity = 0;
  for (let from = 0; from < points; from += POINTS_AT_A_TIME) {
    await setImmediate();
    signal?.throwIfAborted();
    for (let place = from; place < Math.min(points, from + POINTS_AT_A_TIME); place++) {
      logDensity += weigh(place, values, shares);
      for (let component = 0; component < components; component++) {
        const share = shares[component] as number;
        if (share === 0) continue;
        weights[component] = (weights[component] as number) + share;
        for (let dimension = 0; dimension < dimensions; dimension++) {
          const at = component * dimensions + dimension;
          const difference = (values[place * dimensions + dimension] as number) - (means[at] as number);
          first[at] = (first[at] as number) + share * difference;
          second[at] = (second[at] as number) + share * difference * difference;
        }
      }
    }
  }
  return { weights, first, second, logDensity };
}

/** Maximization. A component without points stays as it was, with no share: it never has points again. */
function maximized(before: Mixture, { weights, first, second }: Moments): Mixture {
  const { components, dimensions } = before;
  const kept = weights.map((weight) => (weight < LEAST_WEIGHT ? 0 : weight));
  const total = kept.reduce((sum, weight) => sum + weight, 0);
  const means = before.means.slice();
  const variances = before.variances.slice();
  for (const at of means.keys()) {
    const weight = kept[Math.floor(at / dimensions)] as number;
    if (weight === 0) continue;
    const shift = (first[at] as number) / weight;
    means[at] = (before.means[at] as number) + shift;
    variances[at] = Math.max(0, (second[at] as number) / weight - shift * shift) + VARIANCE_FLOOR;
  }
  return { components, dimensions, weights: kept.map((weight) => weight / total), means, variances };
}

/** Points one after the other, in the order of their keys. */
interface Ordered {
  readonly rows: Uint32Array;
  readonly values: Float32Array;
}

function ordered({ columns }: Points, keys: Keys): Ordered {
  const rows = inKeyOrder(keys);
  const values = new Float32Array(rows.length * columns.length);
  for (const [dimension, column] of columns.entries()) {
    for (let place = 0; place < rows.length; place++) {
      values[place * columns.length + dimension] = column[rows[place] as number] as number;
    }
  }
  return { rows, values };
}
