import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import type { Io } from '../io.ts';
import { dataFolder, isDataFolder, lockDataFolder, MARKER } from '../local/data-folder.ts';

/**
 * Removes a data folder, and only one of ours.
 * @throws HF_DATA_FOLDER when the folder holds something else, HF_DATA_LOCKED while a run uses it
 */
export async function clean(options: { readonly data: string }, io: Io): Promise<number> {
  const folder = dataFolder(options.data);
  const { removeServerCopies, stopEmbeddedPostgres } = await import('../../database/embedded/embedded.ts');
  if (!existsSync(folder.path)) {
    io.stderr.write(`nothing to remove: ${folder.path} does not exist\n`);
    await removeServerCopies();
    return 0;
  }
  if (!isDataFolder(folder)) {
    throw new HoldfastError('HF_DATA_FOLDER', `${folder.path} is not a data folder of Holdfast: nothing was removed`);
  }
  {
    using _lock = lockDataFolder(folder);
    await stopEmbeddedPostgres({ folder: folder.postgres });
    // The marker goes last: what a Ctrl-C leaves behind is still known as ours, for the next try.
    for (const entry of readdirSync(folder.path).filter((name) => name !== MARKER)) {
      rmSync(join(folder.path, entry), { recursive: true, force: true });
    }
  }
  rmSync(folder.path, { recursive: true, force: true });
  await removeServerCopies();
  io.stderr.write(`removed ${folder.path}\n`);
  return 0;
}
