import type { ChildProcess } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { locateBinaries } from '../../../database/embedded/binaries.ts';
import { initialise, SUPERUSER } from '../../../database/embedded/initialise.ts';
import { openServerLog } from '../../../database/embedded/server-log.ts';
import { chooseServerUser } from '../../../database/embedded/server-user.ts';
import { endOf } from '../../cluster/ending.ts';
import { until } from '../../support/until.ts';

/** A Postgres server of our own that can be killed and started again. */
export interface KillableServer extends AsyncDisposable {
  readonly socketFolder: string;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** Sends a signal to the postmaster. */
  signal(name: NodeJS.Signals): void;
  /** Starts it again if it has gone, and waits until it answers. */
  revive(): Promise<void>;
  /** A connection that goes around every proxy. */
  connect(database: string): Promise<Client>;
}

const READY_MS = 60_000;

/** Where a URL finds a server, or a proxy, whose socket is in a folder. */
export function urlOf(socketFolder: string, database: string): string {
  return `postgresql://${SUPERUSER}@localhost/${database}?host=${encodeURIComponent(socketFolder)}`;
}

/** @param folder with a short path: that of a Unix socket has at most 107 bytes */
export async function startServer(folder: string): Promise<KillableServer> {
  const data = join(folder, 'data');
  const user = await chooseServerUser(await locateBinaries(), folder);
  // Where the server's user can pass: `folder` is closed to all but us.
  const socketFolder = await mkdtemp(join(user.temporaryFolder, 'hfs-'));
  if (user.owner !== undefined) await chown(socketFolder, user.owner.uid, user.owner.gid);
  const log = openServerLog(join(folder, 'postgres.log'));
  await initialise(data, folder, user, log);

  const launch = (): ChildProcess => {
    const settings = {
      listen_addresses: '',
      unix_socket_directories: socketFolder,
      shared_buffers: '32MB',
      max_wal_size: '1GB',
      // Processes die here, the machine does not: what was written stays written.
      fsync: 'off',
      timezone: 'UTC',
    };
    const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = user.spawn('postgres', data, parameters, log.descriptor);
    child.once('error', () => {});
    return child;
  };
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const connect = async (database: string): Promise<Client> => {
    const client = new Client({ connectionString: urlOf(socketFolder, database), connectionTimeoutMillis: 5000 });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const answers = async (): Promise<boolean> => {
    // Of one that was killed a process can live on for a moment, and with it its memory: then the next does not start.
    if (hasEnded()) child = launch();
    try {
      const client = await connect('postgres');
      await client.end();
      return true;
    } catch {
      return false;
    }
  };
  let child = launch();
  const server: KillableServer = {
    socketFolder,
    get pid() {
      return child.pid ?? 0;
    },
    signal: (name) => {
      if (!hasEnded()) process.kill(server.pid, name);
    },
    async revive() {
      await until('the server answers', answers, (does) => does, READY_MS);
    },
    connect,
    async [Symbol.asyncDispose]() {
      if (!hasEnded()) {
        const ended = endOf(child, 'the end of the server after SIGQUIT', READY_MS);
        server.signal('SIGQUIT');
        await ended;
      }
      log.close();
      await rm(socketFolder, { recursive: true, force: true });
    },
  };
  await server.revive();
  return server;
}
