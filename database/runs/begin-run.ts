import type { ClientBase } from 'pg';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { laneOf, pipelinesIn } from '../../contract/lane.ts';
import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';
import type { RunTrigger } from '../../contract/trigger.ts';
import { requireNewestSlot } from '../batches/publish.ts';
import type { Database } from '../client/database.ts';
import { transaction } from '../client/transaction.ts';
import { lockLane } from '../locks/run-lock.ts';
import type { OwnerKey, RunAttempt } from './runs.ts';
import { requireSlotHasCome } from './slot-clock.ts';
import { requireSlotNotDone } from './slot-done.ts';

export interface NewRun extends OwnerKey {
  /** Name of the run, or how it follows from its sequence. A name that has run before is its next attempt. */
  readonly run: string | ((sequence: number) => string);
  readonly pipeline: string;
  readonly slot: Date;
  readonly trigger: RunTrigger;
  /** Name of the run that this one is a retry of. */
  readonly retryOf?: string | undefined;
  readonly revision: string;
  readonly startedAt: Date;
  /** Uid of the object on a cluster that stands for the run; two of one name are two attempts. */
  readonly runUid?: string;
}

/** A run under way: nobody else runs the same program in its lane on this database until it is released. */
export interface StartedRun extends RunAttempt {
  readonly sequence: number;
  /** Runs that their process left unfinished; they are now Interrupted. */
  readonly interrupted: readonly string[];
  /** Gives the lane free. Also happens by itself when this process or its connection ends. */
  release(): Promise<void>;
}

/**
 * Takes the lock of the pipeline's lane, gives the run its number and records it as Running.
 * @throws HF_DATA_LOCKED when another run of the program in the same lane holds the lock
 * @throws HF_MANIFEST_INVALID when a run of that name had another slot
 * @throws HF_SLOT_IN_FUTURE, HF_BATCH_NOT_CURRENT when its batch could not, or should not, become the current one
 * @throws HF_SLOT_DONE when it would reach people twice
 */
export async function beginRun(
  database: Database,
  request: NewRun,
  pipelines: Pipelines = PIPELINES,
): Promise<StartedRun> {
  const { namespace, owner } = request;
  const lane = knownLane(request, pipelines);
  const lock = await lockLane(database, { namespace, owner, lane });
  try {
    const begun = await transaction(database, { doing: `begin a run of ${owner}` }, async (client) => {
      await requireTimely(client, request, pipelines);
      const interrupted = await interruptLeftovers(client, request, { of: pipelinesIn(lane, pipelines) });
      return { ...((await repeatRun(client, request)) ?? (await insertRun(client, request))), interrupted };
    });
    return { namespace, owner, ...begun, release: () => lock.release() };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Refuses a run whose slot is yet to come, a batch that could not become the current one, and what people were told already.
 * @throws HF_SLOT_IN_FUTURE, HF_BATCH_NOT_CURRENT, HF_SLOT_DONE
 */
export async function requireTimely(client: ClientBase, request: NewRun, pipelines: Pipelines): Promise<void> {
  await requireSlotHasCome(client, request.slot);
  const { publishes, reachesPeople } = pipelines[request.pipeline] ?? {};
  if (publishes === true) await requireNewestSlot(client, request);
  if (reachesPeople === true) await requireSlotNotDone(client, request, pipelines);
}

/** The lane of a run that is to begin. */
export function knownLane({ pipeline }: Pick<NewRun, 'pipeline'>, pipelines: Pipelines): string {
  const lane = laneOf(pipeline, pipelines);
  if (lane === undefined) throw new TypeError(`There is no pipeline ${pipeline}.`);
  return lane;
}

/**
 * Marks runs as Interrupted whose process lost the lock of their lane, which we hold.
 * @param which.of pipelines of the lanes whose locks we hold; all, whatever they are, when absent
 * @param which.but a run that is left as it is
 */
export async function interruptLeftovers(
  client: ClientBase,
  { namespace, owner, startedAt }: Pick<NewRun, 'namespace' | 'owner' | 'startedAt'>,
  { of, but = '' }: { readonly of?: readonly string[]; readonly but?: string } = {},
): Promise<readonly string[]> {
  const { rows } = await client.query<{ run: string }>(
    `UPDATE holdfast.runs SET phase = 'Interrupted', finished_at = $3
     WHERE namespace = $1 AND program = $2 AND phase = 'Running' AND run <> $4
       AND ($5::text[] IS NULL OR pipeline = ANY ($5)) RETURNING run`,
    [namespace, owner, startedAt, but, of],
  );
  return rows.map(({ run }) => run);
}

/** Begins the next attempt of a run that has run before; undefined when it has not. */
export async function repeatRun(client: ClientBase, request: NewRun): Promise<RunNumbers | undefined> {
  const { namespace, owner, run, slot, trigger, retryOf, revision, startedAt, runUid } = request;
  if (typeof run !== 'string') return undefined;
  const { rows } = await client.query<{ slot: Date; sequence: string; attempt: number }>(
    `UPDATE holdfast.runs
     SET attempt = attempt + 1, phase = 'Running', trigger = $4, revision = $5, started_at = $6,
         finished_at = NULL, seconds = NULL, error_code = NULL, error_message = NULL, stages = '[]', warnings = '[]', owner = $7, retry_of = $8,
         pruned_at = NULL
     WHERE namespace = $1 AND program = $2 AND run = $3 RETURNING slot, sequence, attempt`,
    [namespace, owner, run, trigger, revision, startedAt, runUid, retryOf],
  );
  const [repeated] = rows;
  if (repeated === undefined) return undefined;
  if (repeated.slot.getTime() !== slot.getTime()) {
    throw new HoldfastError(
      'HF_MANIFEST_INVALID',
      `the run ${run} has already run for the slot ${rfc3339(repeated.slot)}, which never changes: give the run for ${rfc3339(slot)} another name`,
    );
  }
  return { run, sequence: Number(repeated.sequence), attempt: repeated.attempt };
}

/** Gives a new run its number and records it as Running. */
export async function insertRun(client: ClientBase, request: NewRun): Promise<RunNumbers> {
  const { namespace, owner, pipeline, slot, trigger, retryOf, revision, startedAt, runUid } = request;
  const { rows } = await client.query<{ last_sequence: string }>(
    `INSERT INTO holdfast.programs (namespace, program, last_sequence) VALUES ($1, $2, 1)
     ON CONFLICT (namespace, program) DO UPDATE SET last_sequence = programs.last_sequence + 1
     RETURNING last_sequence`,
    [namespace, owner],
  );
  const sequence = Number(rows[0]?.last_sequence);
  const run = typeof request.run === 'string' ? request.run : request.run(sequence);
  await client.query(
    `INSERT INTO holdfast.runs (namespace, program, run, pipeline, slot, sequence, attempt, trigger, revision, phase, started_at, owner, retry_of)
     VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, 'Running', $9, $10, $11)`,
    [namespace, owner, run, pipeline, slot, sequence, trigger, revision, startedAt, runUid, retryOf],
  );
  return { run, sequence, attempt: 1 };
}

export interface RunNumbers {
  readonly run: string;
  readonly sequence: number;
  readonly attempt: number;
}
