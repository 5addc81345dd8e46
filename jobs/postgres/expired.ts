import type { Database } from './database.ts';
import { type Batches, deleteInBatches } from './in-batches.ts';
import type { ProgramKey } from './runs.ts';
import { statement } from './statement.ts';

/**
 * The earlier of a clock and that of the server: what is old by this is old by both. A run as of a far future, or a
 * machine whose clock is wrong, must not empty the tables.
 */
export async function earlierClock(database: Database, now: Date): Promise<Date> {
  const { rows } = await statement<{ now: Date }>(
    database,
    'tell the time',
    'SELECT LEAST($1::timestamptz, now()) AS now',
    [now],
  );
  return rows[0]?.now ?? now;
}

/** Candidates past their time, but for those of the current batch. */
const EXPIRED_CANDIDATES = `
  SELECT ctid FROM holdfast.candidates
  WHERE namespace = $1 AND program = $2 AND expires_at <= $3
    AND run <> COALESCE((SELECT run FROM holdfast.current_batches WHERE namespace = $1 AND program = $2), '')`;

/** @param now by both clocks */
export async function countExpiredCandidates(database: Database, key: ProgramKey, now: Date): Promise<number> {
  return count(database, 'count the expired candidates', EXPIRED_CANDIDATES, [key.namespace, key.program, now]);
}

/**
 * Deletes candidates past their time, but for those of the current batch, and resolves to how many.
 * @param now by both clocks
 */
export async function deleteExpiredCandidates(
  database: Database,
  { namespace, program }: ProgramKey,
  now: Date,
  batches: Omit<Batches, 'doing'>,
): Promise<number> {
  return deleteInBatches(
    database,
    { doing: 'delete expired candidates', ...batches },
    deleteLocked('candidates', `${EXPIRED_CANDIDATES} ORDER BY expires_at`),
    [namespace, program, now],
  );
}

/**
 * Decisions that nothing reads any more: those of pruned runs that were never published, which count for no cap and no
 * measurement; and, where $3 says so, those of periods before it.
 */
const SPENT_DECISIONS = `
  SELECT ctid FROM holdfast.decisions
  WHERE namespace = $1 AND program = $2
    AND run <> COALESCE((SELECT run FROM holdfast.current_batches WHERE namespace = $1 AND program = $2), '')
    AND (period < $3 OR (period, run) IN (
      SELECT slot, run FROM holdfast.runs
      WHERE namespace = $1 AND program = $2 AND pruned_at IS NOT NULL AND published_at IS NULL AND phase <> 'Running'))`;

/** @param before decisions of earlier periods are spent; undefined keeps them for ever */
export async function countSpentDecisions(
  database: Database,
  key: ProgramKey,
  before: Date | undefined,
): Promise<number> {
  return count(database, 'count the spent decisions', SPENT_DECISIONS, [key.namespace, key.program, before]);
}

/**
 * Deletes decisions that nothing reads any more and resolves to how many.
 * @param before decisions of earlier periods are spent; undefined keeps them for ever
 */
export async function deleteSpentDecisions(
  database: Database,
  { namespace, program }: ProgramKey,
  before: Date | undefined,
  batches: Omit<Batches, 'doing'>,
): Promise<number> {
  return deleteInBatches(
    database,
    { doing: 'delete spent decisions', ...batches },
    deleteLocked('decisions', SPENT_DECISIONS),
    [namespace, program, before],
  );
}

/**
 * Deletes at most $4 of the rows that a SELECT finds the places of. They are locked first, so that their places stay what
 * they are; by place, because the planner, which does not know how many there are, may look for keys in the wrong index.
 */
function deleteLocked(table: string, select: string): string {
  return `DELETE FROM holdfast.${table} WHERE ctid = ANY (ARRAY(${select} LIMIT $4 FOR UPDATE SKIP LOCKED))`;
}

async function count(database: Database, doing: string, select: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await statement<{ count: string }>(
    database,
    doing,
    `SELECT count(*) AS count FROM (${select}) AS found`,
    values,
  );
  return Number(rows[0]?.count);
}
