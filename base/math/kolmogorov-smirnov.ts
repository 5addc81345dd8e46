/**
 * Greatest difference between the distribution functions of two samples (the two-sample D of Kolmogorov and Smirnov).
 * @returns from 0 to 1; undefined when one is empty or holds a value that is not a number
 */
export function kolmogorovSmirnov(one: Float64Array, other: Float64Array): number | undefined {
  const a = Float64Array.from(one).sort();
  const b = Float64Array.from(other).sort();
  // Values that are not numbers are sorted last.
  if (a.length === 0 || b.length === 0 || Number.isNaN(a.at(-1)) || Number.isNaN(b.at(-1))) return undefined;
  let i = 0;
  let j = 0;
  let greatest = 0;
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] as number, b[j] as number);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    greatest = Math.max(greatest, Math.abs(i / a.length - j / b.length));
  }
  return greatest;
}
