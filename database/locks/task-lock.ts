import { HoldfastError } from '../../base/errors.ts';
import { databaseError } from '../../base/postgres/failure.ts';
import type { Database } from '../client/database.ts';
import type { RunKey } from '../runs/runs.ts';
import { beginLockTransaction, endLockTransaction } from './lock-transaction.ts';

/** The right to do one task of a run. */
export interface TaskLock {
  /** Whether the connection that holds it was lost, and the right with it. */
  lost(): boolean;
  release(): Promise<void>;
}

/**
 * Waits until no other process does the same task of the same run. The lock belongs to a transaction, so it goes when the
 * process does; the server probes the connection, so that it also goes, within a minute, when the machine does.
 * @throws HF_INTERRUPTED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export async function lockTask(
  database: Database,
  { namespace, owner, run, task }: RunKey & { readonly task: string },
  signal: AbortSignal,
): Promise<TaskLock> {
  const doing = `wait for its turn at ${task} of ${run}`;
  const client = await database.pool.connect().catch((error: unknown) => {
    throw databaseError(error, doing, database);
  });
  let lost = false;
  let released = false;
  const lose = () => {
    lost = true;
  };
  client.on('error', lose);
  const end = (destroy: boolean) => {
    if (!released) client.off('error', lose).release(destroy);
    released = true;
  };
  const abort = () => end(true);
  const name = [`holdfast task ${namespace}/${owner}/${run}/${task}`];
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    await beginLockTransaction(client);
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', name);
  } catch (error) {
    end(true);
    if (signal.aborted)
      throw new HoldfastError('HF_INTERRUPTED', `interrupted while it was to ${doing}`, { cause: error });
    throw databaseError(error, doing, database);
  } finally {
    signal.removeEventListener('abort', abort);
  }
  return {
    lost: () => lost,
    async release() {
      end(released || !(await endLockTransaction(client)));
    },
  };
}
