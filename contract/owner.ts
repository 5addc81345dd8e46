/** Whose a run can be: a program's, or a series', which needs no program. */
export type OwnerKind = 'program' | 'series';

/** What the name of every series begins with. A programId has no dot, so that no program is ever called so. */
export const SERIES_PREFIX = 'series.';

/**
 * The name that an owner is known by, beside its namespace, in keys, folders, tables and locks: the `programId` of a program;
 * of a series its id, the field `series`, behind `series.`, as in `series.loyalty`. Whoever deletes the owner and makes it
 * again goes on where it was.
 */
export function ownerName(kind: OwnerKind, spec: object): string {
  const { programId, series } = spec as Readonly<Record<'programId' | 'series', string>>;
  return kind === 'series' ? `${SERIES_PREFIX}${series}` : programId;
}
