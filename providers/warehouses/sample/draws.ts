/**
 * Every random draw of the sample is a pure function of (seed, customer, what is drawn): two machines and two
 * versions of DuckDB make the same business, and a larger one starts with the customers of a smaller one.
 */

/** Modulus and multiplier of Park and Miller's "minimal standard" generator (CACM 31:10, 1988; multiplier of 1993). */
const MODULUS = 2_147_483_647;
const MULTIPLIER = 48_271;

/**
 * Steps of the R-sequence in five dimensions (Roberts 2018): powers of 1/g, where g is the positive root of
 * g⁶ = g + 1. Shares drawn along it are far closer to their aim than independent draws of the same number.
 */
const EVEN_STEPS = Array.from({ length: 5 }, (_, dimension) => 1.1347241384015194 ** -(dimension + 1));

/** Macros that the other statements of the sample draw with. */
export function drawMacros(seed: number): string {
  return `
    -- Where a customer's own generator starts: everything drawn for the customer is a jump from there.
    CREATE OR REPLACE TEMP MACRO start_of(i) AS
      1 + (md5_number_lower('${seed}:' || i) % ${MODULUS - 1})::BIGINT;
    CREATE OR REPLACE TEMP MACRO jumped(start, jump) AS (start * jump) % ${MODULUS};
    -- The draw at a jump, in (0, 1).
    CREATE OR REPLACE TEMP MACRO draw(start, jump) AS jumped(start, jump)::DOUBLE / ${MODULUS}e0;
    -- About a standard normal deviate: the logistic that lies closest to it.
    CREATE OR REPLACE TEMP MACRO deviate(u) AS ln(u / (1.0 - u)) / 1.702;
    CREATE OR REPLACE TEMP MACRO clamp(x, low, high) AS greatest(low, least(high, x));
    ${EVEN_STEPS.map(
      (step, dimension) => `CREATE OR REPLACE TEMP MACRO even_${dimension + 1}(i) AS
        (i * ${step}e0 + draw(start_of(0), ${jump(dimension + 1)})) % 1.0;`,
    ).join('\n')}`;
}

/** One of some words: each with the share of the draws up to and including it; the last word takes the rest. */
export const pick = (draw: string, shares: readonly (readonly [word: string, upTo: number | string])[], last: string) =>
  `CASE ${shares.map(([word, upTo]) => `WHEN ${draw} < ${upTo} THEN '${word}'`).join(' ')} ELSE '${last}' END`;

/** The jump over `steps` draws of the generator. */
export function jump(steps: number): bigint {
  let result = 1n;
  let square = BigInt(MULTIPLIER);
  for (let left = steps; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * square) % BigInt(MODULUS);
    square = (square * square) % BigInt(MODULUS);
  }
  return result;
}

/** Far enough apart that no two streams of a customer overlap. */
export const STREAMS = {
  person: 1_000_000,
  weeks: 2_000_000,
  offers: 3_000_000,
  hazard: 4_000_000,
  future: 5_000_000,
} as const;

/** Columns drawn once for each customer, from a column `start`. */
export const drawnColumns = (names: readonly string[]) =>
  names.map((name, index) => `draw(start, ${jump(STREAMS.person + index)}) AS ${name}`).join(',\n        ');

/** A table of jumps: for each step from 0, a column per draw that the step needs. */
export function jumpTable(table: string, steps: number, columns: readonly string[]): string {
  const rows = Array.from({ length: steps }, (_, step) => {
    const jumps = columns.map((_name, column) => `${jump(step * columns.length + column + 1)}::BIGINT`);
    return `(${step}, ${jumps.join(', ')})`;
  });
  const names = columns.map((column) => `jump_${column}`).join(', ');
  return `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * FROM (VALUES ${rows.join(', ')}) AS jumps(step, ${names})`;
}
