import { DatabaseError } from 'pg';
import { HoldfastError } from '../errors.ts';
import { missingRight, NEEDS } from './missing-right.ts';
import { noConnectionLeft } from './no-connection-left.ts';

/** SQLSTATE class 08 is the connection, 57P01 to 57P03 a server that stops or starts. */
const CONNECTION_LOST = /^(08...|57P0[123])$/;
/** Undefined table, column or schema. */
const NO_TABLES = new Set(['42P01', '42703', '3F000']);
const SOCKET_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
]);

interface Asker {
  /** Which role its statements run as. */
  readonly role: string;
  /** Whether nothing is meant to be changed. */
  readonly readOnly: boolean;
}

/**
 * What went wrong in Postgres, as a person should read it. `doing` completes the sentence "Postgres failed to …".
 * A failure that has a code of ours already passes through.
 * @param asker whom a missing right is told of
 */
export function databaseError(error: unknown, doing: string, asker?: Asker): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const cause = withoutRows(error);
  const state = sqlstate(error);
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC') {
    return new HoldfastError('HF_DISK_FULL', `no room left on this machine to ${doing}`, { cause });
  }
  if (state === '53100')
    return new HoldfastError('HF_DISK_FULL', `the disk of Postgres is full: it failed to ${doing}`, { cause });
  if (state !== undefined && NO_TABLES.has(state)) {
    const message = `the database has no tables of Holdfast, or older ones: run a program first (failed to ${doing})`;
    return new HoldfastError('HF_NOT_MIGRATED', message, { cause });
  }
  if (state === '42501') {
    const said = (error as Error).message;
    const needs = asker?.readOnly === true ? NEEDS.RECORD_READER : NEEDS.RECORD_WRITER;
    const why = asker === undefined ? said : missingRight(said, asker.role, needs);
    return new HoldfastError('HF_DATABASE_REFUSED', `Postgres failed to ${doing}: ${why}`, { cause });
  }
  const full = noConnectionLeft(error);
  if (full !== undefined) {
    return new HoldfastError('HF_DATABASE_UNREACHABLE', `Postgres failed to ${doing}: ${full}`, { cause });
  }
  // A limit of the server or the role, which the message names: of temporary files, of memory, of locks.
  if (state?.startsWith('53') === true) {
    const message = `Postgres failed to ${doing}: ${(error as Error).message} (SQLSTATE ${state})`;
    return new HoldfastError('HF_DATABASE_FAILED', message, { cause });
  }
  if (state !== undefined && !isConnectionLost(error)) {
    return new HoldfastError('HF_DATABASE_FAILED', `Postgres failed to ${doing} (SQLSTATE ${state})`, { cause });
  }
  if (isConnectionLost(error)) {
    return new HoldfastError('HF_DATABASE_UNREACHABLE', `the connection to Postgres was lost: it failed to ${doing}`, {
      cause,
    });
  }
  return new HoldfastError('HF_DATABASE_FAILED', `Postgres failed to ${doing}`, { cause });
}

/** The SQLSTATE of an answer of the server; undefined when it was not the server that failed. */
export function sqlstate(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** Whether the connection failed rather than the statement. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlstate(error);
  if (state !== undefined) return CONNECTION_LOST.test(state);
  if (!(error instanceof Error)) return false;
  return (
    SOCKET_ERRORS.has((error as NodeJS.ErrnoException).code ?? '') ||
    /connection (terminated|ended)|not queryable|timeout/i.test(error.message)
  );
}

/**
 * The server's `detail`, `where` and quoted values can hold what customers typed, and a cause ends up in a log:
 * keep what the server says, drop what it quotes from rows.
 */
export function withoutRows(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const message = error.code?.startsWith('22') === true ? error.message.replace(/".*"/s, '"…"') : error.message;
  const clean = new Error(message);
  clean.name = 'PostgresError';
  return Object.assign(clean, {
    code: error.code,
    schema: error.schema,
    table: error.table,
    constraint: error.constraint,
  });
}
