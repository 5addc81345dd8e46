import { constants, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../base/duckdb/engine.ts';
import { parquetColumns, writeParquet } from '../../base/duckdb/parquet.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Counts } from '../../contract/counts.ts';
import type { ArtifactPart, ArtifactReference } from '../../providers/artifacts/artifact.ts';
import type { StageContext } from './stage.ts';

/** The artifact of an earlier stage that this one reads. */
export function inputOf({ inputs }: Pick<StageContext, 'inputs'>, stage: string): ArtifactReference {
  const artifact = inputs[stage];
  if (artifact !== undefined) return artifact;
  throw new HoldfastError('HF_INTERNAL', `The artifact of the stage ${stage} was not handed on.`);
}

/** The parts of an artifact while it is made. */
export interface Parts {
  /** Path of a part, for SQL that reads it once it is written. */
  path(part: string): string;
  /** Writes the answer of a SELECT, whose ORDER BY makes it the same file for the same rows; resolves to its rows. */
  write(engine: Engine, part: string, select: string): Promise<number>;
  /** Takes over a file of an earlier stage as it is; where the file system can, without a second copy of its bytes. */
  copy(engine: Engine, part: string, file: string, rows: number): Promise<void>;
  /** Makes the artifact of what was written visible, whole. */
  commit(details: { readonly rows: number; readonly counts: Counts }): Promise<ArtifactReference>;
  /** Saves one part of an artifact that will not be committed; resolves to its path. */
  keep(part: string): Promise<string>;
}

/**
 * Does work that writes the artifact of a stage, or of one of its shards: begins the draft, and removes it unless it was
 * committed. Nothing more is written, and nothing committed, once the run is aborted.
 * @throws HF_DISK_FULL, HF_DATA_FOLDER, HF_INTERRUPTED, and whatever the work throws
 */
export async function writeParts<Result>(
  { identity, artifacts, signal }: Pick<StageContext, 'identity' | 'artifacts' | 'signal'>,
  stage: string,
  work: (parts: Parts) => Promise<Result>,
): Promise<Result> {
  const { namespace, owner, run, attempt } = identity;
  const draft = await artifacts.draft({ namespace, owner, run, stage, attempt });
  const written: Pick<ArtifactPart, 'path' | 'rows' | 'schema'>[] = [];
  const path = (part: string) => join(draft.folder, part);
  const add = async (engine: Engine, part: string, rows: number) => {
    written.push({ path: part, rows, schema: await parquetColumns(engine, path(part)) });
  };
  try {
    return await work({
      path,
      async write(engine, part, select) {
        // An abort between two statements would interrupt neither.
        signal.throwIfAborted();
        const rows = await writeParquet(engine, select, path(part));
        await add(engine, part, rows);
        return rows;
      },
      async copy(engine, part, file, rows) {
        signal.throwIfAborted();
        await copyFile(file, path(part), constants.COPYFILE_FICLONE);
        await add(engine, part, rows);
      },
      commit({ rows, counts }) {
        signal.throwIfAborted();
        return draft.commit({ rows, parts: written, counts });
      },
      keep: (part) => draft.keep(part),
    });
  } finally {
    await draft.discard();
  }
}
