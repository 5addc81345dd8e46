import type { Database } from './database.ts';
import { transaction } from './transaction.ts';

/** Rows that one transaction deletes: its locks last some tens of milliseconds, whatever there is to delete. */
const BATCH_ROWS = 5000;

export interface Batches {
  /** Completes "Postgres failed to …". */
  readonly doing: string;
  /** Aborting ends it between two transactions, or rolls back the one under way. */
  readonly signal: AbortSignal;
  /** Rows deleted by each transaction. */
  readonly progress?: (rows: number) => void;
}

/**
 * Repeats a deletion, each time in a transaction of its own, until it finds nothing more, and resolves to the rows.
 * @param sql deletes at most as many rows as its last parameter says, passing over those that others have locked
 * @throws HF_INTERRUPTED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export async function deleteInBatches(
  database: Database,
  { doing, signal, progress }: Batches,
  sql: string,
  values: readonly unknown[],
): Promise<number> {
  for (let deleted = 0; ; ) {
    const { rowCount } = await transaction(database, { doing, signal }, (client) =>
      client.query(sql, [...values, BATCH_ROWS]),
    );
    deleted += rowCount ?? 0;
    progress?.(rowCount ?? 0);
    if ((rowCount ?? 0) < BATCH_ROWS) return deleted;
  }
}
