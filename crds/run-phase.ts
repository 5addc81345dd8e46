/** How far a run has come. */
export const RUN_PHASES = ['Pending', 'Running', 'Suspended', 'Succeeded', 'Failed', 'Cancelled'] as const;

/** After these nothing more happens to it. */
const FINAL: readonly string[] = ['Succeeded', 'Failed', 'Cancelled'] satisfies (typeof RUN_PHASES)[number][];

export function isFinalPhase(phase: string | undefined): boolean {
  return phase !== undefined && FINAL.includes(phase);
}
