import { HoldfastError } from '../../base/errors.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';

/** What a chain did: rows that came to it, and how many each filter removed, in the order of the chain. */
export interface ChainCounts {
  readonly rows: number;
  readonly removed: Readonly<Record<string, number>>;
}

/** A filter that let through this share of those who reached it, or more, is one that usually does. */
const USUALLY = 0.1;
/** A filter that lets through no more than this share hardly lets anybody through. */
const HARDLY_ANY = 0.01;
/** Fewer rows than this say nothing about a share. */
const ENOUGH_ROWS = 20;

/**
 * Why a batch must not take the place of the current one: a filter that let many through lets hardly anybody through, as
 * when a column was filled the other way round or in another unit.
 * @param caps filters on past offers, which rightly remove everybody a week after their offers
 */
export function filterCollapse(
  now: ChainCounts,
  current: ChainCounts | undefined,
  caps: ReadonlySet<string>,
  { acceptEmptyBatch }: RetentionProgramSpec['quality'],
): HoldfastError | undefined {
  if (current === undefined || acceptEmptyBatch === true) return undefined;
  const before = passing(current);
  for (const [filterId, { reached, passed }] of passing(now)) {
    const last = before.get(filterId);
    if (caps.has(filterId) || last === undefined || Math.min(reached, last.reached) < ENOUGH_ROWS) continue;
    if (last.passed < USUALLY * last.reached || passed > HARDLY_ANY * reached) continue;
    return new HoldfastError(
      'HF_CANDIDATES_COLLAPSED',
      `The filter ${filterId} leaves ${passed} of ${reached} customers; in the current batch it left ${last.passed} of ` +
        `${last.reached}. Look at the columns that it reads, or at what changed in it. The current batch stays; ` +
        'quality.acceptEmptyBatch: true lets this one take its place.',
    );
  }
  return undefined;
}

function passing({ rows, removed }: ChainCounts): Map<string, { readonly reached: number; readonly passed: number }> {
  const shares = new Map<string, { readonly reached: number; readonly passed: number }>();
  let reached = rows;
  for (const [filterId, count] of Object.entries(removed)) {
    shares.set(filterId, { reached, passed: reached - count });
    reached -= count;
  }
  return shares;
}
