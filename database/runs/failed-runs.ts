import type { Database } from '../client/database.ts';
import { prepared } from '../client/statement.ts';
import type { OwnerKey } from './runs.ts';

/** How many runs of an owner ended with a code. */
export interface FailedRuns extends OwnerKey {
  /** `HF_INTERRUPTED` where a run left none behind. */
  readonly code: string;
  readonly runs: number;
}

/** Failed and interrupted runs on record, by owner and error code. @param namespaces every one unless given */
export async function countFailedRuns(
  database: Database,
  namespaces: readonly string[] | undefined,
): Promise<readonly FailedRuns[]> {
  const { rows } = await prepared<Omit<FailedRuns, 'runs'> & { readonly runs: string }>(
    database,
    'count the runs that failed',
    {
      sql: `SELECT namespace, program AS owner, coalesce(error_code, 'HF_INTERRUPTED') AS code, count(*) AS runs
        FROM holdfast.runs
        WHERE phase IN ('Failed', 'Interrupted') AND ($1::text[] IS NULL OR namespace = ANY ($1))
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
      values: [namespaces ?? null],
    },
  );
  return rows.map(({ runs, ...row }) => ({ ...row, runs: Number(runs) }));
}
