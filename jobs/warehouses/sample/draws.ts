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
    -- Two independent uniform numbers from one digest, in (0, 1).
    CREATE OR REPLACE TEMP MACRO digest_of(topic, i) AS md5_number_lower('${seed}:' || topic || ':' || i);
    CREATE OR REPLACE TEMP MACRO uniform_high(digest) AS ((digest >> 32)::DOUBLE + 0.5) / 4294967296.0;
    CREATE OR REPLACE TEMP MACRO uniform_low(digest) AS ((digest & 4294967295)::DOUBLE + 0.5) / 4294967296.0;
    CREATE OR REPLACE TEMP MACRO uniform(topic, i) AS uniform_high(digest_of(topic, i));
    -- A start for a generator of many draws of one customer.
    CREATE OR REPLACE TEMP MACRO stream(topic, i) AS 1 + (digest_of(topic, i) % ${MODULUS - 1})::BIGINT;
    -- The draw of a stream at a jump, in (0, 1).
    CREATE OR REPLACE TEMP MACRO draw(start, jump) AS ((start * jump) % ${MODULUS})::DOUBLE / ${MODULUS}.0;
    -- About a standard normal deviate: the logistic that lies closest to it.
    CREATE OR REPLACE TEMP MACRO deviate(u) AS ln(u / (1.0 - u)) / 1.702;
    CREATE OR REPLACE TEMP MACRO clamp(x, low, high) AS greatest(low, least(high, x));
    ${EVEN_STEPS.map(
      (step, dimension) => `CREATE OR REPLACE TEMP MACRO even_${dimension + 1}(i) AS
        (i * ${step}e0 + uniform('even', ${-1 - dimension})) % 1.0;`,
    ).join('\n')}`;
}

/** One of some words: each with the share of the draws up to and including it; the last word takes the rest. */
export const pick = (draw: string, shares: readonly (readonly [word: string, upTo: number | string])[], last: string) =>
  `CASE ${shares.map(([word, upTo]) => `WHEN ${draw} < ${upTo} THEN '${word}'`).join(' ')} ELSE '${last}' END`;

/** A table of jumps: for each step from 0, a column per draw that the step needs. */
export function jumpTable(table: string, steps: number, columns: readonly string[]): string {
  const rows: string[] = [];
  let jump = 1n;
  for (let step = 0; step < steps; step++) {
    const jumps = columns.map(() => {
      jump = (jump * BigInt(MULTIPLIER)) % BigInt(MODULUS);
      return `${jump}::BIGINT`;
    });
    rows.push(`(${step}, ${jumps.join(', ')})`);
  }
  const names = columns.map((column) => `jump_${column}`).join(', ');
  return `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * FROM (VALUES ${rows.join(', ')}) AS jumps(step, ${names})`;
}
