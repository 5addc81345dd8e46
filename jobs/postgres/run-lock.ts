import { HoldfastError } from '../errors.ts';
import type { Database } from './database.ts';
import { databaseError } from './failure.ts';
import type { ProgramKey } from './runs.ts';

export interface RunLock {
  release(): Promise<void>;
}

/** What is hashed for the lock of a program. A slash is in neither name. */
export function programLockName({ namespace, program }: ProgramKey): string {
  return `holdfast run ${namespace}/${program}`;
}

/**
 * The right to run a program in this database: a lock of a connection, so it goes when the process does, however
 * that ends. It takes one connection of the pool, and needs a server (or a proxy) that keeps sessions.
 * @throws HF_DATA_LOCKED when another run holds it
 */
export async function lockProgram(database: Database, key: ProgramKey): Promise<RunLock> {
  const { program } = key;
  const doing = `take the lock of ${program}`;
  const client = await database.pool.connect().catch((error: unknown) => {
    throw databaseError(error, doing);
  });
  const call = (name: string) =>
    client.query<{ done: boolean }>(`SELECT ${name}(hashtextextended($1, 0)) AS done`, [programLockName(key)]);
  let locked: boolean;
  try {
    locked = (await call('pg_try_advisory_lock')).rows[0]?.done === true;
  } catch (error) {
    client.release(true);
    throw databaseError(error, doing);
  }
  if (!locked) {
    client.release();
    throw new HoldfastError(
      'HF_DATA_LOCKED',
      `another run of ${program} is under way in the same database; wait for it to end`,
    );
  }
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      // Unlocked before the connection goes back, so that the next run can start at once.
      const unlocked = await call('pg_advisory_unlock').then(
        () => true,
        () => false,
      );
      client.release(!unlocked);
    },
  };
}
