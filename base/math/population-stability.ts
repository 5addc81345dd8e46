/** Share that an empty bin counts as, so that the index stays finite. */
export const EMPTY_BIN = 1e-4;

/**
 * Population stability index of two distributions over the same bins: the sum of (now − then) · ln(now ÷ then). A share under
 * `EMPTY_BIN` counts as that. By convention 0.1 is worth a look and 0.25 an alert.
 * @param then counts, or shares, by bin; of what was before
 * @param now the same of now
 * @returns undefined where nothing was before, nothing is now, or there is one bin only: a constant does not drift
 */
export function populationStability(then: readonly number[], now: readonly number[]): number | undefined {
  if (then.length !== now.length) throw new RangeError(`${then.length} bins beside ${now.length}`);
  const before = then.reduce((sum, count) => sum + count, 0);
  const after = now.reduce((sum, count) => sum + count, 0);
  if (before === 0 || after === 0 || then.length < 2) return undefined;
  let index = 0;
  for (const [bin, count] of then.entries()) {
    const was = Math.max(count / before, EMPTY_BIN);
    const is = Math.max((now[bin] as number) / after, EMPTY_BIN);
    index += (is - was) * Math.log(is / was);
  }
  return index;
}
