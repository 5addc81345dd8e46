import { access, chown, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { partialPrefix, removeLeftovers } from './partial-folder.ts';
import type { ServerLog } from './server-log.ts';
import type { ServerUser } from './server-user.ts';

/** The superuser of the embedded server; only the owner of its socket can be it. */
export const SUPERUSER = 'holdfast';

/**
 * Makes the data folder, or leaves one that is there alone. It appears whole or not at all: initdb works under
 * another name, and what a killed one left behind is removed.
 * @throws HF_INTERRUPTED, HF_DATABASE_REFUSED, HF_DATA_FOLDER, HF_DISK_FULL
 */
export async function initialise(
  data: string,
  folder: string,
  user: ServerUser,
  log: ServerLog,
  signal?: AbortSignal,
): Promise<void> {
  if (await isInitialised(data)) return;
  await removeLeftovers(folder);
  const partial = await mkdtemp(join(folder, partialPrefix()));
  try {
    if (user.owner !== undefined) await chown(partial, user.owner.uid, user.owner.gid);
    await runInitdb(partial, user, log, signal);
    await rename(partial, data);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another process may have been faster.
    if (!(error instanceof HoldfastError) && (await isInitialised(data))) return;
    throw error;
  }
}

async function isInitialised(data: string): Promise<boolean> {
  return access(join(data, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

function runInitdb(partial: string, user: ServerUser, log: ServerLog, signal?: AbortSignal): Promise<void> {
  const child = user.spawn(
    'initdb',
    partial,
    [
      `--username=${SUPERUSER}`,
      // The socket lies in a private folder: who can reach it may connect.
      '--auth=trust',
      '--encoding=UTF8',
      // Sorts by code point, the same on every machine and after every upgrade of the C library.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
      '--no-instructions',
    ],
    log.descriptor,
  );
  // initdb runs servers of its own: the whole process group has to go.
  const abort = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
  return new Promise<void>((resolve, reject) => {
    signal?.addEventListener('abort', abort, { once: true });
    child.once('error', (cause) =>
      reject(new HoldfastError('HF_DATABASE_REFUSED', 'initdb cannot be started', { cause })),
    );
    child.once('exit', (status) => {
      if (signal?.aborted === true)
        reject(new HoldfastError('HF_INTERRUPTED', 'interrupted while the embedded Postgres was being set up'));
      else if (status === 0) resolve();
      else reject(log.failure('the embedded Postgres cannot be set up'));
    });
  }).finally(() => signal?.removeEventListener('abort', abort));
}
