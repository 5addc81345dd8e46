import { createHash } from 'node:crypto';
import type { QueryResult, QueryResultRow } from 'pg';
import type { Database } from './database.ts';
import { databaseError } from './failure.ts';

export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

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

/**
 * The same, parsed and planned once per connection: for a text that comes again and again. Texts that a program
 * composes must be few, since a connection keeps each of them.
 * @throws HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_NOT_MIGRATED
 */
export async function prepared<Row extends QueryResultRow>(
  database: Database,
  doing: string,
  { sql, values }: Statement,
): Promise<QueryResult<Row>> {
  try {
    return await database.pool.query<Row>({ name: nameOf(sql), text: sql, values: [...values] });
  } catch (error) {
    throw databaseError(error, doing);
  }
}

const names = new Map<string, string>();

function nameOf(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) {
    name = `holdfast_${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`;
    names.set(sql, name);
  }
  return name;
}
