import { type Client, Pool, type PoolClient } from 'pg';
import { HoldfastError } from '../errors.ts';
import type { Database } from './database.ts';
import { sqlstate, withoutRows } from './failure.ts';

export interface ConnectOptions {
  /** What the server shows as `application_name`. */
  readonly applicationName: string;
  /** Most connections at once (default 4). A run under way holds one for its lock. */
  readonly maximum?: number;
  /** Refuses every statement that would change anything. */
  readonly readOnly?: boolean;
  /** For who answers requests: somebody waits, and many at once. */
  readonly limits?: Limits;
}

/** Milliseconds. */
interface Limits {
  /** For a connection, a new one or one that another request uses. */
  readonly connectMs: number;
  /** For a statement, by the server. */
  readonly statementMs: number;
  /** For a statement, by us: of a server that no longer answers. The connection does not come back from it. */
  readonly queryMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** What no statement should need; a bulk load lifts it for itself. */
const STATEMENT_TIMEOUT_MS = 60_000;
/** A process that stopped in the middle of a transaction does not hold its locks for ever. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 600_000;

/**
 * Opens a pool and makes one connection, so that a wrong address is known now.
 * @param url `postgres://user:password@host:port/database?sslmode=…`, as libpq takes it
 * @throws HF_DATABASE_UNREACHABLE naming the host, never the password
 */
export async function connect(url: string, options: ConnectOptions): Promise<Database> {
  const target = describeTarget(url);
  const limits: Limits = options.limits ?? { connectMs: CONNECT_TIMEOUT_MS, statementMs: STATEMENT_TIMEOUT_MS };
  const pool = new Pool({
    connectionString: url,
    application_name: options.applicationName,
    max: options.maximum ?? 4,
    connectionTimeoutMillis: limits.connectMs,
    idleTimeoutMillis: 30_000,
    statement_timeout: limits.statementMs,
    ...(limits.queryMs === undefined ? {} : { query_timeout: limits.queryMs }),
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    ...(options.readOnly === true ? { options: '-c default_transaction_read_only=on' } : {}),
  });
  // Without a listener the loss of a connection that nobody waits for would end the process; whoever uses one
  // learns of the loss from the statement under way.
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  const inUse = new Set<PoolClient>();
  pool.on('acquire', (client) => inUse.add(client));
  pool.on('release', (_error, client) => inUse.delete(client));
  const database: Database = {
    pool,
    async close() {
      if (pool.ending) return;
      const ended = pool.end();
      // The pool would wait for what nobody may give back any more, such as the lock of a run that failed.
      if (inUse.size === 0) await ended;
      else await Promise.all([...inUse].map((client) => (client as unknown as Client).end()));
    },
  };
  try {
    const { rows } = await pool.query<{ encoding: string }>(`SELECT current_setting('server_encoding') AS encoding`);
    if (rows[0]?.encoding === 'UTF8') return database;
    throw new Error(`its encoding is ${rows[0]?.encoding}: make a database with ENCODING 'UTF8'`);
  } catch (error) {
    await database.close();
    throw new HoldfastError('HF_DATABASE_UNREACHABLE', `cannot connect to Postgres at ${target}: ${reason(error)}`, {
      cause: withoutRows(error),
    });
  }
}

/** Where a connection URL points, for people: without user, password and parameters. */
function describeTarget(url: string): string {
  try {
    const { protocol, hostname, port, pathname, searchParams } = new URL(url);
    if (protocol !== 'postgres:' && protocol !== 'postgresql:') throw new TypeError();
    return `${searchParams.get('host') ?? hostname}${port === '' ? '' : `:${port}`}${pathname}`;
  } catch {
    // The cause would quote the URL, and with it the password.
    throw new HoldfastError(
      'HF_DATABASE_UNREACHABLE',
      'DATABASE_URL is not of the form postgres://user:password@host:port/database',
    );
  }
}

function reason(error: unknown): string {
  const state = sqlstate(error);
  if (state === '3D000') return 'there is no such database';
  if (state?.startsWith('28') === true) return 'the user or the password is refused';
  if (state === '53300') return 'it has no connection left';
  if (state === '57P03') return 'it is starting up or shutting down';
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return 'nothing listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host is not known';
    default:
      return error instanceof Error ? error.message : 'unknown reason';
  }
}

function ignore(): void {}
