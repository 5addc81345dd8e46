import { bestMatching } from '../../base/math/matching.ts';

/** Share of an old segment's customers that a cluster must have to go on as it. */
export const SAME_SEGMENT = 0.5;

/** What came of the segments of the snapshot before. */
export interface Lineage {
  /** Segment id of each cluster. */
  readonly ids: readonly number[];
  /** Old ids that no cluster goes on as: they are never used again. */
  readonly retired: readonly number[];
  /** Share of the old segment's customers that each cluster has; undefined for one that is new. */
  readonly overlap: readonly (number | undefined)[];
}

/**
 * Gives clusters the ids of the segments that they go on as: the best matching of old segments and new clusters by the
 * customers in both, where a cluster has at least half of an old segment's customers. Others get ids that none ever had.
 * @param before ids of the previous snapshot's segments, in the order of the table's rows
 * @param both customers who were in old segment i and are in cluster j, of those present in both months, as `both[i][j]`
 * @param clusters how many clusters there are now
 * @param used greatest id that was ever given, 0 where none was
 */
export function followSegments(
  before: readonly number[],
  both: readonly (readonly number[])[],
  clusters: number,
  used: number,
): Lineage {
  const ids = Array.from<number | undefined>({ length: clusters });
  const overlap = Array.from<number | undefined>({ length: clusters });
  for (const [old, cluster] of bestMatching(both).entries()) {
    if (cluster === undefined) continue;
    const row = both[old] as readonly number[];
    const share = (row[cluster] as number) / row.reduce((sum, count) => sum + count, 0);
    // Not so where nobody of the old segment is left.
    if (!(share >= SAME_SEGMENT)) continue;
    ids[cluster] = before[old];
    overlap[cluster] = share;
  }
  let next = used;
  const named = ids.map((id) => id ?? ++next);
  return { ids: named, retired: before.filter((id) => !named.includes(id)), overlap };
}

/** Why customers are in another segment than a month ago, in counts. */
export interface Moves {
  readonly stayed: number;
  /** The previous model, too, puts the customer elsewhere now: the customer changed. */
  readonly customerChanged: number;
  /** The previous model would have left the customer where it was: the model changed. */
  readonly modelChanged: number;
}

/**
 * Splits moves between months in two.
 * @param counts customers by segment before, segment by the previous model now, and segment now
 */
export function splitMoves(
  counts: Iterable<{
    readonly before: number;
    readonly byOldModel: number;
    readonly now: number;
    readonly customers: number;
  }>,
): Moves {
  let [stayed, customerChanged, modelChanged] = [0, 0, 0];
  for (const { before, byOldModel, now, customers } of counts) {
    if (now === before) stayed += customers;
    else if (byOldModel === before) modelChanged += customers;
    else customerChanged += customers;
  }
  return { stayed, customerChanged, modelChanged };
}
