import type { Database } from './database.ts';
import { statement } from './statement.ts';

/**
 * What tells this database, and its history, from every other: the server's own identifier, its timeline, and the number of
 * the database. A recovery to a point in time begins a new timeline, so that what was made after that point is not taken
 * for something that nobody knows; a copy restored elsewhere from a dump has another identifier. Undefined where the server
 * does not let its users ask.
 */
export async function databaseIdentity(database: Database): Promise<string | undefined> {
  const { rows: may } = await statement<{ may: boolean }>(
    database,
    'ask what may be asked',
    `SELECT has_function_privilege('pg_control_system()', 'EXECUTE')
       AND has_function_privilege('pg_control_checkpoint()', 'EXECUTE') AS may`,
    [],
  );
  if (may[0]?.may !== true) return undefined;
  const { rows } = await statement<{ identity: string }>(
    database,
    'tell which database it is',
    `SELECT system_identifier || '/' || timeline_id || '/' || pg_database.oid AS identity
     FROM pg_control_system(), pg_control_checkpoint(), pg_database WHERE datname = current_database()`,
    [],
  );
  return rows[0]?.identity;
}

/** Whether two identities are of one database, whatever became of it since: a failover begins a new timeline, too. */
export function isSameDatabase(one: string, other: string): boolean {
  const [server, , database] = one.split('/');
  const [otherServer, , otherDatabase] = other.split('/');
  return server === otherServer && database === otherDatabase;
}
