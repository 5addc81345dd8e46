import type { ClientBase } from 'pg';
import type { Pipelines } from '../../contract/pipelines.ts';
import { slotDone, slotError } from '../../contract/slot-guard.ts';
import type { OwnerKey } from './runs.ts';

/**
 * Refuses a run of what reaches people where they have been told of its slot, whoever did so: on this database nobody is told
 * twice. The lane of the run is ours.
 * @throws HF_SLOT_DONE
 */
export async function requireSlotNotDone(
  client: ClientBase,
  { namespace, owner, pipeline, slot }: OwnerKey & { readonly pipeline: string; readonly slot: Date },
  pipelines: Pipelines,
): Promise<void> {
  const { rows } = await client.query<{ newest: Date | null }>(
    `SELECT max(slot) AS newest FROM holdfast.runs
     WHERE namespace = $1 AND program = $2 AND pipeline = $3 AND phase = 'Succeeded'`,
    [namespace, owner, pipeline],
  );
  const twice = slotDone(pipeline, slot, rows[0]?.newest ?? undefined, pipelines);
  if (twice !== undefined) throw slotError(twice);
}
