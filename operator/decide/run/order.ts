import { type RunObject, seniority } from '../../kube/objects.ts';

/** A run of a slot that is past, which nobody waits for. */
function isBackfill({ spec }: Pick<RunObject, 'spec'>): boolean {
  return spec.trigger === 'backfill';
}

/**
 * Negative where the first of two runs that have not begun goes before the other: backfills go last, of those the oldest
 * slot first, of others the oldest run. Everybody agrees on the order.
 */
export function inOrder(one: RunObject, other: RunObject): number {
  return backfillsLast(one, other) || slotOrder(one, other) || (seniority(one) < seniority(other) ? -1 : 1);
}

/** Negative or positive where only one of two runs is a backfill. */
export function backfillsLast(one: RunObject, other: RunObject): number {
  return Number(isBackfill(one)) - Number(isBackfill(other));
}

function slotOrder(one: RunObject, other: RunObject): number {
  if (!isBackfill(one)) return 0;
  const [slot, otherSlot] = [one, other].map(({ spec }) => Date.parse(spec.slot ?? ''));
  // One without a slot is of the newest that there is.
  return (slot || Number.MAX_VALUE) - (otherSlot || Number.MAX_VALUE);
}
