import type { Database } from '../client/database.ts';
import { statement } from '../client/statement.ts';
import type { RunRecord } from './runs.ts';

/**
 * Whether a program's history of offers, as the batch of a run's slot sees it, has changed since the run began: a batch of an
 * earlier slot was published, or somebody discarded one or set the current one. The program's caps count by that history.
 */
export async function hasHistoryChanged(
  database: Database,
  { namespace, owner, slot, sequence, startedAt }: RunRecord,
): Promise<boolean> {
  const { rows } = await statement<{ changed: boolean }>(
    database,
    `read the history of ${owner}`,
    `SELECT EXISTS (
         SELECT FROM holdfast.runs WHERE namespace = $1 AND program = $2 AND slot < $3
           AND published_at IS NOT NULL AND (sequence > $4 OR published_at > $5))
       OR EXISTS (SELECT FROM holdfast.discards WHERE namespace = $1 AND program = $2 AND changed_at > $5)
       OR EXISTS (SELECT FROM holdfast.current_changes WHERE namespace = $1 AND program = $2 AND changed_at > $5) AS changed`,
    [namespace, owner, slot, sequence, startedAt],
  );
  return rows[0]?.changed === true;
}
