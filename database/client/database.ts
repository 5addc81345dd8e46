import type { Pool } from 'pg';

/** A pool of connections to the system of record, migrated to the schema this version needs. */
export interface Database {
  readonly pool: Pool;
  /** Which role its statements run as. */
  readonly role: string;
  /** Whether nothing is meant to be changed through it. */
  readonly readOnly: boolean;
  /**
   * How a transaction begins behind a pooler, in place of BEGIN: with the limits that a session of our own is started with.
   * Undefined where the session is ours.
   */
  readonly begin?: string;
  close(): Promise<void>;
}
