import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Names that files of a sample warehouse have, of this version and of earlier ones: it, its truth, and DuckDB's `.wal` of
 * either. What they have in common comes first.
 */
const SAMPLE = /^(sample-\d+-\d+-\d+-\d{8}t\d{6}z)(\.truth)?\.duckdb(\.wal)?$/;
/** A sample is made again when it is missing, so few are worth their room. */
const KEPT = 3;
const DAY_MS = 86_400_000;

interface Sample {
  readonly files: string[];
  bytes: number;
  changed: number;
}

/**
 * Deletes sample warehouses that nobody made or changed for some days, but for the newest few: files of a sample's name
 * only, no links.
 */
export async function pruneSamples(
  folder: string,
  { days, now, dryRun }: { readonly days: number; readonly now: Date; readonly dryRun: boolean },
): Promise<{ readonly samples: number; readonly bytes: number }> {
  const samples = new Map<string, Sample>();
  for (const name of await readdir(folder).catch(() => [])) {
    const of = SAMPLE.exec(name)?.[1];
    if (of === undefined) continue;
    const path = join(folder, name);
    const status = await lstat(path);
    if (!status.isFile()) continue;
    const sample = samples.get(of) ?? { files: [], bytes: 0, changed: 0 };
    samples.set(of, sample);
    sample.files.push(path);
    sample.bytes += status.size;
    sample.changed = Math.max(sample.changed, status.mtimeMs);
  }
  const old = [...samples.values()]
    .sort((a, b) => b.changed - a.changed)
    .slice(KEPT)
    .filter(({ changed }) => changed <= now.getTime() - days * DAY_MS);
  if (!dryRun) for (const { files } of old) for (const path of files) await rm(path, { force: true });
  return { samples: old.length, bytes: old.reduce((sum, sample) => sum + sample.bytes, 0) };
}
