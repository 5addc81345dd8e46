import { awaitedRun, type SucceededRun } from '../../../contract/upstream.ts';
import { isOfProgram, type ProgramObject } from '../../kube/objects.ts';
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
  const { run, original, pipelines } = snapshot;
  const { spec } = program;
  // What a run is another try of had what it needed when it began.
  if (original?.status?.startTime !== undefined) return undefined;
  const waits = awaitedRun(run.spec, slot, spec, succeededOf(snapshot, program), pipelines);
  if (waits === undefined) return undefined;
  const since = run.spec.trigger === 'schedule' ? slot.getTime() : Date.parse(run.metadata.creationTimestamp);
  return { what: waits.what, deadline: new Date(since + spec.startingDeadlineSeconds * 1000) };
}

/** The runs of the program that have succeeded, and what the program says of those that are no more. */
function succeededOf({ succeeded }: RunSnapshot, program: ProgramObject): readonly SucceededRun[] {
  const here = succeeded.filter((run) => isOfProgram(run, program) && !run.spec.dryRun);
  return [
    ...here.map(({ spec: { pipeline, trigger }, status }) => ({
      pipeline,
      trigger,
      slot: new Date(status?.slot ?? ''),
    })),
    ...(program.status?.pipelines ?? []).flatMap(({ name, lastSucceededSlot }) =>
      lastSucceededSlot === undefined
        ? []
        : [{ pipeline: name, trigger: 'schedule' as const, slot: new Date(lastSucceededSlot) }],
    ),
  ];
}
