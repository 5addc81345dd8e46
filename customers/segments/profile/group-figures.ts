/** Lower quartile, median and upper quartile, in raw units. */
export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** What is counted of a group of customers: a segment, or everybody who is clustered. */
export interface GroupFigures {
  readonly customers: number;
  /** How many of them are inactive by the proxy. */
  readonly churned: number;
  /** By feature; a feature that the snapshot does not have, or that nobody in the group has, is left out. */
  readonly quartiles: Readonly<Record<string, Quartiles>>;
}

export const POSITIONS = ['lowest', 'low', 'middle', 'high', 'highest'] as const;

/** Where a segment's median lies among everybody's quartiles. */
export type Position = (typeof POSITIONS)[number];

/**
 * `lowest` up to the lower quartile, `highest` from the upper one, `middle` at the median itself: where half of all have the
 * same value, and so all quartiles are one, a median there is neither high nor low.
 */
export function positionOf(median: number, everybody: Quartiles): Position {
  if (median === everybody.median) return 'middle';
  if (median < everybody.median) return median <= everybody.lower ? 'lowest' : 'low';
  return median >= everybody.upper ? 'highest' : 'high';
}
