import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../../base/errors.ts';
import { locateBinaries } from './binaries.ts';
import { removeCopies } from './binaries-copy.ts';
import { initialise } from './initialise.ts';
import { findPostmaster } from './postmaster.ts';
import { startServer } from './server.ts';
import { openServerLog, type ServerLog } from './server-log.ts';
import { chooseServerUser } from './server-user.ts';
import { joinServer, type ServerUse } from './shared-use.ts';

export interface EmbeddedPostgres {
  /** For `connect`, and for psql. */
  readonly url: string;
  /** Resolves when the server is gone, or this process has left it. */
  readonly ended: Promise<void>;
  /** Leaves the server; the last one to leave stops it. Close what was connected first. */
  stop(): Promise<void>;
}

const RETRY_MS = 50;
/** Twice what a recovery is given. */
const GIVE_UP_MS = 120_000;

/**
 * Starts Postgres over `folder`, or joins the one that already serves it, for another process or left behind by
 * one that was killed. It listens on a Unix socket in a private folder and nowhere else, and the terminal's
 * Ctrl-C does not reach it.
 * @throws HF_DATABASE_UNREACHABLE with the end of its log as the cause, HF_DATA_FOLDER, HF_DISK_FULL, HF_INTERRUPTED
 */
export async function startEmbeddedPostgres(options: {
  readonly folder: string;
  readonly signal?: AbortSignal;
}): Promise<EmbeddedPostgres> {
  const folder = await makeFolder(options.folder);
  const log = openLog(folder);
  try {
    const use = await obtain(folder, log, options.signal);
    let stopped: Promise<void> | undefined;
    return { url: use.url, ended: use.ended, stop: () => (stopped ??= use.leave()) };
  } catch (error) {
    throw error instanceof HoldfastError ? error : folderFailure(folder, error);
  } finally {
    log.close();
  }
}

/**
 * Stops the server of a folder if one runs: for clearing the folder away.
 * @throws HF_DATA_LOCKED when another process uses it
 */
export async function stopEmbeddedPostgres(options: { readonly folder: string }): Promise<void> {
  const data = await realpath(join(options.folder, 'data')).catch(() => undefined);
  const server = data === undefined ? undefined : await findPostmaster(data);
  if (data === undefined || server === undefined) return;
  await (await joinServer(data, server.pid))?.leave();
  if ((await findPostmaster(data))?.pid === server.pid) {
    throw new HoldfastError('HF_DATA_LOCKED', `another Holdfast process uses the Postgres of ${options.folder}`);
  }
}

/** Removes the copies of the server's programs that were made for root, unless a server runs from them. */
export async function removeServerCopies(): Promise<void> {
  const binaries = await locateBinaries().catch(() => undefined);
  if (binaries !== undefined) await removeCopies(binaries);
}

async function obtain(folder: string, log: ServerLog, signal?: AbortSignal): Promise<ServerUse> {
  const data = join(folder, 'data');
  const user = await chooseServerUser(await locateBinaries(), folder);
  await initialise(data, folder, user, log, signal);
  // A server can stop between being found and being joined, another process can be faster at starting one, and of one
  // that was killed some process can live a little longer.
  const giveUp = performance.now() + GIVE_UP_MS;
  while (performance.now() < giveUp) {
    const server = await findPostmaster(data);
    const use =
      server === undefined ? await startServer(data, user, log, signal) : await joinServer(data, server.pid, signal);
    if (use !== undefined) return use;
    await pause(RETRY_MS);
  }
  throw log.failure('the embedded Postgres does not stay up');
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await realpath(folder);
  } catch (cause) {
    throw folderFailure(folder, cause);
  }
}

function openLog(folder: string): ServerLog {
  try {
    return openServerLog(join(folder, 'postgres.log'));
  } catch (cause) {
    throw folderFailure(folder, cause);
  }
}

function folderFailure(folder: string, cause: unknown): HoldfastError {
  const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
  return full
    ? new HoldfastError('HF_DISK_FULL', `no room for the embedded Postgres in ${folder}`, { cause })
    : new HoldfastError('HF_DATA_FOLDER', `the folder of the embedded Postgres cannot be used: ${folder}`, { cause });
}
