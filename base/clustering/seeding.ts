import { inKeyOrder } from './key-order.ts';
import { type Keys, keyedRandom } from './keyed-random.ts';
import type { Points } from './points.ts';

/** Points among which first centres are looked for, about: more cost time and change little. */
const SEEDING_POINTS = 65_536;

/** Fewer points differ than there are to be clusters. */
export class TooFewDistinct extends Error {
  readonly distinct: number;
  readonly wanted: number;

  constructor(distinct: number, wanted: number) {
    super(`${distinct} different points for ${wanted} clusters`);
    this.name = 'TooFewDistinct';
    this.distinct = distinct;
    this.wanted = wanted;
  }
}

/**
 * First centres far from each other: greedy k-means++ (Arthur and Vassilvitskii 2007), in which each next one is the best of
 * 2 + ln k points drawn with the square of their distance to the nearest so far as weight. Draws are by key, as an exponential
 * race, so that they are the same whatever the order of the points.
 * @returns `clusters` centres, one after the other
 * @throws TooFewDistinct
 */
export function firstCentres(
  points: Points,
  keys: Keys,
  { clusters, seed, restart }: { readonly clusters: number; readonly seed: string; readonly restart: number },
): Float32Array {
  const some = sampleOf(points, keys, seed, restart);
  const found = some.length < points.rows ? spread(points, keys, some, { clusters, seed, restart }) : undefined;
  if (found !== undefined && found.length === clusters) return centresAt(points, found);
  // What is rare may have been left out.
  const all = spread(points, keys, inKeyOrder(keys), { clusters, seed, restart });
  if (all.length < clusters) throw new TooFewDistinct(all.length, clusters);
  return centresAt(points, all);
}

/** Rows of the points to look among, in the order of their keys. */
function sampleOf({ rows }: Points, keys: Keys, seed: string, restart: number): Uint32Array {
  if (rows <= SEEDING_POINTS) return inKeyOrder(keys);
  const random = keyedRandom(keys, seed, 'seeding', restart);
  const chosen: number[] = [];
  for (let row = 0; row < rows; row++) if (random(row) < SEEDING_POINTS / rows) chosen.push(row);
  return inKeyOrder(keys, Uint32Array.from(chosen));
}

/** Rows of points that differ, at most as many as there are to be clusters. */
function spread(
  { columns }: Points,
  keys: Keys,
  rows: Uint32Array,
  { clusters, seed, restart }: { readonly clusters: number; readonly seed: string; readonly restart: number },
): number[] {
  const trials = 2 + Math.floor(Math.log(clusters));
  const values = gathered(columns, rows);
  const ofRows = keysOf(keys, rows);
  let nearest: Float64Array = new Float64Array(rows.length).fill(Number.POSITIVE_INFINITY);
  const chosen: number[] = [];
  while (chosen.length < Math.min(clusters, rows.length)) {
    let best: { readonly place: number; readonly cost: number; readonly distances: Float64Array } | undefined;
    for (let trial = 0; trial < (chosen.length === 0 ? 1 : trials); trial++) {
      const random = keyedRandom(ofRows, seed, 'centre', restart, chosen.length, trial);
      const place = winner(nearest, random, chosen.length === 0);
      if (place === undefined) break;
      const distances = nearer(values, columns.length, nearest, place);
      const cost = distances.reduce((sum, distance) => sum + distance, 0);
      if (best === undefined || cost < best.cost) best = { place, cost, distances };
    }
    // Every point is where a centre is.
    if (best === undefined) break;
    chosen.push(rows[best.place] as number);
    nearest = best.distances;
  }
  return chosen;
}

/** Who comes first where each runs as fast as its weight: chosen with that chance. Undefined where nobody has any. */
function winner(weights: Float64Array, random: (index: number) => number, alike: boolean): number | undefined {
  let first: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let place = 0; place < weights.length; place++) {
    const weight = alike ? 1 : (weights[place] as number);
    if (weight === 0) continue;
    const time = -Math.log(random(place)) / weight;
    if (time >= least && first !== undefined) continue;
    least = time;
    first = place;
  }
  return first;
}

/** Squared distances to the nearest centre once there is one at `place`. */
function nearer(values: Float64Array, dimensions: number, nearest: Float64Array, place: number): Float64Array {
  const result = new Float64Array(nearest.length);
  const centre = place * dimensions;
  for (let row = 0; row < nearest.length; row++) {
    let squares = 0;
    for (let dimension = 0; dimension < dimensions; dimension++) {
      const difference = (values[row * dimensions + dimension] as number) - (values[centre + dimension] as number);
      squares += difference * difference;
    }
    result[row] = Math.min(nearest[row] as number, squares);
  }
  return result;
}

/** The rows one after the other, in double precision. */
function gathered(columns: readonly Float32Array[], rows: Uint32Array): Float64Array {
  const values = new Float64Array(rows.length * columns.length);
  for (const [dimension, column] of columns.entries()) {
    for (const [place, row] of rows.entries()) values[place * columns.length + dimension] = column[row] as number;
  }
  return values;
}

function keysOf(keys: Keys, rows: Uint32Array): Keys {
  return BigUint64Array.from(rows, (row) => keys[row] as bigint);
}

function centresAt({ columns }: Points, rows: readonly number[]): Float32Array {
  const centres = new Float32Array(rows.length * columns.length);
  for (const [cluster, row] of rows.entries()) {
    for (const [dimension, column] of columns.entries()) {
      centres[cluster * columns.length + dimension] = column[row] as number;
    }
  }
  return centres;
}
