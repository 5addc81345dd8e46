import type { Database } from '../client/database.ts';
import { type Batches, deleteInBatches } from '../client/in-batches.ts';
import { statement } from '../client/statement.ts';
import { transaction } from '../client/transaction.ts';
import { IS_PROGRAM } from '../runs/programs.ts';
import type { OwnerKey, RunKey, RunRecord } from '../runs/runs.ts';

/** What decides whether a run may go. */
export interface RunStanding extends Pick<RunRecord, 'run' | 'pipeline' | 'phase' | 'sequence'> {
  /** When it ended, or began if it never did. */
  readonly endedAt: Date;
  readonly prunedAt: Date | undefined;
  readonly isCurrent: boolean;
  readonly hasLiveCandidates: boolean;
  /** Whether an object on a cluster stands for it: its artifacts are there. */
  readonly onCluster: boolean;
}

const IS_CURRENT =
  'EXISTS (SELECT FROM holdfast.current_batches WHERE (namespace, program, run) = (runs.namespace, runs.program, runs.run))';

const hasCandidates = (living: string) =>
  `EXISTS (SELECT FROM holdfast.candidates WHERE (namespace, program, run) = (runs.namespace, runs.program, runs.run)${living})`;

/** Every run of a program. @param now by both clocks: candidates that have not expired by then are alive */
export async function runStandings(
  database: Database,
  { namespace, owner }: OwnerKey,
  now: Date,
): Promise<readonly RunStanding[]> {
  const { rows } = await statement<RunStanding & { sequence: string }>(
    database,
    `read the runs of ${owner}`,
    `SELECT run, pipeline, phase, sequence, COALESCE(finished_at, started_at) AS "endedAt",
       pruned_at AS "prunedAt", ${IS_CURRENT} AS "isCurrent",
       ${hasCandidates(' AND expires_at > $3')} AS "hasLiveCandidates", owner IS NOT NULL AS "onCluster"
     FROM holdfast.runs WHERE namespace = $1 AND program = $2 ORDER BY runs.sequence`,
    [namespace, owner, now],
  );
  return rows.map((row) => ({ ...row, prunedAt: row.prunedAt ?? undefined, sequence: Number(row.sequence) }));
}

/** Every program that has ever run. */
export async function everyProgram(database: Database): Promise<readonly OwnerKey[]> {
  const { rows } = await statement<OwnerKey & Record<string, string>>(
    database,
    'list the programs',
    `SELECT namespace, program AS owner FROM holdfast.programs WHERE ${IS_PROGRAM} ORDER BY namespace, program`,
    [],
  );
  return rows;
}

/**
 * Records that the artifacts of a run are pruned, and takes them away in the same transaction: while it lasts the run
 * cannot be begun again or become the current batch. Resolves to false, with nothing done, when the run may not go.
 * @throws HF_INTERRUPTED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export async function retireRun(
  database: Database,
  { namespace, owner, run }: RunKey,
  now: Date,
  signal: AbortSignal,
  takeAway: () => Promise<unknown>,
): Promise<boolean> {
  return transaction(database, { doing: `retire the run ${run}`, signal }, async (client) => {
    const key = [namespace, owner, run];
    const { rowCount } = await client.query(
      `SELECT FROM holdfast.runs WHERE namespace = $1 AND program = $2 AND run = $3 AND phase <> 'Running' FOR UPDATE`,
      key,
    );
    if (rowCount !== 1) return false;
    // Looked at under the lock, in a statement that sees what was committed before the lock was ours.
    const retired = await client.query(
      `UPDATE holdfast.runs SET pruned_at = COALESCE(pruned_at, $4)
       WHERE namespace = $1 AND program = $2 AND run = $3
         AND NOT ${IS_CURRENT} AND NOT ${hasCandidates(' AND expires_at > $4')}`,
      [...key, now],
    );
    if (retired.rowCount !== 1) return false;
    await takeAway();
    return true;
  });
}

/**
 * Takes away what is left of a run that is not recorded; while it lasts no run of the program can be begun. Resolves to
 * false, with nothing done, when the run is recorded after all.
 */
export async function retireUnrecorded(
  database: Database,
  { namespace, owner, run }: RunKey,
  signal: AbortSignal,
  takeAway: () => Promise<unknown>,
): Promise<boolean> {
  return transaction(database, { doing: `look for the run ${run}`, signal }, async (client) => {
    await client.query('SELECT FROM holdfast.programs WHERE namespace = $1 AND program = $2 FOR UPDATE', [
      namespace,
      owner,
    ]);
    const { rowCount } = await client.query(
      'SELECT FROM holdfast.runs WHERE namespace = $1 AND program = $2 AND run = $3',
      [namespace, owner, run],
    );
    if (rowCount !== 0) return false;
    await takeAway();
    return true;
  });
}

/** Deletes the records of pruned runs that no decision and no candidate refers to any more; resolves to how many. */
export async function forgetPrunedRuns(
  database: Database,
  { namespace, owner }: OwnerKey,
  batches: Omit<Batches, 'doing'>,
): Promise<number> {
  return deleteInBatches(
    database,
    { doing: 'forget pruned runs', ...batches },
    `WITH forgotten AS (
       SELECT namespace, program, run FROM holdfast.runs
       WHERE namespace = $1 AND program = $2 AND pruned_at IS NOT NULL AND phase <> 'Running'
         AND NOT ${IS_CURRENT} AND NOT ${hasCandidates('')}
         AND NOT EXISTS (
           SELECT FROM holdfast.decisions
           WHERE (namespace, period, program, run) = (runs.namespace, runs.slot, runs.program, runs.run))
       ORDER BY sequence LIMIT $3 FOR UPDATE SKIP LOCKED)
     DELETE FROM holdfast.runs USING forgotten
     WHERE (runs.namespace, runs.program, runs.run) = (forgotten.namespace, forgotten.program, forgotten.run)`,
    [namespace, owner],
  );
}
