import { randomBytes } from 'node:crypto';
import { lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';

/**
 * Has a file written beside its place and put into it once it is whole: whatever fails, what was there before stays, and
 * nothing half is left. A link keeps leading where it does; one to
 * nothing is refused.
 * @param write writes the file at the path that it is given
 * @throws HF_USAGE when nothing can be written there, HF_DISK_FULL, and what `write` throws
 */
export async function writeWholeFile(file: string, write: (partial: string) => Promise<void>): Promise<void> {
  const target = await realpath(file).catch(() => file);
  if (target === file && (await lstat(file).catch(() => undefined))?.isSymbolicLink() === true) {
    throw new HoldfastError(
      'HF_USAGE',
      `cannot write ${file}: it is a link to nothing; remove it, or make what it leads to`,
    );
  }
  const kind = await stat(target).catch(() => undefined);
  if (kind !== undefined && !kind.isFile()) {
    throw new HoldfastError('HF_USAGE', `cannot write ${file}: it is ${kind.isDirectory() ? 'a folder' : 'no file'}`);
  }
  const partial = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.partial`);
  try {
    await write(partial);
    await settle(partial);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw fileFailure(error, file);
  }
}

/** What is renamed must be on the disk, or a crash could leave an empty file under the name. */
async function settle(file: string): Promise<void> {
  await using handle = await open(file, 'r+');
  await handle.sync();
}

function fileFailure(error: unknown, file: string): unknown {
  if (error instanceof HoldfastError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HoldfastError('HF_DISK_FULL', `no room left on the disk for ${file}`, { cause: error });
  }
  if (syscall === undefined) return error;
  const why = code === 'ENOENT' ? 'there is no such folder' : (code ?? 'unwritable');
  return new HoldfastError('HF_USAGE', `cannot write ${file}: ${why}`, { cause: error });
}
