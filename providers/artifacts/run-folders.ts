import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { isName, type OwnerFolderKey, ownerFolder, type RunFolderKey, runFolder } from './key.ts';
import { inspectRunFolder, type RunFolder } from './run-folder.ts';
import { storageError } from './storage-error.ts';

/** Says, in the folder of a run, which database knows the run. */
const OWNER_FILE = 'owner.json';

/** Folders of runs as prune sees them. None of its methods follows a link. */
export interface RunFolders {
  /** Makes the folder of a run, and says in it which database knows the run, if that is known. */
  claim(key: RunFolderKey, database: string | undefined): Promise<void>;
  /** Names of the runs that have a folder. What is not a plain folder of a plain name is not seen. */
  list(key: OwnerFolderKey): Promise<readonly string[]>;
  /** Undefined where the run has no folder. */
  inspect(key: RunFolderKey): Promise<RunFolder | undefined>;
  /** Takes the folder of a run out of sight in one step; one that is gone is no failure, a link is left alone. */
  setAside(key: RunFolderKey): Promise<void>;
  /** Deletes what was set aside, now or before a crash. */
  reclaim(key: OwnerFolderKey, signal: AbortSignal): Promise<{ readonly bytes: number; readonly foreign: number }>;
}

const ASIDE = '.pruned-';

/** @throws HF_DATA_FOLDER, HF_DISK_FULL, HF_INTERRUPTED from its methods */
export function openRunFolders(root: string): RunFolders {
  return {
    claim: (key, database) => inStorage(join(root, runFolder(key)), (folder) => claim(folder, database)),
    list: async (key) => (await subfolders(root, key)).filter(isName),
    inspect: (key) => inStorage(join(root, runFolder(key)), (folder) => inspect(folder)),
    setAside: (key) => inStorage(join(root, runFolder(key)), setAside),
    async reclaim(key, signal) {
      let [bytes, foreign] = [0, 0];
      for (const name of await subfolders(root, key)) {
        if (!name.startsWith(ASIDE)) continue;
        interruptIf(signal);
        const folder = join(root, ownerFolder(key), name);
        const found = await inStorage(folder, inspectRunFolder);
        if (found.foreign === undefined) {
          await inStorage(folder, () => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
          bytes += found.bytes;
        } else foreign += 1;
      }
      return { bytes, foreign };
    },
  };
}

async function claim(folder: string, database: string | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (database === undefined) return;
  await writeFile(join(folder, OWNER_FILE), `${JSON.stringify({ database })}\n`);
}

async function inspect(folder: string): Promise<RunFolder | undefined> {
  switch (await wayTo(folder)) {
    case 'folders':
      return look(folder);
    case 'missing':
      return undefined;
    case 'foreign':
      return { bytes: 0, newest: new Date(0), foreign: '.' };
  }
}

async function look(folder: string): Promise<RunFolder> {
  const found = await inspectRunFolder(folder);
  const database = await readFile(join(folder, OWNER_FILE), 'utf8').then(databaseIn, () => undefined);
  return database === undefined ? found : { ...found, database };
}

function databaseIn(text: string): string | undefined {
  try {
    const { database } = JSON.parse(text) as { database?: unknown };
    return typeof database === 'string' ? database : undefined;
  } catch {
    return undefined;
  }
}

async function setAside(folder: string): Promise<void> {
  if ((await wayTo(folder)) !== 'folders') return;
  const aside = join(
    dirname(folder),
    `${ASIDE}${folder.slice(dirname(folder).length + 1)}-${process.pid}-${counter++}`,
  );
  try {
    await rename(folder, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

let counter = 0;

/** Names in the folder of a program that are folders themselves; none where a part of the way is a link. */
async function subfolders(root: string, key: OwnerFolderKey): Promise<readonly string[]> {
  return inStorage(join(root, ownerFolder(key)), async (folder) => {
    if ((await what(dirname(folder))) !== 'folder' || (await what(folder)) !== 'folder') return [];
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  });
}

/** What leads from the root of the store to the folder of a run, and whether any of it is not a plain folder. */
async function wayTo(folder: string): Promise<'folders' | 'missing' | 'foreign'> {
  for (const step of [dirname(dirname(folder)), dirname(folder), folder]) {
    const found = await what(step);
    if (found !== 'folder') return found;
  }
  return 'folders';
}

/** A link to a folder is foreign. */
async function what(path: string): Promise<'folder' | 'missing' | 'foreign'> {
  try {
    return (await lstat(path)).isDirectory() ? 'folder' : 'foreign';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  }
}

function interruptIf(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw signal.reason instanceof HoldfastError
    ? signal.reason
    : new HoldfastError('HF_INTERRUPTED', 'interrupted between two folders; run it again');
}

async function inStorage<Result>(folder: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  try {
    return await work(folder);
  } catch (error) {
    throw storageError(error, folder);
  }
}
