// Looked up once: in a context of its own, as tests have, a global is dear.
const { imul } = Math;

/** A set of rows, a bit for each. */
export type Bits = Uint32Array;

export function bitsOf(rows: number, has: (row: number) => boolean): Bits {
  const bits = new Uint32Array(Math.ceil(rows / 32));
  for (let row = 0; row < rows; row++) {
    if (has(row)) bits[row >>> 5] = ((bits[row >>> 5] as number) | (1 << (row & 31))) >>> 0;
  }
  return bits;
}

/** Rows in both. */
export function both(one: Bits, other: Bits): Bits {
  return one.map((word, place) => word & (other[place] as number));
}

/** How many rows there are. */
export function count(bits: Bits): number {
  let sum = 0;
  for (const word of bits) sum += ones(word);
  return sum;
}

/** How many rows are in both. */
export function countBoth(one: Bits, other: Bits): number {
  let sum = 0;
  for (let place = 0; place < one.length; place++) sum += ones((one[place] as number) & (other[place] as number));
  return sum;
}

/** How many rows are in all three. */
export function countAll(one: Bits, other: Bits, third: Bits): number {
  let sum = 0;
  for (let place = 0; place < one.length; place++) {
    sum += ones((one[place] as number) & (other[place] as number) & (third[place] as number));
  }
  return sum;
}

/** Bits that are set, by halves of halves (Warren, Hacker's Delight, 5-1). */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
