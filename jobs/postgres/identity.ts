import type { Database } from './database.ts';
import { statement } from './statement.ts';

/**
 * What tells this database from every other: the server's own identifier and the number of the database in it. A copy
 * restored elsewhere has another. Undefined where the server does not let its users ask.
 */
export async function databaseIdentity(database: Database): Promise<string | undefined> {
  const { rows: may } = await statement<{ may: boolean }>(
    database,
    'ask what may be asked',
    `SELECT has_function_privilege('pg_control_system()', 'EXECUTE') AS may`,
    [],
  );
  if (may[0]?.may !== true) return undefined;
  const { rows } = await statement<{ identity: string }>(
    database,
    'tell which database it is',
    `SELECT system_identifier || '/' || pg_database.oid AS identity
     FROM pg_control_system(), pg_database WHERE datname = current_database()`,
    [],
  );
  return rows[0]?.identity;
}
