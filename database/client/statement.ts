import { createHash } from 'node:crypto';
import type { QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { databaseError } from '../../base/postgres/failure.ts';
import type { Database } from './database.ts';
import { transaction } from './transaction.ts';

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
    return await run<Row>(database, doing, { text: sql, values: [...values] });
  } catch (error) {
    throw databaseError(error, doing, database);
  }
}

/**
 * The same, parsed and planned once per connection that is ours: for a text that comes again and again. Texts that a program
 * composes must be few, since a connection keeps each of them.
 * @throws HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_NOT_MIGRATED
 */
export async function prepared<Row extends QueryResultRow>(
  database: Database,
  doing: string,
  { sql, values }: Statement,
): Promise<QueryResult<Row>> {
  try {
    const query = { text: sql, values: [...values] };
    // What a pooler's server has prepared may be another one's next time.
    return await run<Row>(database, doing, database.begin === undefined ? { name: nameOf(sql), ...query } : query);
  } catch (error) {
    throw databaseError(error, doing, database);
  }
}

function run<Row extends QueryResultRow>(
  database: Database,
  doing: string,
  query: QueryConfig,
): Promise<QueryResult<Row>> {
  if (database.begin === undefined) return database.pool.query<Row>(query);
  return transaction(database, { doing }, (client) => client.query<Row>(query));
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
