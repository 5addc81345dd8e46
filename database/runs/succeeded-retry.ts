import type { Database } from '../client/database.ts';
import { statement } from '../client/statement.ts';
import type { RunKey } from './runs.ts';

/** The newest run that is a retry of this one, or of a retry of it, and has succeeded; undefined where there is none that counts. */
export async function succeededRetryOf(
  database: Database,
  { namespace, owner, run }: RunKey,
): Promise<string | undefined> {
  const { rows } = await statement<{ run: string }>(
    database,
    `read the retries of ${run}`,
    `WITH RECURSIVE retries AS (
       SELECT run, phase, sequence, discarded_at FROM holdfast.runs
       WHERE namespace = $1 AND program = $2 AND retry_of = $3
       UNION
       SELECT next.run, next.phase, next.sequence, next.discarded_at FROM holdfast.runs AS next
       JOIN retries ON next.retry_of = retries.run WHERE next.namespace = $1 AND next.program = $2
     )
     SELECT run FROM retries WHERE phase = 'Succeeded' AND discarded_at IS NULL ORDER BY sequence DESC LIMIT 1`,
    [namespace, owner, run],
  );
  return rows[0]?.run;
}
