import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Names that sample warehouses have, of this version and of earlier ones; `.wal` is DuckDB's. */
const SAMPLE = /^sample-\d+-\d+-\d+-\d{8}t\d{6}z\.duckdb(\.wal)?$/;
/** A sample is made again when it is missing, so few are worth their room. */
const KEPT = 3;
const DAY_MS = 86_400_000;

/**
 * Deletes sample warehouses that nobody made or changed for some days, but for the newest few: files of a sample's name
 * only, no links.
 */
export async function pruneSamples(
  folder: string,
  { days, now, dryRun }: { readonly days: number; readonly now: Date; readonly dryRun: boolean },
): Promise<{ readonly samples: number; readonly bytes: number }> {
  const files: { path: string; bytes: number; changed: number }[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    if (!SAMPLE.test(name)) continue;
    const path = join(folder, name);
    const status = await lstat(path);
    if (status.isFile()) files.push({ path, bytes: status.size, changed: status.mtimeMs });
  }
  const old = files
    .toSorted((a, b) => b.changed - a.changed)
    .slice(KEPT)
    .filter(({ changed }) => changed <= now.getTime() - days * DAY_MS);
  if (!dryRun) for (const { path } of old) await rm(path, { force: true });
  return { samples: old.length, bytes: old.reduce((sum, file) => sum + file.bytes, 0) };
}
