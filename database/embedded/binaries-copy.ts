import { createHash } from 'node:crypto';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { PostgresBinaries } from './binaries.ts';
import { partialPrefix, removeLeftovers } from './partial-folder.ts';

/** Where a copy can be, best first: a temporary folder can be closed, or nothing may run in it. */
export const COPY_PLACES: readonly string[] = ['/var/cache', tmpdir(), '/var/tmp'];

/**
 * A copy of an installation that every user may read and run, in a folder of ours at `place`; one that is there is
 * used again. Undefined where that place cannot be used.
 */
export async function copyBinaries(binaries: PostgresBinaries, place: string): Promise<PostgresBinaries | undefined> {
  try {
    const source = await installation(binaries);
    const copies = join(place, 'holdfast-postgres');
    await mkdir(copies, { mode: 0o755 }).catch(() => {});
    if (!(await isOurs(copies))) return undefined;
    // Our umask may have closed it.
    await chmod(copies, 0o755);
    await removeLeftovers(copies);
    const copy = join(copies, await nameOf(source));
    if (await isOurs(copy)) return within(copy, source, binaries);
    const draft = await mkdtemp(join(copies, partialPrefix()));
    try {
      await cp(source, draft, { recursive: true, verbatimSymlinks: true });
      await openToAll(draft);
      // Another process may have been faster.
      await rename(draft, copy).catch(() => {});
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    return (await isOurs(copy)) ? within(copy, source, binaries) : undefined;
  } catch {
    return undefined;
  }
}

/** Removes the copies of an installation that no server runs from. */
export async function removeCopies(binaries: PostgresBinaries): Promise<void> {
  const name = await nameOf(await installation(binaries));
  const running = await Promise.all(
    (await readdir('/proc').catch(() => [])).map((pid) => readlink(`/proc/${pid}/exe`).catch(() => '')),
  );
  for (const place of COPY_PLACES) {
    const copies = join(place, 'holdfast-postgres');
    const copy = join(copies, name);
    if (!(await isOurs(copies)) || running.some((program) => program.startsWith(`${copy}/`))) continue;
    await rm(copy, { recursive: true, force: true });
    if ((await readdir(copies)).length === 0) await rm(copies, { recursive: true, force: true });
  }
}

/** The folder with `bin`, `lib` and `share`. */
const installation = async ({ initdb }: PostgresBinaries) => dirname(dirname(await realpath(initdb)));

/** Of the same name are copies of the same files: an installation in its place has another inode or time. */
async function nameOf(source: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(join(source, 'bin', 'postgres'));
  return createHash('sha256').update([source, ino, mtimeMs, size].join('\n')).digest('hex').slice(0, 16);
}

const within = (copy: string, source: string, { initdb, postgres }: PostgresBinaries): PostgresBinaries => ({
  initdb: join(copy, relative(source, initdb)),
  postgres: join(copy, relative(source, postgres)),
});

/** A folder that nobody but us can have put there, or can change. */
async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
}
