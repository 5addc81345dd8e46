/** What a number of measurements say together; milliseconds. */
export interface Distribution {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly samples: number;
}

export function distribution(milliseconds: readonly number[]): Distribution {
  if (milliseconds.length === 0) throw new Error('nothing was measured');
  const sorted = milliseconds.toSorted((one, other) => one - other);
  return {
    p50Ms: Math.round(percentile(sorted, 0.5)),
    p95Ms: Math.round(percentile(sorted, 0.95)),
    p99Ms: Math.round(percentile(sorted, 0.99)),
    maxMs: Math.round(sorted.at(-1) as number),
    samples: sorted.length,
  };
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((one, other) => one - other),
    0.5,
  );
}

/** The smallest of the values that at least this share of them does not exceed. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}
