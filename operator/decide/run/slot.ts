import { type SlotRefusal, slotDone, slotOfRun } from '../../../contract/slot-guard.ts';
import { isOfProgram, type ProgramObject } from '../../kube/objects.ts';
import type { ConditionReason } from '../reasons.ts';
import type { RunSnapshot } from './snapshot.ts';

type Of = Pick<RunSnapshot, 'run' | 'original' | 'succeeded' | 'pipelines'>;

/**
 * The instant that a run is as of: its own, that of the run that it is another try of, or the newest of its calendar when it
 * was made; or why there is none, or not one that the run may have.
 */
export function slotOf(
  { run, original, succeeded, pipelines }: Of,
  program: ProgramObject,
  now: Date,
): Date | (SlotRefusal & { readonly reason: ConditionReason }) {
  const { pipeline, trigger, dryRun } = run.spec;
  const said = run.status?.slot ?? run.spec.slot ?? original?.status?.slot ?? original?.spec.slot;
  const given = said === undefined ? undefined : new Date(said);
  if (given !== undefined && Number.isNaN(given.getTime())) {
    return { reason: 'NoSlot', message: `spec.slot ${said} is no instant such as 2026-11-23T02:00:00Z` };
  }
  const made = new Date(run.metadata.creationTimestamp);
  const slot = slotOfRun({ pipeline, trigger, slot: given, made }, program.spec, now, pipelines);
  if ('reason' in slot || dryRun) return slot;
  const done = [
    program.status?.pipelines?.find(({ name }) => name === pipeline)?.lastSucceededSlot,
    ...succeeded
      .filter((one) => one.spec.pipeline === pipeline && !one.spec.dryRun && isOfProgram(one, program))
      .map(({ status }) => status?.slot),
  ].flatMap((instant) => (instant === undefined ? [] : [Date.parse(instant)]));
  const newest = done.length === 0 ? undefined : new Date(Math.max(...done));
  return slotDone(pipeline, slot, newest, pipelines) ?? slot;
}
