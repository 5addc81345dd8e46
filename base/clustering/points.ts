/** Points in space, by column: the value of row i in dimension d is `columns[d][i]`. */
export interface Points {
  readonly rows: number;
  readonly columns: readonly Float32Array[];
}

/** Which cluster each point belongs to, from 0: at most 256 clusters. */
export type Labels = Uint8Array;

/** How many points each cluster has, for clusters 0 to the greatest label. */
export function clusterSizes(labels: Labels): number[] {
  const sizes: number[] = [];
  for (const label of labels) {
    while (sizes.length <= label) sizes.push(0);
    sizes[label] = (sizes[label] as number) + 1;
  }
  return sizes;
}

/** @throws RangeError unless each point has one label and each column one value for each point */
export function checkLabelled({ rows, columns }: Points, labels: Labels): void {
  if (labels.length !== rows) throw new RangeError(`${rows} points, but ${labels.length} labels`);
  for (const [dimension, { length }] of columns.entries()) {
    if (length !== rows) throw new RangeError(`${rows} points, but ${length} values in dimension ${dimension}`);
  }
}
