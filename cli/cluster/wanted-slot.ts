import type { Pipelines } from '../../contract/pipelines.ts';
import { slotDone, slotError, slotOfRun } from '../../contract/slot-guard.ts';
import type { RetentionRunSpec } from '../../crds/index.ts';
import type { ProgramObject } from '../../operator/kube/objects.ts';
import { givenInstant } from '../given-instant.ts';

/** What a person asks for. */
export interface WantedSlot extends Pick<RetentionRunSpec, 'pipeline' | 'dryRun'> {
  /** As it was given. */
  readonly slot: string | undefined;
}

/**
 * The slot of a run that a person wants: the one given, or the newest of the pipeline's calendar.
 * @throws HF_USAGE for what is no instant, HF_SLOT_IN_FUTURE, HF_SCHEDULE_INVALID where the schedule has had no slot yet,
 *   HF_SLOT_REFUSED and HF_SLOT_DONE for one that people would hear of too late, or twice
 */
export function wantedSlot(
  { pipeline, dryRun, slot: given }: WantedSlot,
  { spec, status }: ProgramObject,
  now: Date,
  pipelines?: Pipelines,
): Date {
  const said = given === undefined ? undefined : givenInstant('--slot', given);
  const slot = slotOfRun({ pipeline, trigger: 'manual', slot: said, made: now }, spec, now, pipelines);
  if ('reason' in slot) throw slotError(slot);
  const done = status?.pipelines?.find(({ name }) => name === pipeline)?.lastSucceededSlot;
  const twice = dryRun || done === undefined ? undefined : slotDone(pipeline, slot, new Date(done), pipelines);
  if (twice !== undefined) throw slotError(twice);
  return slot;
}
