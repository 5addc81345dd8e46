/** Modulus and multiplier of Park and Miller's "minimal standard" generator (CACM 31:10, 1988; multiplier of 1993). */
const MODULUS = 2_147_483_647;
const MULTIPLIER = 48_271;

/** Draws a number in [0, 1). */
export type RandomNumbers = () => number;

/** The same numbers for the same seed on every machine. Good for shuffles and trials, not for secrets. */
export function randomNumbers(seed: number): RandomNumbers {
  let state = (Math.abs(Math.trunc(seed)) % (MODULUS - 1)) + 1;
  // Seeds that are near each other start near each other: the first draws are thrown away.
  for (let draw = 0; draw < 3; draw++) state = (state * MULTIPLIER) % MODULUS;
  return () => {
    state = (state * MULTIPLIER) % MODULUS;
    return (state - 1) / (MODULUS - 1);
  };
}
