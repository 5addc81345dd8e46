/**
 * How far the clock of whoever makes a run may be ahead of the clock by which its slot is looked at: so far, and no further, a
 * slot is not yet to come.
 */
export const CLOCK_SKEW_MS = 5 * 60_000;
