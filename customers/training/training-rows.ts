import { type Engine, identifier } from '../../base/duckdb/engine.ts';
import { copyDoubles } from '../../base/duckdb/vectors.ts';

/** Numbers of some rows, a column each; NaN where a value is missing. */
export interface NumberColumns {
  readonly names: readonly string[];
  readonly columns: readonly Float64Array[];
  readonly rows: number;
}

/**
 * Reads numeric columns of a table, its rows in the order of an expression, so that they are the same every time.
 * @param order SQL
 */
export async function readNumbers(
  engine: Engine,
  table: string,
  names: readonly string[],
  where: string,
  order: string,
): Promise<NumberColumns> {
  const [counted] = await engine.rows<{ count: string }>(
    `SELECT count(*) AS count FROM ${identifier(table)} WHERE ${where}`,
  );
  const rows = Number(counted?.count ?? 0);
  const columns = names.map(() => new Float64Array(rows));
  const doubles = names.map((name) => `coalesce(CAST(${identifier(name)} AS DOUBLE), CAST('NaN' AS DOUBLE))`);
  let done = 0;
  if (names.length > 0) {
    const query = `SELECT ${doubles.join(', ')} FROM ${identifier(table)} WHERE ${where} ORDER BY ${order}`;
    for await (const chunk of engine.chunks(query)) {
      const range = { start: 0, count: chunk.rowCount };
      for (const [index, column] of columns.entries()) copyDoubles(chunk, index, range, column, done, 1);
      done += chunk.rowCount;
    }
  }
  return { names, columns, rows };
}
