import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

/** Where Debian has it. */
const PGBOUNCER = '/usr/sbin/pgbouncer';
export const hasPooler = existsSync(PGBOUNCER);

/** A real PgBouncer of a test's own, that listens on a Unix socket. */
export interface Pooler extends AsyncDisposable {
  url(parameters?: string): string;
}

/**
 * PgBouncer in the mode of transactions, otherwise as it comes, before the server of a URL with a `host` that is a folder.
 * @param ignored startup parameters that it drops
 * @param more lines of its configuration
 */
export async function openPooler(
  server: string,
  ignored: readonly string[] = [],
  more: readonly string[] = [],
): Promise<Pooler> {
  const { searchParams, username, pathname } = new URL(server);
  const host = searchParams.get('host') ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-pooler-'));
  // PgBouncer does not run as root: another user must be able to reach both sockets.
  await chmod(folder, 0o777);
  await chmod(host, 0o755);
  const file = join(folder, 'pgbouncer.ini');
  const settings = [
    '[databases]',
    `* = host=${host} user=${username}`,
    '[pgbouncer]',
    'pool_mode = transaction',
    'auth_type = any',
    'listen_port = 6432',
    `unix_socket_dir = ${folder}`,
    ...more,
    ...(ignored.length === 0 ? [] : [`ignore_startup_parameters = ${ignored.join(', ')}`]),
  ];
  await writeFile(file, `${settings.join('\n')}\n`);
  const asOther = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(PGBOUNCER, [...asOther, '-q', file], { cwd: '/tmp', stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    const socket = join(folder, '.s.PGSQL.6432');
    await until(
      'PgBouncer listens',
      async () => existsSync(socket),
      (listens) => listens,
      20_000,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: (parameters = '') => `postgres://holdfast@localhost:6432${pathname}?host=${folder}${parameters}`,
    [Symbol.asyncDispose]: stop,
  };
}
