import { type Engine, openEngine } from '../../base/duckdb/engine.ts';
import { withoutValues } from '../../base/duckdb/failure.ts';
import { interruptible } from '../../base/duckdb/interruption.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { StageContext } from './stage.ts';

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

/**
 * Runs the work of a stage with an engine of its own, within the stage's threads and memory; an abort stops it.
 * @throws HF_INTERRUPTED, and as `inStage` does
 */
export function withEngine<Result>(
  { resources, scratchFolder, signal }: Pick<StageContext, 'resources' | 'scratchFolder' | 'signal'>,
  stage: string,
  work: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  return inStage(stage, async () => {
    await using engine = await openEngine({ ...resources, scratchFolder });
    return await interruptible(engine, signal, () => work(engine));
  });
}
