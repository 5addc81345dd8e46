import type { Database } from '../client/database.ts';
import { type Batches, deleteInBatches } from '../client/in-batches.ts';
import { statement } from '../client/statement.ts';
import type { OwnerKey } from '../runs/runs.ts';

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

/** Candidates past their time: those of the current batch, too, since nothing shows them any more. */
const EXPIRED_CANDIDATES = `
  SELECT ctid FROM holdfast.candidates WHERE namespace = $1 AND program = $2 AND expires_at <= $3`;

type Namespace = Pick<OwnerKey, 'namespace'>;

/** Of every program of a namespace. @param now by both clocks */
export async function countExpiredCandidates(database: Database, key: Namespace, now: Date): Promise<number> {
  let expired = 0;
  for (const { namespace, owner } of await programsIn(database, key)) {
    expired += await count(database, 'count the expired candidates', EXPIRED_CANDIDATES, [namespace, owner, now]);
  }
  return expired;
}

/**
 * Deletes the candidates of a namespace that are past their time, and resolves to how many: those of a program that was
 * deleted, and so has no more runs, go with those of the others.
 * @param now by both clocks
 */
export async function deleteExpiredCandidates(
  database: Database,
  key: Namespace,
  now: Date,
  batches: Omit<Batches, 'doing'>,
): Promise<number> {
  let deleted = 0;
  // One program at a time: the index of expiry begins with it.
  for (const { namespace, owner } of await programsIn(database, key)) {
    deleted += await deleteInBatches(
      database,
      { doing: 'delete expired candidates', ...batches },
      deleteLocked('candidates', `${EXPIRED_CANDIDATES} ORDER BY expires_at`),
      [namespace, owner, now],
    );
  }
  return deleted;
}

async function programsIn(database: Database, { namespace }: Namespace): Promise<readonly OwnerKey[]> {
  const { rows } = await statement<{ namespace: string; owner: string }>(
    database,
    'list the programs of a namespace',
    'SELECT namespace, program AS owner FROM holdfast.programs WHERE namespace = $1 ORDER BY program',
    [namespace],
  );
  return rows;
}

const ALL_CANDIDATES = 'SELECT ctid FROM holdfast.candidates WHERE namespace = $1 AND program = $2';

export async function countCandidatesOf(database: Database, { namespace, owner }: OwnerKey): Promise<number> {
  return count(database, 'count the candidates', ALL_CANDIDATES, [namespace, owner]);
}

/** Deletes every candidate of a program, whatever its time, and resolves to how many. */
export async function deleteCandidatesOf(
  database: Database,
  { namespace, owner }: OwnerKey,
  batches: Omit<Batches, 'doing'>,
): Promise<number> {
  const sql = `DELETE FROM holdfast.candidates
    WHERE ctid = ANY (ARRAY(${ALL_CANDIDATES} LIMIT $3 FOR UPDATE SKIP LOCKED))`;
  return deleteInBatches(database, { doing: 'delete the candidates of a program', ...batches }, sql, [
    namespace,
    owner,
  ]);
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
  key: OwnerKey,
  before: Date | undefined,
): Promise<number> {
  return count(database, 'count the spent decisions', SPENT_DECISIONS, [key.namespace, key.owner, before]);
}

/**
 * Deletes decisions that nothing reads any more and resolves to how many.
 * @param before decisions of earlier periods are spent; undefined keeps them for ever
 */
export async function deleteSpentDecisions(
  database: Database,
  { namespace, owner }: OwnerKey,
  before: Date | undefined,
  batches: Omit<Batches, 'doing'>,
): Promise<number> {
  return deleteInBatches(
    database,
    { doing: 'delete spent decisions', ...batches },
    deleteLocked('decisions', SPENT_DECISIONS),
    [namespace, owner, before],
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
