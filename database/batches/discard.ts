import { HoldfastError } from '../../base/errors.ts';
import { PUBLISHING } from '../../contract/pipelines.ts';
import type { Database } from '../client/database.ts';
import { statement } from '../client/statement.ts';
import { type Connection, transaction } from '../client/transaction.ts';
import type { OwnerKey, RunKey } from '../runs/runs.ts';
import { MAY_BE_CURRENT } from './current-batch.ts';

export interface Discard extends RunKey {
  readonly by: string;
  readonly reason: string;
  /** Whether later batches of the program, which counted its decisions, are to stay as they are. */
  readonly keepLater: boolean;
}

export interface Discarded {
  /** Whether it was the current batch. */
  readonly wasCurrent: boolean;
  /** The batch that is current in its place. */
  readonly current: { readonly run: string; readonly slot: Date } | undefined;
}

/**
 * Discards a batch that was never sent: what it decided counts no more as an offer, for any program. Where it is the
 * current one, the batch before it that still has candidates becomes current again; where there is none, none is.
 * @throws HF_NOT_FOUND when there is no such run; HF_USAGE when it has no batch that counts, or later ones were made of it
 */
export async function discardBatch(database: Database, request: Discard): Promise<Discarded> {
  const { namespace, owner, run, by, reason } = request;
  return transaction(database, { doing: `discard the batch of ${run}` }, async (client) => {
    await requireBatch(client, request);
    if (!request.keepLater) await refuseLater(client, request);
    await client.query(
      'UPDATE holdfast.runs SET discarded_at = now() WHERE namespace = $1 AND program = $2 AND run = $3',
      [namespace, owner, run],
    );
    const { rowCount: wasCurrent } = await client.query(
      'DELETE FROM holdfast.current_batches WHERE namespace = $1 AND program = $2 AND run = $3',
      [namespace, owner, run],
    );
    const current = wasCurrent === 1 ? await makeEarlierCurrent(client, request) : undefined;
    await record(client, request, { by, reason, undone: false, current: current?.run });
    return { wasCurrent: wasCurrent === 1, current };
  });
}

/**
 * Takes a discard back: what the batch decided counts again. The current batch stays as it is.
 * @throws HF_NOT_FOUND when there is no such run; HF_USAGE when it is not discarded
 */
export async function undoDiscard(database: Database, request: Omit<Discard, 'keepLater'>): Promise<void> {
  const { namespace, owner, run, by, reason } = request;
  await transaction(database, { doing: `take back the discard of ${run}` }, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE holdfast.runs SET discarded_at = NULL
       WHERE namespace = $1 AND program = $2 AND run = $3 AND discarded_at IS NOT NULL`,
      [namespace, owner, run],
    );
    if (rowCount === 0) throw new HoldfastError('HF_USAGE', `${run} is not discarded`);
    await record(client, request, { by, reason, undone: true, current: undefined });
  });
}

/** A discard, or that one was taken back. */
export interface DiscardRecord {
  readonly at: Date;
  readonly run: string;
  readonly undone: boolean;
  /** The batch that became current by it. */
  readonly current: string | undefined;
  readonly by: string;
  readonly reason: string;
}

/** The last discards of a program, newest first. */
export async function discards(
  database: Database,
  { namespace, owner }: OwnerKey,
  limit: number,
): Promise<readonly DiscardRecord[]> {
  const { rows } = await statement<Omit<DiscardRecord, 'current'> & { current: string | null }>(
    database,
    `read which batches of ${owner} were discarded`,
    `SELECT changed_at AS at, run, undone, current_run AS current, changed_by AS by, reason
     FROM holdfast.discards WHERE namespace = $1 AND program = $2 ORDER BY changed_at DESC LIMIT $3`,
    [namespace, owner, limit],
  );
  return rows.map((row) => ({ ...row, current: row.current ?? undefined }));
}

/** The programs of a namespace that have a run of a name. */
export async function programsOfRun(
  database: Database,
  { namespace, run }: Pick<RunKey, 'namespace' | 'run'>,
): Promise<readonly string[]> {
  const { rows } = await statement<{ program: string }>(
    database,
    `look for the run ${run}`,
    'SELECT program FROM holdfast.runs WHERE namespace = $1 AND run = $2 ORDER BY program',
    [namespace, run],
  );
  return rows.map(({ program }) => program);
}

/** The newest runs of a namespace. */
export async function newestRuns(database: Database, namespace: string, limit: number): Promise<readonly string[]> {
  const { rows } = await statement<{ run: string }>(
    database,
    `read the runs of ${namespace}`,
    `SELECT run FROM holdfast.runs WHERE namespace = $1 AND pipeline = '${PUBLISHING}' ORDER BY started_at DESC LIMIT $2`,
    [namespace, limit],
  );
  return rows.map(({ run }) => run);
}

async function requireBatch(client: Connection, { namespace, owner, run }: RunKey): Promise<void> {
  // Locked as prune and `current --set` lock it: whoever comes second sees what the first has done.
  const { rows } = await client.query<{ phase: string; trigger: string; published: boolean; discarded: boolean }>(
    `SELECT phase, trigger, published_at IS NOT NULL AS published, discarded_at IS NOT NULL AS discarded
     FROM holdfast.runs WHERE namespace = $1 AND program = $2 AND run = $3 FOR UPDATE`,
    [namespace, owner, run],
  );
  const [found] = rows;
  if (found === undefined) throw new HoldfastError('HF_NOT_FOUND', `${owner} has no run ${run}`);
  const refuse = (why: string) => new HoldfastError('HF_USAGE', `${run} ${why}`);
  if (found.phase === 'Running') throw refuse('is under way: wait for its end');
  if (found.discarded) throw refuse('is discarded already');
  if (found.trigger === 'backfill') throw refuse('is a backfill, which never counts as an offer');
  if (!found.published) throw refuse('published no batch, or was withdrawn: nothing of it counts as an offer');
}

/** Most later batches that a person is told. */
const MOST_NAMED = 5;

async function refuseLater(client: Connection, { namespace, owner, run }: RunKey): Promise<void> {
  const { rows } = await client.query<{ run: string }>(
    `SELECT later.run FROM holdfast.runs AS later
     JOIN holdfast.runs AS this ON (this.namespace, this.program, this.run) = ($1, $2, $3)
     WHERE later.namespace = $1 AND later.program = $2 AND later.pipeline = '${PUBLISHING}' AND later.trigger <> 'backfill'
       AND later.discarded_at IS NULL AND later.published_at > this.published_at
       -- A program decides a slot anew whatever it decided for it before.
       AND later.slot > this.slot
     ORDER BY later.published_at`,
    [namespace, owner, run],
  );
  if (rows.length === 0) return;
  const names = rows.slice(0, MOST_NAMED).map((later) => later.run);
  const more = rows.length > MOST_NAMED ? ` and ${rows.length - MOST_NAMED} more` : '';
  throw new HoldfastError(
    'HF_USAGE',
    `${names.join(', ')}${more} counted what ${run} decided, and may have left customers out for it: discard what was not ` +
      'sent of those first, or give --keep-later, and they stay as they are',
  );
}

/** The newest batch that was published before it, and still has candidates. */
async function makeEarlierCurrent(
  client: Connection,
  { namespace, owner, run }: RunKey,
): Promise<Discarded['current']> {
  const { rows } = await client.query<{ run: string; slot: Date }>(
    `INSERT INTO holdfast.current_batches (namespace, program, run, slot, sequence, attempt)
     SELECT namespace, program, run, slot, sequence, attempt FROM holdfast.runs
     WHERE namespace = $1 AND program = $2 AND ${MAY_BE_CURRENT} AND published_at IS NOT NULL
       AND (slot, sequence) < (
         SELECT slot, sequence FROM holdfast.runs WHERE namespace = $1 AND program = $2 AND run = $3)
       AND EXISTS (SELECT FROM holdfast.candidates
         WHERE (namespace, program, run) = (runs.namespace, runs.program, runs.run) AND expires_at > now())
     ORDER BY slot DESC, sequence DESC LIMIT 1
     RETURNING run, slot`,
    [namespace, owner, run],
  );
  return rows[0];
}

async function record(
  client: Connection,
  { namespace, owner, run }: RunKey,
  { by, reason, undone, current }: Omit<DiscardRecord, 'at' | 'run'>,
): Promise<void> {
  await client.query(
    `INSERT INTO holdfast.discards (namespace, program, run, undone, current_run, changed_by, reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [namespace, owner, run, undone, current, by, reason],
  );
}
