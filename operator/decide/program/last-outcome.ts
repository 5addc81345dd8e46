import { isOfProgram, type RunObject } from '../../kube/objects.ts';
import type { Conditions } from '../conditions.ts';
import type { ConditionReason } from '../reasons.ts';
import { isFinal } from '../run/snapshot.ts';
import { isForPublishing } from '../run-result.ts';
import { byAge } from './pipeline-status.ts';
import type { ProgramSnapshot } from './snapshot.ts';

/** Ends that say nothing of how a program is: somebody wished it, or what was asked for could not be. */
const SAYING_NOTHING: ReadonlySet<string> = new Set<ConditionReason>([
  'Cancelled',
  'Replaced',
  'NothingToRetry',
  'NoSlot',
  'SlotInFuture',
  'OldSlot',
  'SlotDone',
]);

export interface LastOutcome {
  readonly run: RunObject;
  readonly outcome: Conditions[number];
}

/** The newest run that says how the program is; undefined where there is none. */
export function lastOutcome({ program, runs, pipelines }: ProgramSnapshot): LastOutcome | undefined {
  for (const run of byAge(runs.filter((one) => isForPublishing(one, pipelines) && isOfProgram(one, program)))) {
    const outcome = outcomeOf(run);
    if (outcome !== undefined) return { run, outcome };
  }
  return undefined;
}

/** What a run says of its program; undefined where it is not over, or says nothing of it. */
export function outcomeOf(run: RunObject): LastOutcome['outcome'] | undefined {
  if (!isFinal(run)) return undefined;
  const { spec, status } = run;
  const outcome = status?.conditions?.find(({ type }) => type === 'Complete');
  if (outcome === undefined || SAYING_NOTHING.has(outcome.reason)) return undefined;
  // Another try that could not begin leaves all as the first one left it.
  return spec.retryOf !== undefined && status?.startTime === undefined ? undefined : outcome;
}
