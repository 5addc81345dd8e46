import { HoldfastError } from '../../base/errors.ts';
import { PUBLISHING } from '../../contract/pipelines.ts';
import type { Database } from '../client/database.ts';
import { statement } from '../client/statement.ts';
import { type Connection, transaction } from '../client/transaction.ts';
import type { OwnerKey, RunKey } from '../runs/runs.ts';

/** A batch of a program that is, or may be made, the current one. */
export interface BatchChoice {
  readonly run: string;
  readonly slot: Date;
  readonly publishedAt: Date | undefined;
  /** Candidates that have not expired. */
  readonly candidates: number;
  readonly isCurrent: boolean;
}

/** Runs that may be current: batches, not backfills or discarded, that were published or are done, and whose rows are there. */
export const MAY_BE_CURRENT = `pipeline = '${PUBLISHING}' AND trigger <> 'backfill' AND pruned_at IS NULL AND discarded_at IS NULL
  AND (published_at IS NOT NULL OR phase = 'Succeeded')`;

/** The batches of a program that can be its current one, newest first. */
export async function batchChoices(
  database: Database,
  { namespace, owner }: OwnerKey,
  limit: number,
): Promise<readonly BatchChoice[]> {
  const { rows } = await statement<{
    run: string;
    slot: Date;
    published_at: Date | null;
    candidates: string;
    is_current: boolean;
  }>(
    database,
    `read the batches of ${owner}`,
    `SELECT runs.run, runs.slot, runs.published_at, current.run IS NOT NULL AS is_current,
       (SELECT count(*) FROM holdfast.candidates
        WHERE (namespace, program, run) = (runs.namespace, runs.program, runs.run) AND expires_at > now()) AS candidates
     FROM holdfast.runs LEFT JOIN holdfast.current_batches AS current USING (namespace, program, run)
     WHERE runs.namespace = $1 AND runs.program = $2 AND (current.run IS NOT NULL OR (${MAY_BE_CURRENT}))
     ORDER BY current.run IS NULL, runs.slot DESC, runs.sequence DESC LIMIT $3`,
    [namespace, owner, limit],
  );
  return rows.map(({ run, slot, published_at, candidates, is_current }) => ({
    run,
    slot,
    publishedAt: published_at ?? undefined,
    candidates: Number(candidates),
    isCurrent: is_current,
  }));
}

/** A change of the current batch by hand. */
export interface CurrentChange {
  readonly at: Date;
  readonly from: string | undefined;
  readonly to: string;
  readonly withdrawn: boolean;
  readonly by: string;
  readonly reason: string;
}

/** The last changes by hand, newest first. */
export async function currentChanges(
  database: Database,
  { namespace, owner }: OwnerKey,
  limit: number,
): Promise<readonly CurrentChange[]> {
  const { rows } = await statement<Omit<CurrentChange, 'from'> & { from: string | null }>(
    database,
    `read how the current batch of ${owner} was set`,
    `SELECT changed_at AS at, from_run AS from, to_run AS to, withdrawn, changed_by AS by, reason
     FROM holdfast.current_changes WHERE namespace = $1 AND program = $2 ORDER BY changed_at DESC LIMIT $3`,
    [namespace, owner, limit],
  );
  return rows.map((row) => ({ ...row, from: row.from ?? undefined }));
}

export interface SetCurrent extends RunKey {
  readonly by: string;
  readonly reason: string;
  /** Takes the decisions of the batch that it leaves back: they count for no cap any more. */
  readonly withdraw: boolean;
}

/**
 * Makes a batch that is there the current one of its program, whatever its slot, and records who did so and why. From
 * then on a batch of a later slot, or a later run of the same, becomes current by itself, as ever. Resolves to the run
 * that was current before.
 * @throws HF_NOT_FOUND when there is no such run, or its candidates are gone; HF_USAGE when it cannot be current
 */
export async function setCurrentBatch(database: Database, request: SetCurrent): Promise<string | undefined> {
  const { namespace, owner, run } = request;
  return transaction(database, { doing: `set the current batch of ${owner}` }, async (client) => {
    await requireChoice(client, request);
    const { rows } = await client.query<{ run: string }>(
      'SELECT run FROM holdfast.current_batches WHERE namespace = $1 AND program = $2 FOR UPDATE',
      [namespace, owner],
    );
    const before = rows[0]?.run;
    if (before === run) throw new HoldfastError('HF_USAGE', `${run} is the current batch of ${owner} already`);
    if (request.withdraw && before !== undefined) {
      await client.query(
        'UPDATE holdfast.runs SET published_at = NULL WHERE namespace = $1 AND program = $2 AND run = $3',
        [namespace, owner, before],
      );
    }
    await client.query(
      `WITH chosen AS (
         UPDATE holdfast.runs SET published_at = COALESCE(published_at, now())
         WHERE namespace = $1 AND program = $2 AND run = $3 RETURNING slot, sequence, attempt)
       INSERT INTO holdfast.current_batches (namespace, program, run, slot, sequence, attempt)
       SELECT $1, $2, $3, slot, sequence, attempt FROM chosen
       ON CONFLICT (namespace, program) DO UPDATE
       SET run = EXCLUDED.run, slot = EXCLUDED.slot, sequence = EXCLUDED.sequence, attempt = EXCLUDED.attempt`,
      [namespace, owner, run],
    );
    await client.query(
      `INSERT INTO holdfast.current_changes (namespace, program, from_run, to_run, withdrawn, changed_by, reason)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [namespace, owner, before, run, request.withdraw && before !== undefined, request.by, request.reason],
    );
    return before;
  });
}

async function requireChoice(client: Connection, { namespace, owner, run }: RunKey): Promise<void> {
  const key = [namespace, owner, run];
  // Locked as prune locks it: whoever comes second sees what the first has done.
  const { rows } = await client.query<{
    may: boolean;
    pruned: boolean;
    trigger: string;
    phase: string;
    stored: number;
    discarded: boolean;
  }>(
    `SELECT (${MAY_BE_CURRENT}) AS may, pruned_at IS NOT NULL AS pruned, discarded_at IS NOT NULL AS discarded, trigger, phase, COALESCE((
         SELECT (stage ->> 'rowsOut')::bigint FROM jsonb_array_elements(stages) AS stage WHERE stage ->> 'name' = 'store'), 0)::int AS stored
     FROM holdfast.runs WHERE namespace = $1 AND program = $2 AND run = $3 FOR UPDATE`,
    key,
  );
  const [found] = rows;
  if (found === undefined) throw new HoldfastError('HF_NOT_FOUND', `${owner} has no run ${run}`);
  if (found.pruned) throw new HoldfastError('HF_NOT_FOUND', `the batch of ${run} was pruned`);
  if (found.discarded) {
    throw new HoldfastError(
      'HF_USAGE',
      `${run} is discarded: take that back with discard --undo before it can be current`,
    );
  }
  if (!found.may) {
    const why =
      found.trigger === 'backfill' ? 'is a backfill, which is never current' : `is no batch, or ${found.phase}`;
    throw new HoldfastError('HF_USAGE', `${run} ${why}`);
  }
  const { rowCount } = await client.query(
    `SELECT FROM holdfast.candidates
     WHERE namespace = $1 AND program = $2 AND run = $3 AND expires_at > now() LIMIT 1`,
    key,
  );
  if (rowCount === 0 && found.stored > 0) {
    throw new HoldfastError('HF_NOT_FOUND', `the candidates of ${run} have expired: run the program again`);
  }
}
