/**
 * Rows in the form in which a remote model gets them and the cache knows them: every NaN is the same NaN, and −0 is 0, so
 * that equal rows are equal bytes. Grows with every change of this, and of how columns become features.
 */
export const PREPROCESSING_VERSION = 1;

/** A copy of `rows × width` numbers, row-major, in that form. */
export function canonicalRows(features: Float32Array, rows: number, width: number): Float32Array {
  const canonical = features.slice(0, rows * width);
  for (let index = 0; index < canonical.length; index += 1) {
    const value = canonical[index] as number;
    // Adding 0 turns −0 into 0 and leaves all else.
    canonical[index] = Number.isNaN(value) ? Number.NaN : value + 0;
  }
  return canonical;
}
