import { EARLIEST_YEAR, isInKnownYears, LATEST_YEAR, rfc3339 } from '../../../base/instant.ts';
import { type SlotRefusal, slotDone, slotOfRun } from '../../../contract/slot-guard.ts';
import { isOfProgram, type ProgramObject, type RunObject } from '../../kube/objects.ts';
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
  const said = run.spec.slot ?? original?.status?.slot ?? original?.spec.slot;
  const given = said === undefined ? undefined : new Date(said);
  if (given !== undefined && !isInKnownYears(given)) {
    const years = `the years ${EARLIEST_YEAR} to ${LATEST_YEAR}`;
    return { reason: 'NoSlot', message: `spec.slot ${said} is no instant such as 2026-11-23T02:00:00Z, of ${years}` };
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

/** The run with the slot that it would begin with now, so that whoever waits for it sees which one that is. */
export function withSlot(snapshot: Of & Pick<RunSnapshot, 'program'>, now: Date): RunObject {
  const { run, program } = snapshot;
  if (run.status?.startTime !== undefined) return run;
  const { slot: _before, ...status } = run.status ?? {};
  const slot = program === undefined ? undefined : slotOrNone(snapshot, program, now);
  const said = slot ?? new Date(run.spec.slot ?? Number.NaN);
  return { ...run, status: isInKnownYears(said) ? { ...status, slot: rfc3339(said) } : status };
}

/** None of a schedule that cannot be read, which is said elsewhere. */
function slotOrNone(of: Of, program: ProgramObject, now: Date): Date | undefined {
  try {
    const slot = slotOf(of, program, now);
    return 'reason' in slot ? undefined : slot;
  } catch {
    return undefined;
  }
}
