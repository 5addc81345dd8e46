import type { QueryResult, QueryResultRow } from 'pg';
import type { Database } from './database.ts';
import { databaseError } from './failure.ts';

/**
 * One statement on its own. `doing` completes the sentence "Postgres failed to …".
 * @throws HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_DISK_FULL
 */
export async function statement<Row extends QueryResultRow>(
  database: Database,
  doing: string,
  sql: string,
  values: readonly unknown[],
): Promise<QueryResult<Row>> {
  try {
    return await database.pool.query<Row>(sql, [...values]);
  } catch (error) {
    throw databaseError(error, doing);
  }
}
