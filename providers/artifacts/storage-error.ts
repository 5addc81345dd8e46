import { type ErrorCode, HoldfastError } from '../../base/errors.ts';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'HF_DISK_FULL',
  EDQUOT: 'HF_DISK_FULL',
  EACCES: 'HF_DATA_FOLDER',
  EPERM: 'HF_DATA_FOLDER',
  EROFS: 'HF_DATA_FOLDER',
  ENOTDIR: 'HF_DATA_FOLDER',
};

/**
 * Turns what the operating system says of a file into an error a person can act on;
 * anything that is not about room or permission comes back as it is.
 */
export function storageError(error: unknown, path: string): unknown {
  const errno = (error as NodeJS.ErrnoException | null)?.code ?? '';
  const code = CODES[errno];
  if (code === undefined) return error;
  const sentence =
    code === 'HF_DISK_FULL'
      ? `No room left to write ${path}: free some space, or keep the state elsewhere with --data DIR.`
      : `Cannot write ${path} (${errno}): check its owner and permissions, and that every part of it is a folder.`;
  return new HoldfastError(code, sentence, { cause: error });
}
