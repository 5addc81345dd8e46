import type { RunRecord } from '../../database/runs/runs.ts';

/** Batches of which the counts are kept. */
const KEPT = 16;

/**
 * Counts of batches, which do not change once published, so that no visit counts anew what was counted.
 * @param count counts a batch, and says from when on the counts are no longer right
 */
export function keptCounts<Counts>(
  count: (batch: RunRecord, now: Date) => Promise<{ readonly counts: Counts; readonly until: Date | undefined }>,
): (batch: RunRecord, now: Date) => Promise<Counts> {
  const kept = new Map<string, { readonly counts: Counts; readonly since: Date; readonly until: Date | undefined }>();
  return async (batch, now) => {
    const key = JSON.stringify([batch.namespace, batch.owner, batch.run, batch.attempt, batch.publishedAt]);
    const before = kept.get(key);
    const isRight = before !== undefined && now >= before.since && (before.until === undefined || now < before.until);
    const counted = isRight ? before : { ...(await count(batch, now)), since: now };
    kept.delete(key);
    kept.set(key, counted);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return counted.counts;
  };
}
