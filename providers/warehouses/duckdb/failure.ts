import { withoutValues } from '../../../base/duckdb/failure.ts';
import { type ErrorCode, HoldfastError } from '../../../base/errors.ts';

/**
 * Runs work on a DuckDB source and names the connector and the work when it fails, never what the rows hold.
 * @throws HF_DISK_FULL, HF_WAREHOUSE_UNREADABLE, HF_WAREHOUSE_UNREACHABLE
 */
export function readingFrom<Result>(connectorId: string, what: string, work: () => Promise<Result>): Promise<Result> {
  const connector = `Connector ${connectorId}`;
  return withoutValues(
    work,
    (reason, cause, passing) =>
      new HoldfastError(unread(passing), `${connector}: cannot ${what}: ${reason}`, { cause }),
    `${connector}: no room left on the disk to ${what}; free some, or use another --data DIR.`,
  );
}

/** The code of a warehouse that was not read. @param passing whether another moment may bring what it takes */
export function unread(passing: boolean): ErrorCode {
  return passing ? 'HF_WAREHOUSE_UNREACHABLE' : 'HF_WAREHOUSE_UNREADABLE';
}
