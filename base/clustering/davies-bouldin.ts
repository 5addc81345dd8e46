import { checkLabelled, clusterSizes, type Labels, type Points } from './points.ts';

/**
 * How wide clusters are beside the distance to the most similar other, on average (Davies and Bouldin 1979): 0 is best.
 * Centres are the means of the points given, in double precision.
 * @returns undefined with fewer than two clusters; clusters whose centres coincide are not compared
 */
export function daviesBouldin(points: Points, labels: Labels): number | undefined {
  checkLabelled(points, labels);
  const present = [...clusterSizes(labels).entries()].filter(([, size]) => size > 0);
  if (present.length < 2) return undefined;
  const centres = means(points, labels);
  const widths = meanDistances(points, labels, centres);
  let sum = 0;
  for (const [one] of present) {
    let worst = 0;
    for (const [other] of present) {
      const apart = distance(centres, points.columns.length, one, other);
      if (apart > 0) worst = Math.max(worst, ((widths[one] as number) + (widths[other] as number)) / apart);
    }
    sum += worst;
  }
  return sum / present.length;
}

/** Mean of the points of each cluster, one cluster after the other; NaN for a cluster without any. */
function means({ rows, columns }: Points, labels: Labels): Float64Array {
  const sizes = clusterSizes(labels);
  const dimensions = columns.length;
  const centres = new Float64Array(sizes.length * dimensions);
  for (const [dimension, values] of columns.entries()) {
    for (let row = 0; row < rows; row++) {
      const place = (labels[row] as number) * dimensions + dimension;
      centres[place] = (centres[place] as number) + (values[row] as number);
    }
  }
  return centres.map((sum, place) => sum / (sizes[Math.floor(place / dimensions)] as number));
}

/** Mean distance of the points of each cluster to its centre. */
function meanDistances({ rows, columns }: Points, labels: Labels, centres: Float64Array): number[] {
  const sizes = clusterSizes(labels);
  const dimensions = columns.length;
  const sums = sizes.map(() => 0);
  for (let row = 0; row < rows; row++) {
    const cluster = labels[row] as number;
    let squares = 0;
    for (let dimension = 0; dimension < dimensions; dimension++) {
      const value = (columns[dimension] as Float32Array)[row] as number;
      const difference = value - (centres[cluster * dimensions + dimension] as number);
      squares += difference * difference;
    }
    sums[cluster] = (sums[cluster] as number) + Math.sqrt(squares);
  }
  return sums.map((sum, cluster) => sum / (sizes[cluster] as number));
}

function distance(centres: Float64Array, dimensions: number, one: number, other: number): number {
  let squares = 0;
  for (let dimension = 0; dimension < dimensions; dimension++) {
    const difference =
      (centres[one * dimensions + dimension] as number) - (centres[other * dimensions + dimension] as number);
    squares += difference * difference;
  }
  return Math.sqrt(squares);
}
