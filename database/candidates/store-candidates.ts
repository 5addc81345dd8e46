import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { RunKey } from '../runs/runs.ts';

/** Columns of the table, in the order in which `copyCandidates` reads them. */
export const STORED_COLUMNS = [
  'namespace',
  'program',
  'run',
  'customer_id',
  'slot',
  'marketplace',
  'currency',
  'timezone',
  'locale',
  'subscription_tier',
  'lifetime_value',
  'churn_signals',
  'segment',
  'risk_score',
  'risk_level',
  'offer_tier',
  'offer_kind',
  'discount',
  'duration_months',
  'include_upgrade',
  'include_personal_call',
  'arm',
  'epoch',
  'risk_reasons',
  'created_at',
  'expires_at',
] as const;

/** Removes what an earlier try stored for this run. */
export async function deleteCandidates(client: ClientBase, { namespace, program, run }: RunKey): Promise<void> {
  await client.query('DELETE FROM holdfast.candidates WHERE namespace = $1 AND program = $2 AND run = $3', [
    namespace,
    program,
    run,
  ]);
}

/** Removes some of the customers that a run has stored. */
export async function deleteCustomers(
  client: ClientBase,
  { namespace, program, run }: RunKey,
  customers: readonly (string | null)[],
): Promise<void> {
  await client.query(
    `DELETE FROM holdfast.candidates
     WHERE namespace = $1 AND program = $2 AND run = $3 AND customer_id = ANY ($4::text[])`,
    [namespace, program, run, customers],
  );
}

/**
 * Loads CSV without a header (quoted texts, an unquoted empty field is missing) and resolves to the rows that the
 * server counted.
 */
export async function copyCandidates(client: ClientBase, csv: AsyncIterable<Uint8Array>): Promise<number> {
  const copy = client.query(
    copyFrom(`COPY holdfast.candidates (${STORED_COLUMNS.join(', ')}) FROM STDIN (FORMAT csv)`),
  );
  await pipeline(csv, copy);
  return copy.rowCount;
}
