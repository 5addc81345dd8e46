import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type ClientBase, escapeLiteral } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Database } from '../client/database.ts';
import { transaction } from '../client/transaction.ts';
import type { RunKey } from '../runs/runs.ts';

/** Removes what an earlier try of this run decided. */
export async function deleteDecisions(
  client: ClientBase,
  { namespace, owner, run }: RunKey,
  period: Date,
): Promise<void> {
  await client.query(
    'DELETE FROM holdfast.decisions WHERE namespace = $1 AND period = $4 AND program = $2 AND run = $3',
    [namespace, owner, run, period],
  );
}

/** Keeps, for each candidate stored by this run, what was decided; resolves to the rows. The period is the slot. */
export async function keepDecisions(client: ClientBase, { namespace, owner, run }: RunKey): Promise<number> {
  const { rowCount } = await client.query(
    `INSERT INTO holdfast.decisions
       (namespace, program, period, run, customer_id, arm, epoch, risk_level, offer_tier, offer_kind, decided_at)
     SELECT namespace, program, slot, run, customer_id, arm, epoch, risk_level, offer_tier, offer_kind, created_at
     FROM holdfast.candidates WHERE namespace = $1 AND program = $2 AND run = $3`,
    [namespace, owner, run],
  );
  return rowCount ?? 0;
}

export interface DecisionHistory {
  readonly namespace: string;
  /** The program that asks: what it decided for the slot itself, in an earlier run, is about to be decided anew. */
  readonly program: string;
  /** Periods from `since` to the slot; of other programs those of the slot too. */
  readonly since: Date;
  readonly slot: Date;
  /** Up to which period others' decisions count (default: the slot). */
  readonly until?: Date;
}

/**
 * Writes the offers that published batches of all programs decided, held-out ones too, as CSV with the header
 * `customer_id,program_id,offered_at` (UTC), each customer, program and period once; resolves to the rows.
 * @throws HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_DISK_FULL
 */
export async function copyDecisionsToCsv(
  database: Database,
  history: DecisionHistory,
  file: string,
  signal?: AbortSignal,
): Promise<number> {
  const options = { doing: 'read the history of offers', unlimited: true, ...(signal ? { signal } : {}) };
  return transaction(database, options, (client) => writeDecisions(client, history, file));
}

/** The same within a transaction: what had been committed when it was called. */
export async function writeDecisions(client: ClientBase, history: DecisionHistory, file: string): Promise<number> {
  return copyToFile(client, historyQuery(history), 'HEADER, FORCE_QUOTE (customer_id, program_id)', file);
}

/** Writes the customers that a run has stored as CSV without a header; resolves to their number. */
export async function writeStoredCustomers(
  client: ClientBase,
  { namespace, owner, run }: RunKey,
  file: string,
): Promise<number> {
  const [inNamespace, ofProgram, ofRun] = [namespace, owner, run].map(escapeLiteral);
  const customers = `SELECT customer_id FROM holdfast.candidates
    WHERE namespace = ${inNamespace} AND program = ${ofProgram} AND run = ${ofRun}`;
  return copyToFile(client, customers, 'FORCE_QUOTE (customer_id)', file);
}

async function copyToFile(client: ClientBase, query: string, options: string, file: string): Promise<number> {
  const copy = client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT csv, ${options})`));
  await pipeline(copy, createWriteStream(file));
  return copy.rowCount;
}

/** COPY takes no parameters: the values are quoted here. */
export function historyQuery({ namespace, program, since, slot, until = slot }: DecisionHistory): string {
  return `SELECT DISTINCT customer_id, program AS program_id,
      to_char(period AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') AS offered_at
    FROM holdfast.decisions JOIN holdfast.runs USING (namespace, program, run)
    WHERE decisions.namespace = ${escapeLiteral(namespace)}
      AND decisions.period >= ${instant(since)} AND decisions.period <= ${instant(until)}
      AND (decisions.period < ${instant(slot)} OR decisions.program <> ${escapeLiteral(program)})
      AND runs.published_at IS NOT NULL AND runs.discarded_at IS NULL
      -- A risk level without terms was offered nothing, in either arm.
      AND decisions.offer_tier IS NOT NULL`;
}

function instant(date: Date): string {
  return `${escapeLiteral(date.toISOString())}::timestamptz`;
}
