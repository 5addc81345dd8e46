/** How far a run has come. The last three are final. */
export const RUN_PHASES = ['Pending', 'Running', 'Suspended', 'Succeeded', 'Failed', 'Cancelled'] as const;
