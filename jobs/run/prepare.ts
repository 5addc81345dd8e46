import type { RunNumbers } from '../postgres/begin-run.ts';
import type { Database } from '../postgres/database.ts';
import { joinRun, type OwnedRun } from '../postgres/join-run.ts';
import { migrate } from '../postgres/migrate.ts';

/** Brings the system of record to where a run's tasks need it; may be repeated at any time. */
export type Preparation = (database: Database, run: OwnedRun) => Promise<RunNumbers>;

/**
 * Migrates the schema, then gives the run its number.
 * @throws HF_MIGRATION_FAILED, HF_DATA_LOCKED, HF_MANIFEST_INVALID, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export const prepare: Preparation = async (database, run) => {
  await migrate(database);
  return joinRun(database, run);
};
