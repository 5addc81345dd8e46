import { rfc3339 } from '../../../base/instant.ts';
import { parseSchedule } from '../../../base/schedules/index.ts';
import { CLOCK_SKEW_MS } from '../../../contract/clock-skew.ts';
import { pipelineOf } from '../../../contract/pipelines.ts';
import { slotSchedule } from '../../../crds/index.ts';
import type { ProgramObject } from '../../kube/objects.ts';
import type { ConditionReason } from '../reasons.ts';
import type { RunSnapshot } from './snapshot.ts';

type Of = Pick<RunSnapshot, 'run' | 'original' | 'pipelines'>;

/**
 * The instant that a run is as of: its own, that of the run that it is another try of, or the newest of its calendar when it
 * was made; or why there is none, or not one that the run may have.
 */
export function slotOf(
  { run, original, pipelines }: Of,
  program: ProgramObject,
  now: Date,
): Date | { readonly reason: ConditionReason; readonly message: string } {
  const text = slotSchedule(run.spec.pipeline, program.spec, pipelines);
  const calendar = parseSchedule(text, program.spec.timeZone);
  const made = new Date(run.metadata.creationTimestamp);
  const said = run.status?.slot ?? run.spec.slot ?? original?.status?.slot ?? original?.spec.slot;
  const slot = said === undefined ? calendar.newest(made < now ? made : now) : new Date(said);
  if (slot === undefined) {
    return { reason: 'NoSlot', message: `${text} has had no slot yet: give the run a slot` };
  }
  if (Number.isNaN(slot.getTime())) {
    return { reason: 'NoSlot', message: `spec.slot ${said} is no instant such as 2026-11-23T02:00:00Z` };
  }
  if (slot.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    return { reason: 'SlotInFuture', message: `the slot ${rfc3339(slot)} is yet to come: nothing is known as of then` };
  }
  if (pipelineOf(run.spec.pipeline, pipelines)?.reachesPeople !== true) return slot;
  if (run.spec.trigger === 'backfill') {
    const message = `${run.spec.pipeline} reaches people, who are never told of what is past: there is no backfill of it`;
    return { reason: 'OldSlot', message };
  }
  const newest = calendar.newest(made);
  const isOfCalendar = calendar.newest(slot)?.getTime() === slot.getTime();
  if (isOfCalendar && (newest === undefined || slot >= newest)) return slot;
  const only = newest === undefined ? '' : `, which was ${rfc3339(newest)} when the run was made`;
  return {
    reason: 'OldSlot',
    message: `${run.spec.pipeline} reaches people, and so runs only for the newest slot of ${text}${only}; the run's is ${rfc3339(slot)}`,
  };
}
