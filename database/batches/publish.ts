import type { ClientBase } from 'pg';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import type { RunTrigger } from '../../contract/trigger.ts';
import type { OwnerKey, RunAttempt } from '../runs/runs.ts';

export interface Batch extends RunAttempt {
  readonly slot: Date;
  readonly sequence: number;
  readonly trigger: RunTrigger;
}

/**
 * Makes sure, for the rest of the transaction, that this attempt is the one that may write the run's rows.
 * @throws HF_DATA_LOCKED when a newer attempt has begun, or another run took the program over
 * @throws HF_NOT_FOUND when the run was never begun
 */
export async function claimRun(client: ClientBase, { namespace, owner, run, attempt }: RunAttempt): Promise<void> {
  const { rows } = await client.query<{ attempt: number; phase: string }>(
    'SELECT attempt, phase FROM holdfast.runs WHERE namespace = $1 AND program = $2 AND run = $3 FOR UPDATE',
    [namespace, owner, run],
  );
  const [current] = rows;
  if (current === undefined)
    throw new HoldfastError('HF_NOT_FOUND', `the run ${run} of ${owner} is not in the database`);
  if (current.attempt !== attempt || current.phase !== 'Running') {
    throw new HoldfastError(
      'HF_DATA_LOCKED',
      `attempt ${attempt} of ${run} lost its turn: the run is ${current.phase} at attempt ${current.attempt}; nothing was written`,
    );
  }
}

/** Keeps with the run whether its program makes offers: without them nobody is left out for having none. */
export async function recordStrategy(
  client: ClientBase,
  { namespace, owner, run }: RunAttempt,
  makesOffers: boolean,
): Promise<void> {
  await client.query('UPDATE holdfast.runs SET makes_offers = $4 WHERE namespace = $1 AND program = $2 AND run = $3', [
    namespace,
    owner,
    run,
    makesOffers,
  ]);
}

/** Whether this very attempt has published its batch, and is stored once more. */
export async function isPublished(
  client: ClientBase,
  { namespace, owner, run, attempt }: RunAttempt,
): Promise<boolean> {
  const { rowCount } = await client.query(
    'SELECT FROM holdfast.current_batches WHERE namespace = $1 AND program = $2 AND run = $3 AND attempt = $4',
    [namespace, owner, run, attempt],
  );
  return rowCount === 1;
}

/**
 * Makes a batch the current one of its program. A backfill never is.
 * @throws HF_BATCH_NOT_CURRENT when a greater (slot, sequence, attempt) is
 */
export async function publishBatch(client: ClientBase, batch: Batch, at: Date): Promise<void> {
  if (batch.trigger === 'backfill') return;
  const { namespace, owner, run, slot, sequence, attempt } = batch;
  const { rowCount } = await client.query(
    `INSERT INTO holdfast.current_batches AS current (namespace, program, slot, sequence, attempt, run)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (namespace, program) DO UPDATE
     SET slot = EXCLUDED.slot, sequence = EXCLUDED.sequence, attempt = EXCLUDED.attempt, run = EXCLUDED.run
     -- Equal is the same attempt, stored again.
     WHERE (current.slot, current.sequence, current.attempt) <= (EXCLUDED.slot, EXCLUDED.sequence, EXCLUDED.attempt)`,
    [namespace, owner, slot, sequence, attempt, run],
  );
  if (rowCount === 0) throw notCurrent(batch, await pointer(client, batch));
  await client.query(
    `UPDATE holdfast.runs SET published_at = $4, discarded_at = NULL WHERE namespace = $1 AND program = $2 AND run = $3`,
    [namespace, owner, run, at],
  );
}

/**
 * Refuses a batch that could not become the current one, before it is made.
 * @throws HF_BATCH_NOT_CURRENT when that of a later slot is
 */
export async function requireNewestSlot(
  client: ClientBase,
  batch: Pick<Batch, 'namespace' | 'owner' | 'slot' | 'trigger'>,
): Promise<void> {
  if (batch.trigger === 'backfill') return;
  const current = await pointer(client, batch);
  if (current !== undefined && current.slot > batch.slot) throw notCurrent(batch, current);
}

type Pointer = Pick<Batch, 'run' | 'slot'>;

async function pointer(client: ClientBase, { namespace, owner }: OwnerKey): Promise<Pointer | undefined> {
  const { rows } = await client.query<Pointer>(
    'SELECT run, slot FROM holdfast.current_batches WHERE namespace = $1 AND program = $2',
    [namespace, owner],
  );
  return rows[0];
}

function notCurrent(
  { namespace, owner, slot }: Pick<Batch, 'namespace' | 'owner' | 'slot'>,
  current: Pointer | undefined,
): HoldfastError {
  const elsewhere = namespace === 'default' ? '' : ` --namespace ${namespace}`;
  return new HoldfastError(
    'HF_BATCH_NOT_CURRENT',
    `the current batch of ${owner} is ${current?.run ?? 'another'}, as of ${current === undefined ? 'a later slot' : rfc3339(current.slot)}, and one as of ${rfc3339(slot)} cannot take its place: nothing was stored. If the current one is wrong, set it back with \`holdfast current ${owner}${elsewhere} --set RUN --reason TEXT\`; a batch for the record of the past has the trigger backfill`,
  );
}
