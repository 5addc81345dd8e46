/** How long to wait between attempts, in milliseconds. */
export interface BackoffRange {
  readonly first: number;
  readonly longest: number;
}

/**
 * Wait before attempt number `failures` + 1: doubles from `first` up to `longest`, then takes between half of that and
 * all of it, so that many who failed together do not come back together.
 */
export function backoff(failures: number, range: BackoffRange, random: () => number): number {
  const full = Math.min(range.longest, range.first * 2 ** Math.max(0, failures - 1));
  return full * (0.5 + random() / 2);
}
