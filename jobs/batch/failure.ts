import { withoutValues } from '../../base/duckdb/failure.ts';
import { HoldfastError } from '../../base/errors.ts';

/**
 * Runs the work of a stage on its own files and names the stage when it fails, never what the rows hold.
 * @throws HF_DISK_FULL, HF_INTERNAL, and whatever HoldfastError the work throws
 */
export function inStage<Result>(stage: string, work: () => Promise<Result>): Promise<Result> {
  return withoutValues(
    work,
    (reason, cause) => new HoldfastError('HF_INTERNAL', `Stage ${stage} failed: ${reason}`, { cause }),
    `Stage ${stage}: no room left on the disk; free some, or use another --data DIR.`,
  );
}
