import { lanesOf } from '../../contract/lane.ts';
import type { Database } from '../client/database.ts';
import { transaction } from '../client/transaction.ts';
import { lockLane, type RunLock } from '../locks/run-lock.ts';
import { interruptLeftovers } from '../runs/begin-run.ts';
import type { OwnerKey } from '../runs/runs.ts';

/**
 * Ends what a program that was deleted still has under way, and leaves it without a current batch, so that nothing of it is
 * shown and nothing pins its runs. No run of it is begun on this database until the work is done.
 * @throws HF_DATA_LOCKED when one is under way on a laptop
 */
export async function withoutProgram<Result>(
  database: Database,
  key: OwnerKey,
  now: Date,
  work: () => Promise<Result>,
): Promise<Result> {
  const { namespace, owner } = key;
  const locks: RunLock[] = [];
  try {
    for (const lane of lanesOf()) locks.push(await lockLane(database, { namespace, owner, lane }));
    await transaction(database, { doing: `end the runs of ${owner}` }, async (client) => {
      await interruptLeftovers(client, { namespace, owner, startedAt: now });
      await client.query('DELETE FROM holdfast.current_batches WHERE namespace = $1 AND program = $2', [
        namespace,
        owner,
      ]);
    });
    return await work();
  } finally {
    for (const lock of locks) await lock.release();
  }
}
