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

/** What an `ownerName` says: the kind of owner, and the `programId` or the id of the series. */
export function ownerOf(name: string): { readonly kind: OwnerKind; readonly id: string } {
  return name.startsWith(SERIES_PREFIX)
    ? { kind: 'series', id: name.slice(SERIES_PREFIX.length) }
    : { kind: 'program', id: name };
}

/** What a spec says to whoever runs its tasks, of whichever kind its owner is: these fields mean the same in each, and may be absent. */
export interface OwnerSpec {
  readonly dataConnectors?: readonly { readonly connectorId: string; readonly type: string }[];
  readonly execution?: {
    readonly shards?: number;
  };
}

/** Into how many parts the work of a stage is dealt that can be divided. A revision of an older version names no count. */
export function shardsOf({ execution }: OwnerSpec): number {
  return execution?.shards ?? 1;
}
