/**
 * Agreement of two partitions of the same things, corrected for chance (Hubert and Arabie 1985): 1 for the same partition
 * under any names, about 0 for unrelated ones.
 * @param table how many things are in part i of the one and part j of the other, as `table[i][j]`
 * @returns 1 where neither partition divides anything, or both divide everything; undefined for nothing at all
 */
export function adjustedRand(table: readonly (readonly number[])[]): number | undefined {
  const rows = table.map((row) => row.reduce((sum, count) => sum + count, 0));
  const columns: number[] = [];
  for (const row of table) for (const [j, count] of row.entries()) columns[j] = (columns[j] ?? 0) + count;
  const things = rows.reduce((sum, count) => sum + count, 0);
  if (things === 0) return undefined;
  const together = sumOfPairs(table.flat());
  const inRows = sumOfPairs(rows);
  const inColumns = sumOfPairs(columns);
  const all = pairs(things);
  const expected = all === 0 ? 0 : (inRows / all) * inColumns;
  const most = (inRows + inColumns) / 2;
  return most === expected ? 1 : (together - expected) / (most - expected);
}

const pairs = (count: number): number => (count * (count - 1)) / 2;
const sumOfPairs = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + pairs(count), 0);
