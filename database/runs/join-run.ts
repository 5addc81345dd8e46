import { HoldfastError } from '../../base/errors.ts';
import { pipelinesIn } from '../../contract/lane.ts';
import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';
import type { Database } from '../client/database.ts';
import { transaction } from '../client/transaction.ts';
import { laneLockName } from '../locks/run-lock.ts';
import {
  insertRun,
  interruptLeftovers,
  knownLane,
  type NewRun,
  type RunNumbers,
  repeatRun,
  requireTimely,
} from './begin-run.ts';
import type { RunRecord } from './runs.ts';

/** A run whose tasks are processes of their own, so that no connection lasts as long as it does. */
export interface JoiningRun extends NewRun {
  readonly run: string;
  readonly runUid: string;
}

/**
 * Gives a run its number and records it as Running, or finds it as it was recorded: the first task of a run, and each
 * repetition of it, calls this. The same name with another uid is the next attempt. Other runs of the program in
 * the same lane that were left unfinished become Interrupted: who made this one knows that they are over.
 * @throws HF_DATA_LOCKED when a laptop is running the program in the same database, or has taken the run's turn
 * @throws HF_MANIFEST_INVALID when a run of that name had another slot
 * @throws HF_SLOT_IN_FUTURE, HF_BATCH_NOT_CURRENT when its batch could not, or should not, become the current one
 * @throws HF_SLOT_DONE when it would reach people twice
 */
export async function joinRun(
  database: Database,
  request: JoiningRun,
  pipelines: Pipelines = PIPELINES,
): Promise<RunNumbers> {
  const { namespace, owner, run, runUid } = request;
  const lane = knownLane(request, pipelines);
  return transaction(database, { doing: `register the run ${run}` }, async (client) => {
    // A run on a laptop holds this lock for as long as it lasts.
    const { rows: locks } = await client.query<{ free: boolean }>(
      'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS free',
      [laneLockName({ namespace, owner, lane })],
    );
    if (locks[0]?.free !== true) {
      throw new HoldfastError(
        'HF_DATA_LOCKED',
        `another run of ${owner} is under way in the same database, outside this cluster`,
      );
    }
    const { rows } = await client.query<Known>(
      `SELECT run, slot, sequence, attempt, owner, phase FROM holdfast.runs
       WHERE namespace = $1 AND program = $2 AND run = $3 FOR UPDATE`,
      [namespace, owner, run],
    );
    const [known] = rows;
    if (known?.owner === runUid) return recorded(known, request);
    await requireTimely(client, request, pipelines);
    await interruptLeftovers(client, request, { of: pipelinesIn(lane, pipelines), but: run });
    return known === undefined ? insertRun(client, request) : ((await repeatRun(client, request)) ?? never(run));
  });
}

interface Known extends Pick<RunRecord, 'run' | 'slot' | 'attempt' | 'phase'> {
  /** bigint, which node-postgres hands over as text. */
  readonly sequence: string;
  readonly owner: string | null;
}

function recorded({ run, sequence, attempt, phase }: Known, { owner }: JoiningRun): RunNumbers {
  if (phase === 'Interrupted') {
    throw new HoldfastError('HF_DATA_LOCKED', `another run of ${owner} has begun since ${run} did, and took its turn`);
  }
  return { run, sequence: Number(sequence), attempt };
}

function never(run: string): never {
  throw new HoldfastError('HF_INTERNAL', `the run ${run} was there and then was not`);
}
