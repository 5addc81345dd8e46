import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../../base/errors.ts';
import { findPostmaster } from './postmaster.ts';
import type { ServerLog } from './server-log.ts';
import type { ServerUser } from './server-user.ts';
import { joinServer, type ServerUse } from './shared-use.ts';

const POLL_MS = 10;
const INSIST_MS = 5_000;

/** A server that was killed is gone, but some process of it is not yet; or another one was faster. */
const STILL_THERE = /shared memory block .* is still in use|lock file ".*" already exists/;

/** Given with each start, so that a data folder of an earlier version gets them too. */
const SETTINGS = {
  listen_addresses: '',
  max_connections: '50',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Short statements on a small machine: neither is worth its start.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // What a killed process left under way ends, and its locks with it.
  client_connection_check_interval: '1s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // What a statement failed on can quote customers; whoever sent it is told. This keeps what the server does itself.
  log_min_messages: 'log',
};

/**
 * Starts a server over a data folder and joins it; undefined when there is still another one.
 * @throws HF_DATABASE_UNREACHABLE, HF_DATA_FOLDER, HF_DISK_FULL, HF_INTERRUPTED
 */
export async function startServer(
  data: string,
  user: ServerUser,
  log: ServerLog,
  signal?: AbortSignal,
): Promise<ServerUse | undefined> {
  const socketFolder = await makeSocketFolder(data, user);
  const settings = Object.entries({ ...SETTINGS, unix_socket_directories: socketFolder }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const child = user.spawn('postgres', data, settings, log.descriptor);
  child.once('error', () => {});
  // It may outlive us, when another process uses it too.
  child.unref();
  const { pid } = child;
  if (pid === undefined) throw log.failure('the embedded Postgres cannot be started');
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  try {
    while (!ended() && (await findPostmaster(data))?.pid !== pid) await pause(POLL_MS);
    const joined = await joinServer(data, pid, signal);
    if (joined !== undefined) return joined;
  } catch (error) {
    if (!ended()) process.kill(pid, 'SIGINT');
    for (let waited = 0; !ended(); waited += POLL_MS) {
      // One that cannot write its last checkpoint does not end by itself.
      if (waited === INSIST_MS) process.kill(pid, 'SIGQUIT');
      await pause(POLL_MS);
    }
    throw error;
  }
  if ((await findPostmaster(data)) === undefined && !STILL_THERE.test(log.tail())) {
    await rmdir(socketFolder).catch(() => {});
    throw log.failure('the embedded Postgres cannot be started');
  }
  return undefined;
}

/**
 * A private folder with a short path: that of a Unix socket has at most 107 bytes.
 * @throws HF_DATA_FOLDER when somebody else's folder is in its place
 */
async function makeSocketFolder(data: string, user: ServerUser): Promise<string> {
  const folder = join(user.temporaryFolder, `holdfast-${createHash('sha256').update(data).digest('hex').slice(0, 12)}`);
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST')
      throw new HoldfastError('HF_DATA_FOLDER', `cannot make ${folder} for the socket of Postgres`, { cause: error });
  });
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const found = await lstat(folder);
  const trusted = [self.uid, user.owner?.uid];
  if (!found.isDirectory() || !trusted.includes(found.uid) || (found.mode & 0o077) !== 0) {
    throw new HoldfastError(
      'HF_DATA_FOLDER',
      `${folder} is for the socket of Postgres but is not a private folder of ours; remove it`,
    );
  }
  const { uid, gid } = user.owner ?? self;
  if (found.uid !== uid) await chown(folder, uid, gid);
  return folder;
}
