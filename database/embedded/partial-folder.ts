import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './postmaster.ts';

const PREFIX = 'partial-';

/** For mkdtemp: a folder that is renamed when it is whole, or removed, by this process. */
export const partialPrefix = () => `${PREFIX}${process.pid}-`;

/** Removes what processes that are gone left behind in a folder. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(PREFIX) || isAlive(Number.parseInt(name.slice(PREFIX.length), 10))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
