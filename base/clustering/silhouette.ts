import { checkLabelled, clusterSizes, type Labels, type Points } from './points.ts';
import { openSpace } from './space.ts';
import { openTeam } from './team.ts';

export interface Silhouette {
  /** Mean over all points, from -1 to 1; undefined with fewer than two clusters, where nothing is a neighbour. */
  readonly mean: number | undefined;
  /** Of each point; 0 for one that is alone in its cluster, NaN where the mean is undefined. */
  readonly ofEach: Float64Array;
  /** Clusters that have a point: a sample may miss some. */
  readonly clusters: number;
}

/**
 * How much nearer each point is to its own cluster than to the next (Rousseeuw 1987), by Euclidean distance in double
 * precision. Time grows with the square of the points: give a sample.
 * @param parts threads; the result is the same to the bit for any number
 * @throws RangeError beyond what a space may hold: 64 dimensions, 4 GiB
 */
export async function silhouette(points: Points, labels: Labels, parts: number): Promise<Silhouette> {
  checkLabelled(points, labels);
  const { rows } = points;
  const sizes = clusterSizes(labels);
  const clusters = sizes.filter((size) => size > 0).length;
  const ofEach = new Float64Array(rows);
  if (clusters < 2) return { mean: undefined, ofEach: ofEach.fill(Number.NaN), clusters };
  const sums = await distanceSums(points, labels, sizes, parts);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const own = labels[row] as number;
    const others = (sizes[own] as number) - 1;
    if (others === 0) continue;
    const inside = (sums[row * sizes.length + own] as number) / others;
    let nearest = Number.POSITIVE_INFINITY;
    for (const [cluster, size] of sizes.entries()) {
      if (cluster === own || size === 0) continue;
      nearest = Math.min(nearest, (sums[row * sizes.length + cluster] as number) / size);
    }
    const greater = Math.max(inside, nearest);
    // Of two clusters in one place neither is nearer.
    const value = greater === 0 ? 0 : (nearest - inside) / greater;
    ofEach[row] = value;
    total += value;
  }
  return { mean: total / rows, ofEach, clusters };
}

/** Sums of the distances from each point to the points of each cluster, one point after the other. */
async function distanceSums(
  { rows, columns }: Points,
  labels: Labels,
  sizes: readonly number[],
  parts: number,
): Promise<Float64Array> {
  const clusters = sizes.length;
  const space = openSpace(rows, columns.length, parts, clusters);
  const { layout, memory } = space;
  const ends = new Int32Array(memory.buffer, layout.ends, clusters);
  for (const [cluster, size] of sizes.entries()) ends[cluster] = (ends[cluster - 1] ?? 0) + size;
  const places = byCluster(labels, sizes);
  for (const [dimension, column] of columns.entries()) {
    const placed = space.columns[dimension] as Float32Array;
    for (let row = 0; row < rows; row++) placed[places[row] as number] = column[row] as number;
  }
  await using team = openTeam(space);
  await team.do({ does: 'distances' });
  const placed = new Float64Array(memory.buffer, layout.distances, rows * clusters);
  const sums = new Float64Array(rows * clusters);
  for (let row = 0; row < rows; row++) {
    const place = (places[row] as number) * clusters;
    sums.set(placed.subarray(place, place + clusters), row * clusters);
  }
  return sums;
}

/** Where each point lies once those of a cluster lie together, in the order of their rows. */
function byCluster(labels: Labels, sizes: readonly number[]): Uint32Array {
  let start = 0;
  const next = Uint32Array.from(sizes, (size) => {
    start += size;
    return start - size;
  });
  return Uint32Array.from(labels, (cluster) => {
    const place = next[cluster] as number;
    next[cluster] = place + 1;
    return place;
  });
}
