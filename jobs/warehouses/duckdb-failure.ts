import { isDiskFull, reasonWithoutValues } from '../columns/failure.ts';
import { HoldfastError } from '../errors.ts';

/**
 * Runs work on a DuckDB source and names the connector and the work when it fails, never what the rows hold.
 * @throws HF_DISK_FULL, HF_WAREHOUSE_UNREADABLE
 */
export async function readingFrom<Result>(
  connectorId: string,
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const reason = reasonWithoutValues(error);
    // The driver's error itself may quote a row: the cause is only what may be shown.
    const cause = new Error(reason);
    if (isDiskFull(error)) {
      const sentence = `Connector ${connectorId}: no room left on the disk to ${what}; free some, or use another --data DIR.`;
      throw new HoldfastError('HF_DISK_FULL', sentence, { cause });
    }
    throw new HoldfastError('HF_WAREHOUSE_UNREADABLE', `Connector ${connectorId}: cannot ${what}: ${reason}`, {
      cause,
    });
  }
}
