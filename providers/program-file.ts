import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { HoldfastError } from '../base/errors.ts';

/** Where the files are that a program names. */
export interface ProgramFiles {
  /** Folder that relative paths start from. */
  readonly baseFolder: string;
  /**
   * Whether no path may lead out of that folder, as on a cluster, where whoever writes a program is another than whose
   * files a pod has beside it: the artifacts of all programs, for one. Default: no.
   */
  readonly confined?: boolean | undefined;
}

/**
 * Absolute path of a file that a program names. Where it is confined, the real path must lie in the folder, too; one to
 * nothing is for whoever opens it to complain of.
 * @param subject who names it, such as `Model churn-risk-v6`
 * @throws HF_PATH_REFUSED
 */
export async function programFile(path: string, files: ProgramFiles, subject: string): Promise<string> {
  const named = resolve(files.baseFolder, path);
  if (files.confined !== true) return named;
  // First as it is written: whether something is there is not for everybody to know.
  const isInside = isWithin(named, resolve(files.baseFolder)) && (await leadsInside(named, files.baseFolder));
  if (isInside) return named;
  throw new HoldfastError(
    'HF_PATH_REFUSED',
    `${subject}: ${path} leads out of the folder of the program's files, which no path may on a cluster.`,
  );
}

async function leadsInside(path: string, folder: string): Promise<boolean> {
  const found = await realpath(path).catch(() => undefined);
  return found === undefined || isWithin(found, await realpath(folder));
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
