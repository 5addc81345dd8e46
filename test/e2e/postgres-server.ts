import { randomBytes } from 'node:crypto';
import { appendFile, chown, mkdir, open, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { locateBinaries } from '../../database/embedded/binaries.ts';
import { chooseServerUser } from '../../database/embedded/server-user.ts';
import { endOf } from '../cluster/ending.ts';

const PORT = 5432;
const READY_MS = 30_000;

/** A Postgres that pods reach over the network, each with the password of its own database. */
export interface PostgresServer {
  /** Makes a database and the user who owns it, anew if they are there, and resolves to its URL. */
  makeDatabase(name: string): Promise<string>;
}

/**
 * Starts the Postgres that is installed with the project. It ends with the namespace of processes that it is in.
 * @param address where it listens
 */
export async function startPostgres(folder: string, address: string): Promise<PostgresServer> {
  await mkdir(folder);
  const user = await chooseServerUser(await locateBinaries(), folder);
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const password = randomBytes(16).toString('hex');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, password);
  for (const path of [data, passwordFile]) {
    if (user.owner !== undefined) await chown(path, user.owner.uid, user.owner.gid);
  }
  // Closed on every way out: one that is left to the garbage collector ends the process, and hides why.
  await using log = await open(join(folder, 'postgres.log'), 'a');
  // From its data folder: the folders above may be closed to the user who runs it.
  const authentication = ['--auth=scram-sha-256', `--pwfile=${relative(data, passwordFile)}`];
  const how = ['--username=admin', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];
  const initdb = user.spawn('initdb', data, [...authentication, ...how], log.fd);
  const status = await endOf(initdb, 'the end of initdb', READY_MS);
  if (status !== 0) throw new Error(`initdb ended with ${status}: see ${join(folder, 'postgres.log')}`);
  await appendFile(join(data, 'pg_hba.conf'), 'host all all all scram-sha-256\n');
  const settings = {
    listen_addresses: address,
    port: String(PORT),
    unix_socket_directories: '',
    max_connections: '100',
    fsync: 'off',
    // What a pod that is gone left under way ends, and its locks with it.
    client_connection_check_interval: '1s',
    timezone: 'UTC',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = user.spawn('postgres', data, flags, log.fd);
  server.once('error', () => {});

  const url = (name: string, secret: string, database: string) =>
    `postgres://${name}:${secret}@${address}:${PORT}/${database}`;
  const asAdministrator = async (...statements: string[]) => {
    const client = new Client({ connectionString: url('admin', password, 'postgres') });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const deadline = Date.now() + READY_MS;
  for (;;) {
    try {
      await asAdministrator('SELECT');
      break;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await pause(100);
    }
  }
  return {
    async makeDatabase(name) {
      const secret = randomBytes(16).toString('hex');
      await asAdministrator(
        `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`,
        `DROP ROLE IF EXISTS "${name}"`,
        `CREATE ROLE "${name}" LOGIN PASSWORD '${secret}'`,
        `CREATE DATABASE "${name}" OWNER "${name}" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`,
      );
      return url(name, secret, name);
    },
  };
}
