/**
 * Rank correlation of pairs (Spearman 1904): Pearson's correlation of their ranks, ties at the mean of theirs.
 * @returns from -1 to 1; undefined with fewer than two pairs, where either side is constant, or with a value that is NaN
 */
export function spearman(xs: readonly number[], ys: readonly number[]): number | undefined {
  if (xs.length !== ys.length) throw new RangeError(`spearman: ${xs.length} values beside ${ys.length}`);
  if ([...xs, ...ys].some(Number.isNaN)) return undefined;
  const mean = (xs.length + 1) / 2;
  const a = ranks(xs).map((rank) => rank - mean);
  const b = ranks(ys).map((rank) => rank - mean);
  const scale = Math.sqrt(dot(a, a) * dot(b, b));
  return scale === 0 ? undefined : dot(a, b) / scale;
}

/** Ranks from 1; ties share the mean of theirs. */
export function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((i, j) => (values[i] as number) - (values[j] as number));
  const ranked = values.map(() => 0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let place = start; place < end; place++) ranked[order[place] as number] = (start + 1 + end) / 2;
    start = end;
  }
  return ranked;
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
