import { DOUBLE, type DuckDBAppender, DuckDBDataChunk, DuckDBVector, FLOAT, INTEGER } from '@duckdb/node-api';
import type { Engine } from './engine.ts';

const TYPES = { DOUBLE, FLOAT, INTEGER };

/** Types of the columns that can be appended from arrays of numbers. */
export type NumericType = keyof typeof TYPES;

/** Some rows of a chunk: from `start`, `count` of them. */
export interface RowRange {
  readonly start: number;
  readonly count: number;
}

/**
 * Copies a column of doubles into every `stride`-th place of an array, from `offset`; a missing value becomes NaN.
 * It is fastest on a column without missing values: coalesce them to NaN in the query.
 */
export function copyDoubles(
  chunk: DuckDBDataChunk,
  column: number,
  rows: RowRange,
  target: Float32Array | Float64Array,
  offset: number,
  stride: number,
): void {
  const vector = chunk.getColumnVector(column) as DuckDBVector<number>;
  let place = offset;
  for (let row = rows.start; row < rows.start + rows.count; row++) {
    target[place] = vector.getItem(row) ?? Number.NaN;
    place += stride;
  }
}

/** A column of texts, as it is; a missing one is null. */
export function texts(chunk: DuckDBDataChunk, column: number): (string | null)[] {
  return (chunk.getColumnVector(column) as DuckDBVector<string>).toArray();
}

/** Fills a table from arrays, in chunks, without an object per row. */
export class ColumnAppender implements Disposable {
  readonly #appender: DuckDBAppender;
  readonly #types: readonly NumericType[];

  private constructor(appender: DuckDBAppender, types: readonly NumericType[]) {
    this.#appender = appender;
    this.#types = types;
  }

  /** Creates a table with these columns and opens it for appending. No other statement may run until it is closed. */
  static async create(
    engine: Engine,
    table: string,
    columns: Readonly<Record<string, NumericType>>,
  ): Promise<ColumnAppender> {
    const definitions = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
    await engine.run(`CREATE TABLE ${table} (${definitions.join(', ')})`);
    return new ColumnAppender(await engine.connection.createAppender(table), Object.values(columns));
  }

  /** Appends the first `rows` values of each column. */
  append(columns: readonly ArrayLike<number>[], rows: number): void {
    const most = DuckDBVector.standardSize();
    for (let start = 0; start < rows; start += most) {
      const count = Math.min(most, rows - start);
      const chunk = DuckDBDataChunk.create(
        this.#types.map((type) => TYPES[type]),
        count,
      );
      for (const [index, values] of columns.entries()) {
        const vector = chunk.getColumnVector(index) as DuckDBVector<number>;
        for (let row = 0; row < count; row++) vector.setItem(row, values[start + row] ?? Number.NaN);
        vector.flush();
      }
      this.#appender.appendDataChunk(chunk);
    }
  }

  [Symbol.dispose](): void {
    this.#appender.closeSync();
  }
}
