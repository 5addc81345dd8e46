import { checkLabelled, clusterSizes, type Labels, type Points } from './points.ts';

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
 */
export function silhouette(points: Points, labels: Labels): Silhouette {
  checkLabelled(points, labels);
  const { rows } = points;
  const sizes = clusterSizes(labels);
  const clusters = sizes.filter((size) => size > 0).length;
  const ofEach = new Float64Array(rows);
  if (clusters < 2) return { mean: undefined, ofEach: ofEach.fill(Number.NaN), clusters };
  const sums = distanceSums(points, labels, sizes.length);
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

/** Sum of the distances from each point to the points of each cluster; each pair is measured once. */
function distanceSums(points: Points, labels: Labels, clusters: number): Float64Array {
  const { rows } = points;
  const dimensions = points.columns.length;
  const byRow = inRows(points);
  const sums = new Float64Array(rows * clusters);
  for (let row = 0; row < rows; row++) {
    const start = row * dimensions;
    const own = labels[row] as number;
    for (let other = 0; other < row; other++) {
      const otherStart = other * dimensions;
      let squares = 0;
      for (let dimension = 0; dimension < dimensions; dimension++) {
        const difference = (byRow[start + dimension] as number) - (byRow[otherStart + dimension] as number);
        squares += difference * difference;
      }
      const distance = Math.sqrt(squares);
      const there = row * clusters + (labels[other] as number);
      const back = other * clusters + own;
      sums[there] = (sums[there] as number) + distance;
      sums[back] = (sums[back] as number) + distance;
    }
  }
  return sums;
}

/** The points one after the other, in double precision: what is compared lies together. */
function inRows({ rows, columns }: Points): Float64Array {
  const byRow = new Float64Array(rows * columns.length);
  for (const [dimension, values] of columns.entries()) {
    for (let row = 0; row < rows; row++) byRow[row * columns.length + dimension] = values[row] as number;
  }
  return byRow;
}
