import type { Keys } from './keyed-random.ts';
import type { Points } from './points.ts';
import { firstCentres } from './seeding.ts';
import { COST_SCALE, MOST_CLUSTERS, NO_LABEL, type Space, SUM_SCALE, tallyBytes } from './space.ts';
import type { Team } from './team.ts';

export interface KMeansOptions {
  readonly clusters: number;
  /** The same seed gives the same centres, to the bit, for any order of the points and any number of threads. */
  readonly seed: string;
  /** Times that it begins anew; the one of least cost is kept, the earlier of equals. */
  readonly restarts: number;
  readonly mostIterations: number;
  /** Ends where the squared moves of all centres are no more than this share of the mean variance of the dimensions. */
  readonly tolerance: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Centres {
  readonly clusters: number;
  readonly dimensions: number;
  /** One centre after the other. */
  readonly values: Float32Array;
}

export interface KMeansFit extends Centres {
  /** Points of each cluster. */
  readonly sizes: readonly number[];
  /** Sum of the squared distances of all points to their centres (inertia), to 2^-20 a point. */
  readonly cost: number;
  readonly iterations: number;
  /** Whether it ended before the most iterations. */
  readonly converged: boolean;
  /** Which of the restarts it is, from 0. */
  readonly restart: number;
}

/**
 * K-means (Lloyd 1982) with k-means++ and restarts. The labels of the space are those of the nearest of the centres that are
 * returned, in double precision over their float32, the lower of equals.
 * @param keys of the points, by row
 * @throws TooFewDistinct; RangeError for values that are not finite or too large for exact sums
 */
export async function fitKMeans(space: Space, keys: Keys, team: Team, options: KMeansOptions): Promise<KMeansFit> {
  await prepare(space, team);
  const enough = options.tolerance * meanVariance(space);
  let best: KMeansFit | undefined;
  for (let restart = 0; restart < options.restarts; restart++) {
    const first = firstCentres(space, keys, { clusters: options.clusters, seed: options.seed, restart });
    const fit = await lloyd(space, keys, team, first, { ...options, enough, restart });
    if (best === undefined || fit.cost < best.cost) best = fit;
  }
  if (best === undefined) throw new RangeError('k-means needs at least one start');
  if (best.restart !== options.restarts - 1) await assignNearest(space, team, best);
  return best;
}

/** K-means from given centres. */
export async function fitFrom(
  space: Space,
  keys: Keys,
  team: Team,
  centres: Float32Array,
  options: Omit<KMeansOptions, 'restarts' | 'seed'>,
): Promise<KMeansFit> {
  await prepare(space, team);
  const enough = options.tolerance * meanVariance(space);
  return lloyd(space, keys, team, centres, { ...options, enough, restart: 0 });
}

/**
 * Gives every point of the space the label of its nearest centre; resolves to the points of each cluster.
 * @throws RangeError for values that are not finite or too large
 */
export async function assignAll(space: Space, team: Team, centres: Centres): Promise<readonly number[]> {
  await prepare(space, team);
  return assignNearest(space, team, centres);
}

/** What is worked out once of the points, whatever centres they are assigned to. */
async function prepare(space: Space, team: Team): Promise<void> {
  checkValues(space);
  await team.do({ does: 'lengths' });
}

async function assignNearest(space: Space, team: Team, { values, clusters }: Centres): Promise<readonly number[]> {
  forget(space);
  await assign(space, team, values, clusters);
  return tallies(space, clusters).counts;
}

interface LloydOptions extends Pick<KMeansOptions, 'clusters' | 'mostIterations' | 'signal'> {
  /** It ends where the squared moves of all centres are no more than this. */
  readonly enough: number;
  readonly restart: number;
}

async function lloyd(
  space: Space,
  keys: Keys,
  team: Team,
  first: Float32Array,
  { clusters, mostIterations, signal, enough, restart }: LloydOptions,
): Promise<KMeansFit> {
  const dimensions = space.columns.length;
  forget(space);
  let centres = first;
  let converged = false;
  let iterations = 0;
  while (!converged && iterations < mostIterations) {
    signal?.throwIfAborted();
    iterations++;
    const changed = await assign(space, team, centres, clusters);
    const moved = meansOf(space, keys, centres, clusters);
    // The centres of labels that stayed are those that the labels are of.
    converged = changed === 0 || squaredMoves(centres, moved) <= enough;
    centres = moved;
  }
  await assign(space, team, centres, clusters);
  const costs = (await team.do({ does: 'cost' })) as readonly bigint[];
  const cost = Number(costs.reduce((sum, part) => sum + part, 0n)) / COST_SCALE;
  const { counts: sizes } = tallies(space, clusters);
  return { clusters, dimensions, values: centres, sizes, cost, iterations, converged, restart };
}

/** Every label and sum begins anew. */
function forget({ layout, memory }: Space): void {
  new Uint8Array(memory.buffer, layout.labels, layout.padded).fill(NO_LABEL);
  new Uint8Array(memory.buffer, layout.tallies, layout.parts * tallyBytes(layout.dimensions)).fill(0);
}

/** Labels by the nearest centre; resolves to how many changed. */
async function assign(space: Space, team: Team, centres: Float32Array, clusters: number): Promise<number> {
  const { layout, memory, columns } = space;
  if (clusters < 1 || clusters > MOST_CLUSTERS) {
    throw new RangeError(`${clusters} clusters: there are from 1 to ${MOST_CLUSTERS}`);
  }
  const dimensions = columns.length;
  // The kernel takes two at a time. Where the number is odd, the last of the pair is no centre: nothing is nearest to it.
  const paired = clusters + (clusters % 2);
  const shared = new Float32Array(memory.buffer, layout.centres, paired * dimensions);
  shared.set(centres);
  shared.fill(0, clusters * dimensions);
  const halves = new Float32Array(memory.buffer, layout.halves, paired).fill(Number.POSITIVE_INFINITY);
  let farthest = 0;
  for (let cluster = 0; cluster < clusters; cluster++) {
    let squares = 0;
    for (let dimension = 0; dimension < dimensions; dimension++) {
      squares += (centres[cluster * dimensions + dimension] as number) ** 2;
    }
    halves[cluster] = squares / 2;
    farthest = Math.max(farthest, squares);
  }
  // Twice the rounding of d products and sums, and of what is compared with it (Higham 2002, 3.1).
  const rounding = (dimensions + 4) * 2 ** -23;
  const changed = (await team.do({
    does: 'assign',
    clusters,
    perLength: rounding * Math.sqrt(farthest),
    atLeast: (rounding * farthest) / 2,
  })) as readonly number[];
  return changed.reduce((sum, part) => sum + part, 0);
}

interface Tallies {
  /** By cluster and dimension, in 2^-26. */
  readonly sums: readonly bigint[];
  readonly counts: readonly number[];
}

/** Of all parts together. */
function tallies({ layout, memory }: Space, clusters: number): Tallies {
  const { dimensions, parts } = layout;
  const sums = Array.from({ length: clusters * dimensions }, () => 0n);
  const counts = Array.from({ length: clusters }, () => 0);
  for (let part = 0; part < parts; part++) {
    const start = layout.tallies + part * tallyBytes(dimensions);
    const ofPart = new BigInt64Array(memory.buffer, start, tallyBytes(dimensions) / 8);
    for (const place of sums.keys()) sums[place] = (sums[place] as bigint) + (ofPart[place] as bigint);
    const first = MOST_CLUSTERS * dimensions;
    for (const cluster of counts.keys()) {
      counts[cluster] = (counts[cluster] as number) + Number(ofPart[first + cluster]);
    }
  }
  return { sums, counts };
}

/** Means of the points of each cluster. A cluster without any takes the point that is farthest from its own centre. */
function meansOf(space: Space, keys: Keys, centres: Float32Array, clusters: number): Float32Array {
  const dimensions = space.columns.length;
  const { sums, counts } = tallies(space, clusters);
  const means = Float32Array.from(centres, (_, place) => {
    const count = counts[Math.floor(place / dimensions)] as number;
    return count === 0 ? 0 : Number(sums[place]) / count / SUM_SCALE;
  });
  const empty = [...counts.keys()].filter((cluster) => counts[cluster] === 0);
  if (empty.length === 0) return means;
  const far = farthestPoints(space, keys, centres, empty.length);
  for (const [place, cluster] of empty.entries()) {
    for (const [dimension, column] of space.columns.entries()) {
      means[cluster * dimensions + dimension] = column[far[place] as number] as number;
    }
  }
  return means;
}

/** Rows of the points farthest from the centre of their label, the lower key first of equals. */
function farthestPoints(space: Space, keys: Keys, centres: Float32Array, count: number): number[] {
  const dimensions = space.columns.length;
  const far: { readonly row: number; readonly squares: number }[] = [];
  for (let row = 0; row < space.rows; row++) {
    const label = space.labels[row] as number;
    let squares = 0;
    for (const [dimension, column] of space.columns.entries()) {
      squares += ((column[row] as number) - (centres[label * dimensions + dimension] as number)) ** 2;
    }
    if (far.length === count && squares < (far.at(-1)?.squares as number)) continue;
    far.push({ row, squares });
    far.sort((a, b) => b.squares - a.squares || ((keys[a.row] as bigint) < (keys[b.row] as bigint) ? -1 : 1));
    far.length = Math.min(far.length, count);
  }
  return far.map(({ row }) => row);
}

function squaredMoves(before: Float32Array, after: Float32Array): number {
  return after.reduce((sum, value, place) => sum + (value - (before[place] as number)) ** 2, 0);
}

/** Mean of the variances of the dimensions. */
function meanVariance({ rows, columns }: Space): number {
  let sum = 0;
  for (const column of columns) {
    const mean = wholeSum(column, (value) => value) / rows;
    sum += wholeSum(column, (value) => value * value) / rows - mean * mean;
  }
  return sum / columns.length;
}

/** A sum of whole numbers of 2^-16, which is the same in any order. */
function wholeSum(column: Float32Array, of: (value: number) => number): number {
  const atATime = 1024;
  let sum = 0n;
  for (let start = 0; start < column.length; start += atATime) {
    let part = 0;
    for (const value of column.subarray(start, start + atATime)) part += Math.round(of(value) * 2 ** 16);
    sum += BigInt(part);
  }
  return Number(sum) / 2 ** 16;
}

/** @throws RangeError for values that are not finite or too large for exact sums */
export function checkValues({ rows, columns }: Points): void {
  const most = 2 ** 62 / SUM_SCALE / Math.max(rows, 1);
  for (const [dimension, column] of columns.entries()) {
    for (const value of column) {
      // Not so of NaN either.
      if (Math.abs(value) < most) continue;
      throw new RangeError(`a value of dimension ${dimension} is not finite, or too large to be summed exactly`);
    }
  }
}
