import { HoldfastError } from '../../base/errors.ts';
import { databaseError } from '../../base/postgres/failure.ts';
import type { Database } from '../client/database.ts';
import type { OwnerKey } from '../runs/runs.ts';
import { beginLockTransaction, endLockTransaction } from './lock-transaction.ts';

export interface RunLock {
  release(): Promise<void>;
}

/** What one run at a time of a program is in: see contract/lane.ts. */
export interface LaneKey extends OwnerKey {
  readonly lane: string;
}

/** The lane whose lock has the name that versions without lanes, which may run beside this one, give that of a program. */
const FIRST_LANE = 'batch';

/** What is hashed for the lock of a lane of a program. A slash is in none of the names. */
export function laneLockName({ namespace, owner, lane }: LaneKey): string {
  return `holdfast run ${namespace}/${owner}${lane === FIRST_LANE ? '' : `/${lane}`}`;
}

/**
 * The right to run a program in a lane on this database: a lock of a transaction, so it goes when the process does, however
 * that ends. It takes one connection of the pool.
 * @throws HF_DATA_LOCKED when another run of the lane holds it
 */
export async function lockLane(database: Database, key: LaneKey): Promise<RunLock> {
  const { owner } = key;
  const doing = `take the lock of ${owner}`;
  const client = await database.pool.connect().catch((error: unknown) => {
    throw databaseError(error, doing, database);
  });
  let locked: boolean;
  try {
    await beginLockTransaction(client);
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked',
      [laneLockName(key)],
    );
    locked = rows[0]?.locked === true;
  } catch (error) {
    client.release(true);
    throw databaseError(error, doing, database);
  }
  if (!locked) {
    client.release(!(await endLockTransaction(client)));
    throw new HoldfastError(
      'HF_DATA_LOCKED',
      `another run of ${owner} is under way in the same database; wait for it to end`,
    );
  }
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      // Before the connection goes back, so that the next run can start at once.
      client.release(!(await endLockTransaction(client)));
    },
  };
}
