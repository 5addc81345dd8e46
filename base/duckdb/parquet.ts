import { rename, rm } from 'node:fs/promises';
import { type Engine, literal } from './engine.ts';

export interface ColumnShape {
  readonly name: string;
  /** DuckDB's name of the type. */
  readonly type: string;
}

/** How a file is written: one that is kept in few bytes, one that is read once and goes in little time. */
const FORMATS = {
  kept: 'COMPRESSION zstd',
  // Words of few kinds alone are worth a dictionary, which is otherwise tried for every column.
  scratch: 'COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1000',
} as const;

/**
 * Writes the answer of a SELECT to one Parquet file, complete or absent, and resolves to its rows.
 * The caller's ORDER BY makes it the same file for the same rows.
 */
export async function writeParquet(
  engine: Engine,
  select: string,
  file: string,
  use: keyof typeof FORMATS = 'kept',
): Promise<number> {
  const partial = `${file}.partial`;
  try {
    const copy = `COPY (${select}) TO ${literal(partial)} (FORMAT parquet, ${FORMATS[use]})`;
    const [{ Count: count }] = (await engine.rows<{ Count: string }>(copy)) as [{ Count: string }];
    await rename(partial, file);
    return Number(count);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Columns of a Parquet file, in order. */
export async function parquetColumns(engine: Engine, file: string): Promise<ColumnShape[]> {
  const described = await engine.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM read_parquet(${literal(file)})`,
  );
  return described.map(({ column_name: name, column_type: type }) => ({ name, type }));
}
