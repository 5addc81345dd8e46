/** Fewer customers than this may be recognised: no figure over them leaves. */
export const FEWEST = 10;

/** A count of customers, or undefined where it does not leave. */
export type Told = number | undefined;

export const isSmall = (count: number): boolean => count > 0 && count < FEWEST;
export const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** Counts of groups that have nobody in common, and of all of them together. */
export interface ToldCounts {
  readonly counts: readonly Told[];
  readonly total: Told;
}

/**
 * What leaves of the counts of groups: none under ten but 0, and where the total would tell what is withheld, the next
 * smallest is withheld as well.
 */
export function toldCounts(counts: readonly number[]): ToldCounts {
  const total = sum(counts);
  const withheld = new Set([...counts.keys()].filter((place) => isSmall(counts[place] as number)));
  if (withheld.size === 0) return { counts, total };
  const hidden = () => [...withheld].map((place) => counts[place] as number);
  const others = [...counts.keys()]
    .filter((place) => (counts[place] as number) >= FEWEST)
    .toSorted((one, other) => (counts[one] as number) - (counts[other] as number) || one - other);
  if (withheld.size < 2 || sum(hidden()) < FEWEST) {
    const [next] = others;
    if (next !== undefined) withheld.add(next);
  }
  const known = withheld.size > 1 && sum(hidden()) >= FEWEST;
  return {
    counts: counts.map((count, place) => (withheld.has(place) ? undefined : count)),
    total: known ? total : undefined,
  };
}

/** Counts of a snapshot's segments, of the groups beside them, and of all. */
export interface ToldSizes {
  readonly segments: ToldCounts;
  readonly others: ToldCounts;
  readonly total: Told;
}

/**
 * What leaves of a snapshot's counts. Segments have a total of their own, which shares are of, so that what is withheld of
 * them is withheld among them; all other groups likewise.
 */
export function toldSizes(segments: readonly number[], others: readonly number[]): ToldSizes {
  const told = { segments: toldCounts(segments), others: toldCounts(others) };
  const [one, other] = [told.segments.total, told.others.total];
  return { ...told, total: one === undefined || other === undefined ? undefined : one + other };
}
