import type { RunTrigger } from '../../contract/trigger.ts';
import type { SucceededRun } from '../../contract/upstream.ts';
import type { Database } from '../client/database.ts';
import { statement } from '../client/statement.ts';
import type { OwnerKey } from './runs.ts';

/** The slots that a pipeline of a program has succeeded for, and by what; not where the batch was discarded since. */
export async function succeededRuns(
  database: Database,
  { namespace, owner, pipeline }: OwnerKey & { readonly pipeline: string },
): Promise<readonly SucceededRun[]> {
  const { rows } = await statement<{ slot: Date; trigger: RunTrigger }>(
    database,
    `read the runs of ${owner}`,
    `SELECT DISTINCT slot, trigger FROM holdfast.runs
     WHERE namespace = $1 AND program = $2 AND pipeline = $3 AND phase = 'Succeeded' AND discarded_at IS NULL`,
    [namespace, owner, pipeline],
  );
  return rows.map(({ slot, trigger }) => ({ pipeline, slot, trigger }));
}
