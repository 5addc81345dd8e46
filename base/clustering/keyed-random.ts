import { createHash } from 'node:crypto';

/** Identities of points, 64 bits each: the same point has the same key in whatever order, part or machine it is met. */
export type Keys = BigUint64Array;

/** A number in (0, 1) for the point at `index` of the keys. */
export type KeyedRandom = (index: number) => number;

/**
 * Random numbers that belong to points rather than to the order in which they are drawn: the same seed, purpose and key give
 * the same number everywhere. 52 bits, mixed by the finalizer of MurmurHash3. Good for trials, not for secrets.
 */
export function keyedRandom(keys: Keys, ...purpose: readonly (string | number)[]): KeyedRandom {
  const seed = createHash('sha256').update(JSON.stringify(purpose)).digest();
  const [a, b] = [seed.readInt32LE(0), seed.readInt32LE(4)];
  // The low half of each key, then the high one.
  const halves = new Int32Array(keys.buffer, keys.byteOffset, 2 * keys.length);
  return (index) => {
    const low = mix((halves[2 * index] as number) ^ a);
    const high = mix((halves[2 * index + 1] as number) ^ b ^ low);
    const first = high >>> 0;
    const second = mix(high ^ low ^ a) >>> 12;
    return (first * 2 ** 20 + second + 0.5) / 2 ** 52;
  };
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
