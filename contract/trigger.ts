/** What began a run: its slot, or a person. */
export const TRIGGERS = ['schedule', 'manual', 'backfill', 'retry'] as const;

export type RunTrigger = (typeof TRIGGERS)[number];
