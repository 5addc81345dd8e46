import { createHash } from 'node:crypto';

/** Modulus and multiplier of Park and Miller's "minimal standard" generator (CACM 31:10, 1988; multiplier of 1993). */
const MODULUS = 2_147_483_647;
const MULTIPLIER = 48_271;

/** Draws a number in [0, 1). */
export type RandomNumbers = () => number;

/** The same numbers for the same seed on every machine. Good for shuffles and trials, not for secrets. */
export function randomNumbers(seed: number): RandomNumbers {
  // The numbers of one start are multiples of those of another: starts as near as the seeds would go hand in hand.
  const start = createHash('sha256').update(String(seed)).digest().readUInt32BE(0);
  let state = (start % (MODULUS - 1)) + 1;
  return () => {
    state = (state * MULTIPLIER) % MODULUS;
    return (state - 1) / (MODULUS - 1);
  };
}
