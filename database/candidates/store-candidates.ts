import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { STORED_NAMES } from '../../customers/columns/stored-columns.ts';
import type { RunKey } from '../runs/runs.ts';

/** Removes what an earlier try stored for this run. */
export async function deleteCandidates(client: ClientBase, { namespace, owner, run }: RunKey): Promise<void> {
  await client.query('DELETE FROM holdfast.candidates WHERE namespace = $1 AND program = $2 AND run = $3', [
    namespace,
    owner,
    run,
  ]);
}

/** Removes some of the customers that a run has stored. */
export async function deleteCustomers(
  client: ClientBase,
  { namespace, owner, run }: RunKey,
  customers: readonly (string | null)[],
): Promise<void> {
  await client.query(
    `DELETE FROM holdfast.candidates
     WHERE namespace = $1 AND program = $2 AND run = $3 AND customer_id = ANY ($4::text[])`,
    [namespace, owner, run, customers],
  );
}

/**
 * Loads CSV of the stored columns, in their order, without a header (quoted texts, an unquoted empty field is missing) and resolves to the rows that the
 * server counted.
 */
export async function copyCandidates(client: ClientBase, csv: AsyncIterable<Uint8Array>): Promise<number> {
  const copy = client.query(copyFrom(`COPY holdfast.candidates (${STORED_NAMES}) FROM STDIN (FORMAT csv)`));
  await pipeline(csv, copy);
  return copy.rowCount;
}
