import { withoutValues } from '../columns/failure.ts';
import { HoldfastError } from '../errors.ts';

/**
 * Runs work on a DuckDB source and names the connector and the work when it fails, never what the rows hold.
 * @throws HF_DISK_FULL, HF_WAREHOUSE_UNREADABLE
 */
export function readingFrom<Result>(connectorId: string, what: string, work: () => Promise<Result>): Promise<Result> {
  const connector = `Connector ${connectorId}`;
  return withoutValues(
    work,
    (reason, cause) =>
      new HoldfastError('HF_WAREHOUSE_UNREADABLE', `${connector}: cannot ${what}: ${reason}`, { cause }),
    `${connector}: no room left on the disk to ${what}; free some, or use another --data DIR.`,
  );
}
