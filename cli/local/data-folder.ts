import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HoldfastError } from '../../base/errors.ts';

/** Where state lives unless a person says otherwise: in the folder they stand in. */
export const DEFAULT_DATA = '.holdfast';

/** File that tells a data folder from any other. */
export const MARKER = 'holdfast.json';

/** The rooms of a data folder: where the state of a laptop lives. */
export interface DataFolder {
  readonly path: string;
  /** Cluster of the embedded Postgres. */
  readonly postgres: string;
  readonly artifacts: string;
  /** Generated sample warehouses, re-used between runs. */
  readonly samples: string;
  /** What need not outlive a run. */
  readonly scratch: string;
}

/**
 * The data folder at a path; a link stands for what it points to.
 * @throws HF_DATA_FOLDER for a path that DuckDB would take for a pattern of many files
 */
export function dataFolder(path: string): DataFolder {
  const root = existsSync(path) ? realpathSync(path) : resolve(path);
  if (/[*?[\]]/.test(root)) {
    throw new HoldfastError('HF_DATA_FOLDER', `${root}: a path with *, ?, [ or ] could be taken for other folders too`);
  }
  return {
    path: root,
    postgres: join(root, 'postgres'),
    artifacts: join(root, 'artifacts'),
    samples: join(root, 'samples'),
    scratch: join(root, 'scratch'),
  };
}

/** Whether the folder exists and is one of ours. */
export function isDataFolder(folder: DataFolder): boolean {
  return existsSync(join(folder.path, MARKER));
}

/**
 * Makes the folder unless it is there.
 * @throws HF_DATA_FOLDER when the path is something else or holds something else, HF_DISK_FULL
 */
export function createDataFolder(folder: DataFolder): void {
  try {
    makeFolder(folder.path);
    if (isDataFolder(folder)) {
      const { version } = JSON.parse(readFileSync(join(folder.path, MARKER), 'utf8')) as { version?: unknown };
      if (version !== 1) {
        throw new HoldfastError('HF_DATA_FOLDER', `${folder.path} was made by another version of Holdfast`);
      }
    } else if (readdirSync(folder.path).length > 0) {
      throw new HoldfastError(
        'HF_DATA_FOLDER',
        `${folder.path} holds other files: give an empty or new folder with --data`,
      );
    } else {
      writeFileSync(join(folder.path, MARKER), `${JSON.stringify({ kind: 'HoldfastData', version: 1 })}\n`);
    }
    // What is in it is about customers: nobody else's business.
    chmodSync(folder.path, PRIVATE);
    for (const room of [folder.artifacts, folder.samples, folder.scratch]) mkdirSync(room, { recursive: true });
  } catch (cause) {
    throw folderError(folder, cause);
  }
}

const PRIVATE = 0o700;

/** One parent at a time: Node's own recursion never ends where the kernel says that a parent is not there. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: PRIVATE });
}

/** As SQLite says of the lock that there was no room for its file. */
const SQLITE_FULL = 13;

function folderError(folder: DataFolder, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const { code, errcode } = cause as NodeJS.ErrnoException & { readonly errcode?: number };
  if (code === 'ENOSPC' || errcode === SQLITE_FULL) {
    return new HoldfastError('HF_DISK_FULL', `no room left on the disk of ${folder.path}`, { cause });
  }
  return new HoldfastError('HF_DATA_FOLDER', `${folder.path} cannot be used (${code ?? 'unreadable'})`, { cause });
}

/**
 * Takes the folder for one process. The lock is the operating system's (held through SQLite on a file), so it
 * ends with its holder, however that ends: there is never a stale one.
 * @throws HF_DATA_LOCKED when another process has it, HF_DATA_FOLDER, HF_DISK_FULL
 */
export function lockDataFolder(folder: DataFolder): Disposable {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(join(folder.path, 'lock'));
  } catch (cause) {
    throw folderError(folder, cause);
  }
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (!/locked|busy/i.test(String(cause))) throw folderError(folder, cause);
    throw new HoldfastError('HF_DATA_LOCKED', `another Holdfast process is using ${folder.path}`, { cause });
  }
  return { [Symbol.dispose]: () => database.close() };
}

/** Removes what runs that did not end by themselves left behind. Only under the lock. */
export function clearScratch(folder: DataFolder): void {
  // What is in it, not the folder itself: it may be a mount or a link to a bigger disk.
  for (const entry of readdirSync(folder.scratch))
    rmSync(join(folder.scratch, entry), { recursive: true, force: true });
}
