/** Names by recency quintile (rows, 5 = most recent first) and the mean quintile of frequency and spend (columns, 1 to 5). */
const SEGMENTS = [
  ['New', 'New', 'Promising', 'Champions', 'Champions'],
  ['New', 'Promising', 'Promising', 'Loyal', 'Champions'],
  ['Fading', 'Fading', 'Need attention', 'Loyal', 'Loyal'],
  ['Hibernating', 'Hibernating', 'Fading', 'At risk', 'At risk'],
  ['Lost', 'Lost', 'Hibernating', 'At risk', 'Cannot lose'],
] as const;

/** Segments of the baseline, as `rfmSegments` numbers them. */
export const RFM_SEGMENTS: readonly string[] = [...new Set(SEGMENTS.flat())];

/** A quintile, 5 for the best. */
export type Quintile = 1 | 2 | 3 | 4 | 5;

/** The segment of a customer with these quintiles: each of the 125 combinations is in exactly one. */
export function rfmSegment(recency: Quintile, frequency: Quintile, spend: Quintile): string {
  const row = SEGMENTS[5 - recency] as (typeof SEGMENTS)[number];
  // Between two columns it is the better one.
  return row[Math.ceil((frequency + spend) / 2) - 1] as string;
}

/**
 * The classic baseline of recency, frequency and spend by quintiles: what clusters are worth is what they are worth beside it.
 * @returns number of each customer's segment in `RFM_SEGMENTS`
 */
export function rfmSegments(recencyDays: Float64Array, frequency: Float64Array, spend: Float64Array): Uint8Array {
  const recency = quintiles(recencyDays.map((days) => -days));
  const often = quintiles(frequency);
  const much = quintiles(spend);
  return Uint8Array.from(recency, (of, row) =>
    RFM_SEGMENTS.indexOf(rfmSegment(of, often[row] as Quintile, much[row] as Quintile)),
  );
}

/** Quintile of each value by the share of values below it, so that equal values are in the same, in whatever order they are. */
export function quintiles(values: Float64Array): Quintile[] {
  const sorted = Float64Array.from(values).sort();
  const byValue = new Map<number, Quintile>();
  for (const [below, value] of sorted.entries()) {
    if (!byValue.has(value)) byValue.set(value, (1 + Math.floor((5 * below) / sorted.length)) as Quintile);
  }
  return Array.from(values, (value) => byValue.get(value) as Quintile);
}
