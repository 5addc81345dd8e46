import { createHash } from 'node:crypto';
import type { Keys } from '../../base/clustering/keyed-random.ts';
import { openSpace, type Space } from '../../base/clustering/space.ts';

/** Points, one after the other. */
export type Rows = readonly (readonly number[])[];

/** Those points in memory that so many threads share. */
export function spaceOf(rows: Rows, parts = 1): Space {
  const space = openSpace(rows.length, rows[0]?.length ?? 1, parts);
  for (const [dimension, column] of space.columns.entries()) {
    for (const [row, point] of rows.entries()) column[row] = point[dimension] as number;
  }
  return space;
}

/** Of points that have a key each, by their place in the list that they come from. */
export function keysOf(places: readonly number[]): Keys {
  return BigUint64Array.from(places, (place) =>
    createHash('sha256').update(`customer ${place}`).digest().readBigUInt64LE(0),
  );
}
