import { join } from 'node:path';
import { type Engine, literal, openEngine } from '../../base/duckdb/engine.ts';
import { interruptible } from '../../base/duckdb/interruption.ts';
import { type ColumnShape, parquetColumns } from '../../base/duckdb/parquet.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { inStage } from '../run/in-stage.ts';
import type { BatchContext } from './batch-stage.ts';

/** Two engines over one Parquet file, for work that computes something in this process for every row of it. */
export interface RowByRow {
  /** Streams the rows. */
  readonly source: Engine;
  /** Takes what was computed, and writes it together with the rows. */
  readonly sink: Engine;
  /** The file as a table for both, its rows numbered from 0 in `file_row_number`. */
  readonly table: string;
  /** Columns of the file. */
  readonly columns: readonly ColumnShape[];
}

/**
 * Opens a part of an earlier stage's artifact row by row, for a stage. Reading and writing have an engine each, because a
 * connection that streams a result can do nothing else.
 * @throws HF_INTERRUPTED when the run is interrupted, HF_DISK_FULL, HF_INTERNAL
 */
export async function rowByRow<Result>(
  context: BatchContext,
  part: { readonly stage: string; readonly artifact: ArtifactReference; readonly file: string },
  work: (engines: RowByRow) => Promise<Result>,
): Promise<Result> {
  const file = join(part.artifact.folder, part.file);
  const options = {
    threads: context.resources.threads,
    memoryMb: Math.max(64, Math.floor(context.resources.memoryMb / 2)),
    scratchFolder: context.scratchFolder,
  };
  await using source = await openEngine(options);
  await using sink = await openEngine(options);
  const both = {
    interrupt() {
      source.interrupt();
      sink.interrupt();
    },
  };
  const table = `read_parquet(${literal(file)}, file_row_number = true)`;
  return await inStage(part.stage, () =>
    interruptible(both, context.signal, async () =>
      work({ source, sink, table, columns: await parquetColumns(source, file) }),
    ),
  );
}

/** Rows of a table. */
export async function countRows(engine: Engine, table: string): Promise<number> {
  const [row] = await engine.rows<{ count: string }>(`SELECT count(*) AS count FROM ${table}`);
  return Number(row?.count);
}

/** Columns of the file whose place a stage's own take; names are compared without case, as DuckDB does. */
export function replaced(columns: readonly ColumnShape[], added: readonly string[]): string[] {
  return columns.map(({ name }) => name).filter((name) => added.includes(name.toLowerCase()));
}
