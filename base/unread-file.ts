import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';

/** What the operating system says of a file that another moment does not bring, as people are told after "it". */
const LASTING: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a folder',
  ENOTDIR: 'lies in what is no folder',
  ELOOP: 'is a link that leads back to itself',
  ENAMETOOLONG: 'has a name that is too long',
};

/** Why a file could not be opened, to go after its name or "it"; undefined of what may pass, or is no such error. */
export function lastingReason(error: unknown): string | undefined {
  const { code = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const words = LASTING[code];
  return words === undefined || code === 'ENOENT' || code === 'EISDIR' ? words : `${words} (${code})`;
}

/**
 * Why a path is no file to read, to go after its name or "it": it is not there, not for this user, a folder, a pipe or a
 * device. Undefined where it is one. Nothing is opened: a pipe could wait for ever.
 */
export async function whyNoFile(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'is a folder: give one file';
    if (!found.isFile()) return 'is not a file: give one file';
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const reason = lastingReason(error);
    if (reason === undefined) throw error;
    return reason;
  }
}
