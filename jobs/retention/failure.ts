import { isDiskFull, reasonWithoutValues } from '../columns/failure.ts';
import { HoldfastError } from '../errors.ts';

/**
 * Runs the work of a stage on its own files and names the stage when it fails, never what the rows hold.
 * @throws HF_DISK_FULL, HF_INTERNAL, and whatever HoldfastError the work throws
 */
export async function inStage<Result>(stage: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const reason = reasonWithoutValues(error);
    // The driver's error itself may quote a row: the cause is only what may be shown.
    const cause = new Error(reason);
    if (isDiskFull(error)) {
      const sentence = `Stage ${stage}: no room left on the disk; free some, or use another --data DIR.`;
      throw new HoldfastError('HF_DISK_FULL', sentence, { cause });
    }
    throw new HoldfastError('HF_INTERNAL', `Stage ${stage} failed: ${reason}`, { cause });
  }
}
