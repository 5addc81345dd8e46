import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBAppender,
  DuckDBDataChunk,
  DuckDBVector,
  FLOAT,
  INTEGER,
  SMALLINT,
  VARCHAR,
} from '@duckdb/node-api';
import type { Engine } from './engine.ts';

/** What a text becomes in each type of column. Numbers are read as JavaScript does, which knows NaN and Infinity. */
const TYPES = {
  BOOLEAN: { type: BOOLEAN, read: (text: string) => text === 't' || text === 'true' },
  SMALLINT: { type: SMALLINT, read: Number },
  INTEGER: { type: INTEGER, read: Number },
  BIGINT: { type: BIGINT, read: BigInt },
  FLOAT: { type: FLOAT, read: Number },
  DOUBLE: { type: DOUBLE, read: Number },
  VARCHAR: { type: VARCHAR, read: (text: string) => text },
} as const;

/** Types of the columns that can be appended from texts. */
export type TextColumnType = keyof typeof TYPES;

/** A row as it came over a wire: the text of each value, null where it is missing. */
export type TextRow = readonly (string | null)[];

/** Fills a table from rows of texts, in chunks of columns. */
export class TextAppender implements Disposable {
  readonly #appender: DuckDBAppender;
  readonly #columns: readonly (typeof TYPES)[TextColumnType][];
  #closed = false;

  private constructor(appender: DuckDBAppender, types: readonly TextColumnType[]) {
    this.#appender = appender;
    this.#columns = types.map((type) => TYPES[type]);
  }

  /** Creates a table with columns `c0`, `c1`, … of these types. No other statement may run until it is closed. */
  static async create(engine: Engine, table: string, types: readonly TextColumnType[]): Promise<TextAppender> {
    await engine.run(`CREATE TABLE ${table} (${types.map((type, index) => `c${index} ${type}`).join(', ')})`);
    return new TextAppender(await engine.connection.createAppender(table), types);
  }

  append(rows: readonly TextRow[]): void {
    const most = DuckDBVector.standardSize();
    for (let start = 0; start < rows.length; start += most) {
      const count = Math.min(most, rows.length - start);
      const chunk = DuckDBDataChunk.create(
        this.#columns.map(({ type }) => type),
        count,
      );
      for (const [index, { read }] of this.#columns.entries()) {
        const vector = chunk.getColumnVector(index) as DuckDBVector<string | number | bigint | boolean>;
        for (let row = 0; row < count; row++) {
          const text = rows[start + row]?.[index];
          vector.setItem(row, text === null || text === undefined ? null : read(text));
        }
        vector.flush();
      }
      this.#appender.appendDataChunk(chunk);
    }
  }

  /** Completes the table. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#appender.closeSync();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
