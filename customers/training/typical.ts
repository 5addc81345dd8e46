/**
 * The usual value of each column: its lower median, which some row has, so that what is yes or no stays one of the two.
 * Undefined where a column has no number at all.
 * @param columns NaN is missing
 */
export function typicalOf(columns: readonly Float64Array[]): number[] | undefined {
  const found = columns.map((column) => {
    const known = column.filter(Number.isFinite).sort();
    return known[Math.floor((known.length - 1) / 2)];
  });
  return found.every((value) => value !== undefined) ? found : undefined;
}
