import { HoldfastError } from '../../base/errors.ts';
import type { Database } from '../../database/client/database.ts';
import { prepared } from '../../database/client/statement.ts';
import { MIGRATIONS } from '../../database/migrations/index.ts';

/** What the API waits for, in words; undefined when it is ready. */
export type Readiness = () => Promise<string | undefined>;

/** Asks Postgres; those who ask meanwhile get the same answer. */
export function databaseReadiness(database: Database): Readiness {
  let asking: Promise<string | undefined> | undefined;
  return () => (asking ??= ask(database).finally(() => (asking = undefined)));
}

async function ask(database: Database): Promise<string | undefined> {
  try {
    const { rows } = await prepared<{ version: number | null }>(database, 'read the migrations', {
      sql: 'SELECT max(version) AS version FROM holdfast.schema_migrations',
      values: [],
    });
    // A newer schema is fine: it only ever adds until the version after next.
    const wanted = MIGRATIONS.at(-1)?.version ?? 0;
    return (rows[0]?.version ?? 0) >= wanted ? undefined : 'the tables in Postgres, which a run makes';
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return `Postgres: ${error.code}: ${error.message}`;
  }
}
