import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from './errors.ts';

/**
 * Makes a folder of our own among the temporary files, or in `parent`, which is made as well.
 * @param prefix of its name, as in `holdfast-init-`
 * @throws HF_DATA_FOLDER when nothing can be written there, HF_DISK_FULL
 */
export async function makeTemporaryFolder(prefix: string, parent?: string): Promise<string> {
  const place = parent ?? tmpdir();
  try {
    if (parent !== undefined) await mkdir(parent, { recursive: true });
    return await mkdtemp(join(place, prefix));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw new HoldfastError('HF_DISK_FULL', `no room left in ${place}`, { cause });
    const wrong = code === 'ENOENT' || code === 'ENOTDIR' ? 'is not a folder' : `cannot be written to (${code})`;
    throw new HoldfastError('HF_DATA_FOLDER', parent === undefined ? temporary(wrong) : `${place} ${wrong}`, { cause });
  }
}

function temporary(wrong: string): string {
  const place = tmpdir();
  const variable = ['TMPDIR', 'TMP', 'TEMP'].find((name) => (process.env[name] ?? '') !== '');
  return variable === undefined
    ? `${place}, for temporary files, ${wrong}: set TMPDIR to a folder that can be written to`
    : `${variable} names ${place}, which ${wrong}: set it to a folder that can be written to`;
}
