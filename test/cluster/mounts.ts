import { readFile } from 'node:fs/promises';
import { run } from './command.ts';

/**
 * Unmounts what has been mounted below some folders, the newest first.
 * @param since a copy of /proc/self/mountinfo (proc(5)): what was mounted then stays
 * @throws Error when one is still in use
 */
export async function unmountBelow(folders: readonly string[], since: string): Promise<void> {
  const old = new Set(mounts(await readFile(since, 'utf8')).map(({ id }) => id));
  for (const { id, point } of mounts(await readFile('/proc/self/mountinfo', 'utf8')).reverse()) {
    if (!old.has(id) && folders.some((folder) => point.startsWith(`${folder}/`))) await run('umount', [point]);
  }
}

/** In the order in which they were mounted. */
function mounts(table: string): { id: string; point: string }[] {
  const rows = table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
  return rows.map((row) => ({ id: row[0] as string, point: unescaped(row[4] as string) }));
}

/** Blanks and the like are octal numbers there. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
