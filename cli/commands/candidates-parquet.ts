import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identifier, literal, openEngine } from '../../base/duckdb/engine.ts';
import { withoutValues } from '../../base/duckdb/failure.ts';
import { writeParquet } from '../../base/duckdb/parquet.ts';
import { HoldfastError } from '../../base/errors.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import type { StoredCandidate } from '../../customers/columns/stored-columns.ts';
import type { ListColumn } from '../../customers/contact-list/list-columns.ts';
import { jsonLines, listPieces } from '../../customers/contact-list/list-text.ts';
import { writeWholeFile } from '../terminal/whole-file.ts';

const MEMORY_MB = 512;

/** Writes a list as Parquet, each column in its own type. @throws HF_USAGE, HF_DISK_FULL, HF_DATA_FOLDER */
export async function writeCandidatesParquet(
  columns: readonly ListColumn[],
  pages: AsyncIterable<readonly StoredCandidate[]>,
  out: string,
): Promise<void> {
  const folder = await makeTemporaryFolder('holdfast-candidates-');
  try {
    await writeWholeFile(out, async (partial) => {
      const lines = join(folder, 'candidates.jsonl');
      await using file = await open(lines, 'wx');
      for await (const piece of listPieces(jsonLines(columns), pages)) await file.writeFile(piece);
      await file.close();
      await using engine = await openEngine({ threads: 1, memoryMb: MEMORY_MB, scratchFolder: folder });
      const types = columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`).join(', ');
      const names = columns.map(({ name }) => identifier(name)).join(', ');
      const select = `SELECT ${names} FROM read_json(${literal(lines)}, format = 'newline_delimited', columns = {${types}})`;
      await withoutValues(
        () => writeParquet(engine, select, partial),
        (reason, cause) => new HoldfastError('HF_INTERNAL', `cannot write ${out}: ${reason}`, { cause }),
        `no room left on the disk for ${out}`,
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
