import { PUBLISHING } from '../../contract/pipelines.ts';
import type { Database } from '../client/database.ts';
import { statement } from '../client/statement.ts';
import { type OwnerKey, RUN_COLUMNS, type RunRecord, type RunRow, toRecord } from './runs.ts';

/** Of some slots of a program those whose batch succeeded and was not discarded, by the slot's time, with its newest run. */
export async function succeededSlots(
  database: Database,
  { namespace, owner, slots }: OwnerKey & { readonly slots: readonly Date[] },
): Promise<ReadonlyMap<number, RunRecord>> {
  const { rows } = await statement<RunRow>(
    database,
    `read the runs of ${owner}`,
    `SELECT DISTINCT ON (slot) ${RUN_COLUMNS} FROM holdfast.runs
     WHERE namespace = $1 AND program = $2 AND pipeline = '${PUBLISHING}' AND phase = 'Succeeded' AND discarded_at IS NULL
       AND slot = ANY ($3::timestamptz[])
     ORDER BY slot, sequence DESC`,
    [namespace, owner, slots],
  );
  return new Map(rows.map((row) => [row.slot.getTime(), toRecord(row)]));
}
