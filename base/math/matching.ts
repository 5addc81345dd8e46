/** What each row is worth with each column: `worth[row][column]`, finite, rows of one length. */
export type Worth = readonly (readonly number[])[];

/**
 * Pairs rows with columns, each at most once and as many as can be, so that the sum of what the pairs are worth is greatest:
 * Kuhn's Hungarian method, by shortest augmenting paths (Jonker and Volgenant 1987), O(n³).
 * @returns the column of each row, undefined for a row that is left over
 */
export function bestMatching(worth: Worth): (number | undefined)[] {
  const columns = worth[0]?.length ?? 0;
  if (worth.some((row) => row.length !== columns || !row.every(Number.isFinite))) {
    throw new RangeError('bestMatching: a table of finite numbers with rows of one length');
  }
  if (worth.length <= columns) return matchEveryRow(worth, columns);
  const turned = Array.from({ length: columns }, (_, column) => worth.map((row) => row[column] as number));
  const rowOf = matchEveryRow(turned, worth.length);
  return worth.map((_, row) => {
    const column = rowOf.indexOf(row);
    return column === -1 ? undefined : column;
  });
}

/** Dual values: no row and column together fall short of what their pair is worth, and those of a pair are equal to it. */
interface Duals {
  readonly ofRow: Float64Array;
  readonly ofColumn: Float64Array;
}

/** Of no more rows than columns. */
function matchEveryRow(worth: Worth, columns: number): number[] {
  const rowOf = Array.from<number | undefined>({ length: columns });
  const duals: Duals = { ofRow: new Float64Array(worth.length), ofColumn: new Float64Array(columns) };
  for (const row of worth.keys()) augment(worth, row, rowOf, duals);
  return worth.map((_, row) => rowOf.indexOf(row));
}

/** Finds a column for one more row, along the path on which the others lose least, and moves those on it. */
function augment(worth: Worth, row: number, rowOf: (number | undefined)[], { ofRow, ofColumn }: Duals): void {
  const distance = new Float64Array(rowOf.length).fill(Number.POSITIVE_INFINITY);
  const cameFrom = Array.from<number | undefined>({ length: rowOf.length });
  const settled: number[] = [];
  let reached = 0;
  let from: number | undefined;
  let current: number | undefined = row;
  while (current !== undefined) {
    for (const column of rowOf.keys()) {
      if (settled.includes(column)) continue;
      const loss =
        (ofRow[current] as number) + (ofColumn[column] as number) - (worth[current]?.[column] as number) + reached;
      if (loss >= (distance[column] as number)) continue;
      distance[column] = loss;
      cameFrom[column] = from;
    }
    from = nearest(distance, settled);
    reached = distance[from] as number;
    settled.push(from);
    current = rowOf[from];
  }
  for (const column of settled) {
    const moved = rowOf[column];
    const change = reached - (distance[column] as number);
    ofColumn[column] = (ofColumn[column] as number) + change;
    if (moved !== undefined) ofRow[moved] = (ofRow[moved] as number) - change;
  }
  ofRow[row] = (ofRow[row] as number) - reached;
  for (let column = from; column !== undefined; column = cameFrom[column]) {
    const before = cameFrom[column];
    rowOf[column] = before === undefined ? row : rowOf[before];
  }
}

/** The column outside `settled` with the least distance; the first of equals. */
function nearest(distance: Float64Array, settled: readonly number[]): number {
  let best: number | undefined;
  for (const [column, value] of distance.entries()) {
    if (settled.includes(column)) continue;
    if (best === undefined || value < (distance[best] as number)) best = column;
  }
  return best as number;
}
