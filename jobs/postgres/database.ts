import type { Pool } from 'pg';

/** A pool of connections to the system of record, migrated to the schema this version needs. */
export interface Database {
  readonly pool: Pool;
  close(): Promise<void>;
}
