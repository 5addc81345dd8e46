import type { ClientBase } from 'pg';
import { HoldfastError } from '../../base/errors.ts';
import { sqlstate } from '../../base/postgres/failure.ts';

const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Waits until no other program of the namespace commits a batch under a cap that holds across programs, and keeps others
 * out until the transaction ends: what they decided is then there to be counted.
 * @throws HF_DATA_LOCKED when that takes longer than `waitMs`
 */
export async function lockCaps(client: ClientBase, namespace: string, waitMs: number): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${Math.ceil(waitMs)}`);
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`holdfast caps ${namespace}`]);
  } catch (error) {
    if (sqlstate(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new HoldfastError(
      'HF_DATA_LOCKED',
      `other programs of the namespace ${namespace} are storing their batches, for more than ${Math.round(waitMs / 1000)} s; nothing was stored, run it again`,
      { cause: error },
    );
  }
  await client.query('SET LOCAL lock_timeout = DEFAULT');
}
