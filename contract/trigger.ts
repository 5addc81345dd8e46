/** What began a run: its slot, or a person. */
export const TRIGGERS = ['schedule', 'manual', 'backfill', 'retry'] as const;

export type RunTrigger = (typeof TRIGGERS)[number];

/** What a retry is recorded as: that of a backfill is one too, and never moves the current pointer either. */
export function triggerOfRetry(of: RunTrigger | undefined): RunTrigger {
  return of === 'backfill' ? 'backfill' : 'retry';
}
