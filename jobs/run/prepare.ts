import type { Pipelines } from '../../contract/pipelines.ts';
import type { Database } from '../../database/client/database.ts';
import { migrate } from '../../database/migrations/migrate.ts';
import type { RunNumbers } from '../../database/runs/begin-run.ts';
import { type JoiningRun, joinRun } from '../../database/runs/join-run.ts';

/** Brings the system of record to where a run's tasks need it; may be repeated at any time. */
export type Preparation = (database: Database, run: JoiningRun) => Promise<RunNumbers>;

/**
 * Migrates the schema, then gives the run its number, by the lanes of a table of pipelines.
 * @throws HF_MIGRATION_FAILED, HF_DATA_LOCKED, HF_MANIFEST_INVALID, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export const prepareBy =
  (pipelines: Pipelines): Preparation =>
  async (database, run) => {
    await migrate(database);
    return joinRun(database, run, pipelines);
  };
