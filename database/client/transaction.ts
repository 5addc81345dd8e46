import type { ClientBase } from 'pg';
import { HoldfastError } from '../../base/errors.ts';
import { databaseError, sqlstate } from '../../base/postgres/failure.ts';
import type { Database } from './database.ts';

/** One connection, in a transaction under way. */
export type Connection = ClientBase;

export interface TransactionOptions {
  /** Completes "Postgres failed to …". */
  readonly doing: string;
  /** Aborting rolls back at once, whatever statement is under way. */
  readonly signal?: AbortSignal;
  /** Lifts the limit on the time of one statement, for bulk work. */
  readonly unlimited?: boolean;
}

/**
 * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects.
 * @throws HF_INTERRUPTED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_DISK_FULL
 */
export async function transaction<Result>(
  database: Database,
  options: TransactionOptions,
  work: (client: Connection) => Promise<Result>,
): Promise<Result> {
  const { doing, signal } = options;
  const client = await database.pool.connect().catch((error: unknown) => {
    throw databaseError(error, doing, database);
  });
  let released = false;
  const release = (destroy: boolean) => {
    if (!released) client.release(destroy);
    released = true;
  };
  // Ending the connection is the one way to stop a statement that needs no second connection.
  const abort = () => release(true);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    await client.query(database.begin ?? 'BEGIN');
    if (options.unlimited === true) await client.query('SET LOCAL statement_timeout = 0');
    const result = await work(client);
    signal?.throwIfAborted();
    await client.query('COMMIT');
    release(false);
    return result;
  } catch (error) {
    // A connection goes back to the pool only when its state is known: the server answered, and rolled back.
    const answered = sqlstate(error) !== undefined || error instanceof HoldfastError;
    const rolledBack =
      !released &&
      answered &&
      (await client.query('ROLLBACK').then(
        () => true,
        () => false,
      ));
    release(!rolledBack);
    if (signal?.aborted === true) {
      throw new HoldfastError('HF_INTERRUPTED', `interrupted while Postgres was to ${doing}; nothing was changed`, {
        cause: error,
      });
    }
    throw databaseError(error, doing, database);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
