import type { Keys } from './keyed-random.ts';

/** Bits of a key that fit in a number beside 21 bits of a place. */
const PREFIX_BITS = 32;

/** The rows, or all of them, in the order of their keys: one order for the same points, in whatever order they are met. */
export function inKeyOrder(keys: Keys, rows: Uint32Array = Uint32Array.from(keys.keys())): Uint32Array {
  // Numbers sort natively, which is ten times as fast as by comparison: the first bits of a key, then the place in the rows.
  const placeBits = Math.ceil(Math.log2(Math.max(rows.length, 2)));
  const prefixBits = Math.min(PREFIX_BITS, 53 - placeBits);
  const prefixes = prefixesOf(keys, rows, prefixBits);
  const places = 2 ** placeBits;
  const sorted = Float64Array.from(prefixes, (prefix, place) => prefix * places + place).sort();
  const ordered = Uint32Array.from(sorted, (number) => rows[number % places] as number);
  const alike = (place: number, other: number) =>
    Math.floor((sorted[place] as number) / places) === Math.floor((sorted[other] as number) / places);
  for (let start = 0; start < ordered.length; ) {
    let end = start + 1;
    while (end < ordered.length && alike(start, end)) end++;
    if (end - start > 1) ordered.subarray(start, end).sort((one, other) => compare(keys, one, other));
    start = end;
  }
  return ordered;
}

function prefixesOf(keys: Keys, rows: Uint32Array, bits: number): Uint32Array {
  // The low half of each key, then the high one.
  const halves = new Uint32Array(keys.buffer, keys.byteOffset, 2 * keys.length);
  return rows.map((row) => (halves[2 * row + 1] as number) >>> (32 - bits));
}

function compare(keys: Keys, one: number, other: number): number {
  const [a, b] = [keys[one] as bigint, keys[other] as bigint];
  return a < b ? -1 : a > b ? 1 : 0;
}
