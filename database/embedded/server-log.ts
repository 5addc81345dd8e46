import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { HoldfastError } from '../../base/errors.ts';

/** Beyond this the log of earlier servers is dropped. */
const LARGEST_BYTES = 4 * 1024 * 1024;
const TAIL_BYTES = 4096;
const TAIL_LINES = 8;

/** The file that Postgres and initdb write what they have to say to. */
export interface ServerLog {
  readonly descriptor: number;
  /** The last lines. */
  tail(): string;
  /** An error with the last lines as its cause, told apart by what they say. */
  failure(message: string): HoldfastError;
  close(): void;
}

/** Opens the log for appending; what is read back is only what was written since. */
export function openServerLog(file: string): ServerLog {
  const descriptor = openSync(file, 'a+', 0o600);
  let start = fstatSync(descriptor).size;
  if (start > LARGEST_BYTES) {
    ftruncateSync(descriptor, 0);
    start = 0;
  }
  return {
    descriptor,
    tail: () => tail(descriptor, start),
    failure: (message) => failure(message, file, tail(descriptor, start)),
    close: () => closeSync(descriptor),
  };
}

function tail(descriptor: number, start: number): string {
  const { size } = fstatSync(descriptor);
  const from = Math.max(start, size - TAIL_BYTES);
  const buffer = Buffer.alloc(Math.max(0, size - from));
  const bytes = readSync(descriptor, buffer, 0, buffer.length, from);
  return buffer.toString('utf8', 0, bytes).trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

function failure(message: string, file: string, lines: string): HoldfastError {
  const cause = new Error(lines);
  cause.name = 'PostgresLog';
  if (/No space left on device/.test(lines))
    return new HoldfastError('HF_DISK_FULL', `${message}: the disk is full`, { cause });
  if (/could not look up effective user ID/.test(lines)) {
    return new HoldfastError(
      'HF_DATABASE_REFUSED',
      `${message}: this user has no entry in /etc/passwd, which initdb asks for; add one, run as another user, or set DATABASE_URL`,
      { cause },
    );
  }
  if (
    /Permission denied|wrong ownership|invalid permissions|incompatible with server|Read-only file system/.test(lines)
  ) {
    return new HoldfastError('HF_DATA_FOLDER', `${message}: its folder cannot be used; see ${file}`, { cause });
  }
  return new HoldfastError('HF_DATABASE_UNREACHABLE', `${message}; see ${file}`, { cause });
}
