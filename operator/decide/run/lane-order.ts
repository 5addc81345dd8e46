import { shareLane } from '../../../contract/lane.ts';
import type { RunObject } from '../../kube/objects.ts';
import { because } from '../conditions.ts';
import { inOrder } from './order.ts';
import { type RunSnapshot, standsAside } from './snapshot.ts';

/**
 * The run that a run which has not begun comes right after: they go one after the other in a lane. It stays the same until it
 * is over, so that of many that wait nobody has to be told anew whenever one ends.
 */
export function runBefore({ run, others, begun, pipelines }: RunSnapshot): RunObject | undefined {
  const hasBegun = (one: RunObject) => one.status?.startTime !== undefined || begun.has(one.metadata.uid);
  return others
    .filter((other) => shareLane(other.spec.pipeline, run.spec.pipeline, pipelines))
    .filter((other) => hasBegun(other) || (!standsAside(other) && inOrder(other, run) < 0))
    .toSorted((one, other) => Number(hasBegun(other)) - Number(hasBegun(one)) || inOrder(one, other))
    .at(-1);
}

export function sayWaits(run: string): string {
  return `the run ${run} goes first: they go one after the other, the oldest first`;
}

/** Whether a run says that it comes right after that one. */
export function isRightAfter(run: RunObject, before: RunObject): boolean {
  const { reason, message } = because(run) ?? {};
  return reason === 'WaitingForRun' && message === sayWaits(before.metadata.name);
}
