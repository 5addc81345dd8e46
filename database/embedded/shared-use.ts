import { rmdir, statfs } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { HoldfastError } from '../../base/errors.ts';
import { databaseError, sqlstate } from '../../base/postgres/failure.ts';
import { SUPERUSER } from './initialise.ts';
import { findPostmaster, type Postmaster, stopPostmaster, waitUntilGone } from './postmaster.ts';

/**
 * An advisory lock that every process holds, shared, for as long as it uses the server. Only the last one can
 * take it exclusively, and it does so to stop the server: nobody can join in between.
 */
const USE_LOCK = '1751477356, 1';
const DATABASE = 'postgres';
const POLL_MS = 15;
/** Recovery after a crash reads back what was not yet in the tables. */
const READY_MS = 60_000;
const SHUTTING_DOWN_MS = 35_000;
/** After so long a server that does not get up is asked whether it lacks the room to. */
const ROOM_MS = 5_000;
/** Less than one file of a table can grow by. */
const LEAST_ROOM_BYTES = 64 * 1024;

/** One process's use of a server. */
export interface ServerUse {
  readonly url: string;
  /** Resolves when the server is gone, or this process has left it. */
  readonly ended: Promise<void>;
  /** Leaves the server, and stops it if nobody else is there. */
  leave(): Promise<void>;
}

/**
 * Waits for a server to answer and joins it; undefined when it stopped instead. One that runs but cannot be
 * reached any more, its socket cleared away with the temporary files, is stopped.
 * @throws HF_INTERRUPTED; HF_DISK_FULL, HF_DATABASE_FAILED when it turns everybody away
 */
export async function joinServer(data: string, pid: number, signal?: AbortSignal): Promise<ServerUse | undefined> {
  for (let waited = 0; waited < READY_MS; waited += POLL_MS) {
    if (signal?.aborted === true)
      throw new HoldfastError('HF_INTERRUPTED', 'interrupted while waiting for the embedded Postgres');
    const server = await findPostmaster(data);
    if (server?.pid !== pid) return undefined;
    const answer = await tryToConnect(server.socketFolder);
    if (answer instanceof Client) return use(data, server, answer);
    if (answer === 'starting' && waited >= ROOM_MS && !(await hasRoom(data)))
      throw new HoldfastError('HF_DISK_FULL', `no room for the embedded Postgres in ${data}: it does not get up`);
    if (answer === 'stopping') await waitUntilGone(data, server, SHUTTING_DOWN_MS);
    if (answer === 'unreachable' && server.ready) await stopPostmaster(data, server);
    await pause(POLL_MS);
  }
  return undefined;
}

async function hasRoom(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize >= LEAST_ROOM_BYTES;
}

/** Starting or stopping, recovering from a crash, or out of connections: it may be otherwise the next time. */
const PASSING = /^(57P0[123]|53300|08...)$/;

/**
 * A connection that holds the lock, or why there is none.
 * @throws HF_DISK_FULL, HF_DATABASE_FAILED when the server says why it lets nobody in, and waiting would not help
 */
async function tryToConnect(socketFolder: string): Promise<Client | 'starting' | 'stopping' | 'unreachable'> {
  const client = new Client({
    host: socketFolder,
    user: SUPERUSER,
    database: DATABASE,
    application_name: 'holdfast presence',
  });
  client.on('error', () => {});
  try {
    await client.connect();
    if (await tryLock(client, 'pg_try_advisory_lock_shared')) return client;
    await client.end();
    return 'stopping';
  } catch (error) {
    await client.end().catch(() => {});
    const state = sqlstate(error);
    if (state !== undefined && !PASSING.test(state)) throw databaseError(error, 'take a connection');
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ECONNREFUSED' ? 'unreachable' : 'starting';
  }
}

function use(data: string, server: Postmaster, client: Client): ServerUse {
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  return {
    ended,
    url: `postgresql://${SUPERUSER}@localhost/${DATABASE}?host=${encodeURIComponent(server.socketFolder)}`,
    async leave() {
      // When the connection is lost, so is the server, and there is nothing to stop.
      const last = await client
        .query(`SELECT pg_advisory_unlock_shared(${USE_LOCK})`)
        .then(() => tryLock(client, 'pg_try_advisory_lock'))
        .catch(() => false);
      if (last) await stopPostmaster(data, server);
      await client.end().catch(() => {});
      if (last) await rmdir(server.socketFolder).catch(() => {});
    },
  };
}

async function tryLock(client: Client, lock: 'pg_try_advisory_lock' | 'pg_try_advisory_lock_shared'): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(`SELECT ${lock}(${USE_LOCK}) AS held`);
  return rows[0]?.held === true;
}
