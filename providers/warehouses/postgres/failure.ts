import { withoutValues } from '../../../base/duckdb/failure.ts';
import { HoldfastError } from '../../../base/errors.ts';
import { isConnectionLost, sqlstate } from '../../../base/postgres/failure.ts';
import { missingRight, NEEDS } from '../../../base/postgres/missing-right.ts';
import { unread } from '../duckdb/failure.ts';

/** Classes of SQLSTATE whose messages name objects, settings and limits, but never a value of a row. */
const WITHOUT_VALUES = new Set(['0A', '25', '28', '3D', '3F', '40', '42', '53', '54', '55', '57']);

/** Classes of SQLSTATE of what another moment may bring: no connection, resources, locks, a conflict, an operator. */
const PASSING = new Set(['08', '40', '53', '55', '57', '58', 'XX']);

/** A statement that Postgres did not carry out, or a connection that was lost: what may be shown of it. */
export class PostgresFailure extends Error {
  /** SQLSTATE of the server's answer; undefined when there was none. */
  readonly state: string | undefined;
  /** Whether another moment may bring what failed now. */
  readonly passing: boolean;

  /** @param error undefined where it is we who do not go on */
  constructor(error: unknown, reason: string) {
    super(reason);
    this.name = 'PostgresFailure';
    this.state = sqlstate(error);
    this.passing = this.state === undefined ? error !== undefined : PASSING.has(this.state.slice(0, 2));
  }
}

/**
 * @param planning whether no row had been read, so that a syntax error can quote the statement only
 * @param role that reads the warehouse
 */
export function postgresFailure(error: unknown, planning: boolean, role: string): PostgresFailure {
  const state = sqlstate(error);
  // What it calls a violation of the protocol is a statement of ours that was given no values.
  if (state === '08P01') return new PostgresFailure(error, 'it has parameters (SQLSTATE 08P01)');
  if (isConnectionLost(error)) return new PostgresFailure(error, 'the connection to Postgres was lost');
  if (state === undefined) return new PostgresFailure(error, 'Postgres gave an answer that cannot be read');
  if (state === '42501') {
    const why = missingRight(firstLine((error as Error).message), role, NEEDS.WAREHOUSE_READER);
    return new PostgresFailure(error, `${why} (SQLSTATE 42501)`);
  }
  const shown = WITHOUT_VALUES.has(state.slice(0, 2)) && (planning || !state.startsWith('42'));
  const hidden = state.startsWith('22')
    ? 'a cast or a calculation fails on a value of some row'
    : 'the details may hold values and are left out';
  return new PostgresFailure(error, `${shown ? firstLine((error as Error).message) : hidden} (SQLSTATE ${state})`);
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}

/** Not a SELECT, more than one statement, a parameter, a statement that writes or would be allowed to. */
const NOT_ONE_SELECT = /^(42601|0A000|08P01|25006|25001)$/;

/**
 * Runs work on a warehouse in Postgres and names the connector and the work when it fails, never what the rows hold.
 * @throws HF_QUERY_REFUSED, HF_WAREHOUSE_UNREADABLE, HF_WAREHOUSE_UNREACHABLE, HF_DISK_FULL
 */
export function readingFromPostgres<Result>(
  connectorId: string,
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const connector = `Connector ${connectorId}`;
  return withoutValues(
    async () => {
      try {
        return await work();
      } catch (error) {
        throw error instanceof PostgresFailure ? asError(error, connector, what) : error;
      }
    },
    (reason, cause, passing) =>
      new HoldfastError(unread(passing), `${connector}: cannot ${what}: ${reason}`, { cause }),
    `${connector}: no room left on the disk to ${what}; free some, or use another --data DIR.`,
  );
}

function asError(cause: PostgresFailure, connector: string, what: string): HoldfastError {
  const { state, message } = cause;
  if (NOT_ONE_SELECT.test(state ?? '')) {
    const sentence = `${connector}: the query must be one single SELECT that changes nothing, and Postgres says: ${message}.`;
    return new HoldfastError('HF_QUERY_REFUSED', sentence, { cause });
  }
  if (state === '57014' && message.includes('statement timeout')) return tookTooLong(connector, what, cause);
  return new HoldfastError(unread(cause.passing), `${connector}: cannot ${what}: ${message}`, { cause });
}

/** @param connector as sentences call it */
export function tookTooLong(connector: string, what: string, cause?: unknown): HoldfastError {
  const sentence = `${connector}: cannot ${what}: it took longer than the connector's statementTimeoutSeconds; make the query faster, or allow more.`;
  return new HoldfastError('HF_WAREHOUSE_UNREACHABLE', sentence, { cause });
}
