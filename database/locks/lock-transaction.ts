import type { ClientBase } from 'pg';

/** A transaction that waits, or idles, for as long as a run lasts; the server finds out within a minute that nobody is there. */
const SETTINGS = {
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  transaction_timeout: '0',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
};

/**
 * Begins a transaction that is to do nothing but hold a lock: a pooler in the mode of transactions hands a session to
 * somebody else between two of them, and what the session has locked with it. It has no snapshot while it idles, so that
 * it keeps no vacuum waiting.
 */
export async function beginLockTransaction(client: ClientBase): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY');
  // Those that this version of the server knows.
  await client.query(
    `SELECT set_config(name, value, true) FROM json_each_text($1) AS wanted (name, value)
     WHERE EXISTS (SELECT FROM pg_catalog.pg_settings AS known WHERE known.name = wanted.name)`,
    [JSON.stringify(SETTINGS)],
  );
}

/** Gives the lock free, and resolves to whether the connection may be used again. */
export function endLockTransaction(client: ClientBase): Promise<boolean> {
  return client.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}
