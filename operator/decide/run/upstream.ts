import { rfc3339 } from '../../../base/instant.ts';
import { parseSchedule } from '../../../base/schedules/index.ts';
import { type Pipelines, pipelineOf, scheduleOf } from '../../../contract/pipelines.ts';
import { isOfProgram, type ProgramObject, type RunObject } from '../../kube/objects.ts';
import type { RunSnapshot } from './snapshot.ts';

/** What a run waits for whose pipeline comes after another. */
export interface Awaited {
  /** Completes "the run begins when". */
  readonly what: string;
  /** It fails then. */
  readonly deadline: Date;
}

/** Undefined where the pipeline comes after none, or a run of that one has succeeded for the slot, whoever made it. */
export function awaited(snapshot: RunSnapshot, program: ProgramObject, slot: Date): Awaited | undefined {
  const { run, original, succeeded, pipelines } = snapshot;
  const { spec, status } = program;
  const after = pipelineOf(run.spec.pipeline, pipelines)?.after;
  // What a run is another try of had what it needed when it began.
  if (after === undefined || original?.status?.startTime !== undefined) return undefined;
  const first = upstreamSlot(after, program, slot, pipelines);
  const isForSlot = (instant: string | undefined): boolean => {
    const at = Date.parse(instant ?? '');
    return at <= slot.getTime() && at >= (first?.getTime() ?? 0);
  };
  const counts = (one: RunObject) =>
    one.spec.pipeline === after &&
    isOfProgram(one, program) &&
    !one.spec.dryRun &&
    (one.spec.trigger !== 'backfill' || run.spec.trigger === 'backfill') &&
    isForSlot(one.status?.slot);
  // Of a run that is no more, the program still says so.
  const known = status?.pipelines?.find(({ name }) => name === after)?.lastSucceededSlot;
  if (succeeded.some(counts) || isForSlot(known)) return undefined;
  const since = run.spec.trigger === 'schedule' ? slot.getTime() : Date.parse(run.metadata.creationTimestamp);
  return {
    what: `${after} has succeeded${first === undefined ? '' : ` for the slot ${rfc3339(first)}`}`,
    deadline: new Date(since + spec.startingDeadlineSeconds * 1000),
  };
}

/** Which slot of a pipeline goes before a slot of one that comes after it: the newest by then; undefined where there is none. */
export function upstreamSlot(
  after: string,
  { spec }: ProgramObject,
  slot: Date,
  pipelines: Pipelines,
): Date | undefined {
  const schedule = scheduleOf(after, spec, pipelines)?.schedule;
  return schedule === undefined ? undefined : parseSchedule(schedule, spec.timeZone).newest(slot);
}
