import { type Client, Pool, type PoolClient } from 'pg';
import { HoldfastError } from '../../base/errors.ts';
import { type Address, connectFailure, readAddress, refusedSetting } from '../../base/postgres/address.ts';
import { withoutRows } from '../../base/postgres/failure.ts';
import { type Patience, untilConnectionLeft } from '../../base/postgres/no-connection-left.ts';
import type { Database } from './database.ts';

export interface ConnectOptions {
  /** What the server shows as `application_name`. */
  readonly applicationName: string;
  /** Most connections at once (default 4). A run under way holds one for its lock. */
  readonly maximum?: number;
  /** Refuses every statement that would change anything. */
  readonly readOnly?: boolean;
  /** By default it is an error at once that no connection is left. */
  readonly patience?: Patience;
  /** For who answers requests: somebody waits, and many at once. */
  readonly limits?: Limits;
}

/** Milliseconds. */
interface Limits {
  /** For a connection, a new one or one that another request uses. */
  readonly connectMs: number;
  /** For a statement, by the server. */
  readonly statementMs: number;
  /** For the use of a connection, by us: a server that went away without a word answers nothing. It ends with it. */
  readonly useMs: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Of a task: one holds its turn, one does its work. */
const TASK_CONNECTIONS = 2;
/** What no statement should need; a bulk load lifts it for itself. */
const STATEMENT_TIMEOUT_MS = 60_000;
/** A process that stopped in the middle of a transaction does not hold its locks for ever. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 600_000;

/**
 * Opens a pool and makes one connection, so that a wrong address is known now. A pooler may be in between, in the mode of
 * transactions too: then nothing rests on the session, see `Database.begin`.
 * @param url `postgres://user:password@host:port/database?sslmode=…`, as libpq takes it
 * @throws HF_DATABASE_UNREACHABLE, HF_DATABASE_REFUSED naming the host, never the password
 */
export async function connect(url: string, options: ConnectOptions): Promise<Database> {
  const address = readAddress(url);
  // A cause would quote the URL, and with it the password.
  if ('fault' in address) throw new HoldfastError('HF_DATABASE_REFUSED', `DATABASE_URL ${address.fault}`);
  try {
    return await untilConnectionLeft(options.patience, () =>
      open(address, options, true).catch((error: unknown) => {
        if (refusedSetting(error) === undefined) throw error;
        return open(address, options, false);
      }),
    );
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const { reason, isPermanent } = connectFailure(error, address.url);
    throw new HoldfastError(
      isPermanent ? 'HF_DATABASE_REFUSED' : 'HF_DATABASE_UNREACHABLE',
      `cannot connect to Postgres at ${address.target}: ${reason}`,
      { cause: withoutRows(error) },
    );
  }
}

/** @param settings whether the sessions are started with our limits, which a pooler may refuse */
async function open(address: Address, options: ConnectOptions, settings: boolean): Promise<Database> {
  const { readOnly = false } = options;
  const { limits = { connectMs: CONNECT_TIMEOUT_MS, statementMs: STATEMENT_TIMEOUT_MS, useMs: undefined } } = options;
  const pool = new Pool({
    connectionString: address.url,
    application_name: options.applicationName,
    max: options.maximum ?? 4,
    connectionTimeoutMillis: limits.connectMs,
    idleTimeoutMillis: 30_000,
    ...(options.patience === undefined ? {} : { min: TASK_CONNECTIONS }),
    keepAlive: true,
    ...(settings
      ? {
          statement_timeout: limits.statementMs,
          idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
          ...(readOnly ? { options: '-c default_transaction_read_only=on' } : {}),
        }
      : {}),
  });
  // Without a listener the loss of a connection that nobody waits for would end the process; whoever uses one
  // learns of the loss from the statement under way.
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  const inUse = new Map<PoolClient, number>();
  pool.on('acquire', (client) => inUse.set(client, performance.now()));
  pool.on('release', (_error, client) => inUse.delete(client));
  const watch = limits.useMs === undefined ? undefined : endOverdue(inUse, limits.useMs);
  async function close() {
    if (pool.ending) return;
    clearInterval(watch);
    const ended = pool.end();
    // The pool would wait for what nobody may give back any more, such as the lock of a run that failed.
    if (inUse.size === 0) await ended;
    else await Promise.all([...inUse.keys()].map(end));
  }
  try {
    const { isOurs, role } = await askFirst(pool, address);
    if (options.patience !== undefined) await fill(pool, TASK_CONNECTIONS);
    if (isOurs) return { pool, role, readOnly, close };
    const begin =
      `BEGIN${readOnly ? ' READ ONLY' : ''}; SET LOCAL statement_timeout = ${limits.statementMs}; ` +
      `SET LOCAL idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_TIMEOUT_MS}`;
    return { pool, role, readOnly, begin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Refuses a database that cannot hold every text, and resolves to the role and to whether the session is ours: the process
 * that a pooler says to be connected to is none of the server's.
 */
async function askFirst(pool: Pool, { target }: Address): Promise<{ isOurs: boolean; role: string }> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ encoding: string; process: number; role: string }>(
      `SELECT current_setting('server_encoding') AS encoding, pg_backend_pid() AS process, current_user AS role`,
    );
    const { encoding, process, role = '' } = rows[0] ?? {};
    if (encoding !== 'UTF8') {
      throw new HoldfastError(
        'HF_DATABASE_REFUSED',
        `the database ${target} has the encoding ${encoding}: make one with ENCODING 'UTF8'`,
      );
    }
    const isOurs = (client as unknown as { readonly processID: number | null }).processID === process;
    return { isOurs, role };
  } finally {
    client.release();
  }
}

/** Opens all that the work needs, or none: of many who had one and waited for the second nobody would get on. */
async function fill(pool: Pool, count: number): Promise<void> {
  const opened = await Promise.allSettled(Array.from({ length: count }, () => pool.connect()));
  for (const one of opened) if (one.status === 'fulfilled') one.value.release();
  for (const one of opened) if (one.status === 'rejected') throw one.reason;
}

function ignore(): void {}

/**
 * Ends every connection that is in use for longer; who uses it learns that it was lost, and it does not go back to the
 * pool. The driver's own `query_timeout` makes a timer for each query, which costs more than the query.
 */
function endOverdue(inUse: ReadonlyMap<PoolClient, number>, useMs: number): NodeJS.Timeout {
  const look = () => {
    const latest = performance.now() - useMs;
    for (const [client, since] of inUse) if (since < latest) end(client).catch(ignore);
  };
  return setInterval(look, Math.min(1000, useMs)).unref();
}

function end(client: PoolClient): Promise<void> {
  return (client as unknown as Client).end();
}
