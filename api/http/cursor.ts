import { createHash } from 'node:crypto';
import { invalid } from './problem.ts';

/** Where a page ended: the values of its last row that the order is by. */
export type Place = readonly (string | number)[];

/** What the values of a place have to be. */
export type PlaceShape = readonly ('string' | 'number' | 'integer' | 'instant')[];

/** As a Date is written, of years that Postgres has. */
const INSTANT = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** Goes up when the meaning of a cursor changes: an older one is refused, not misread. */
const VERSION = 1;

/**
 * The next page's address: the place, and a digest of the query it belongs to. It is opaque but not secret: whoever
 * writes one of their own gets rows of the same program from another place, which they may read anyway.
 */
export function encodeCursor(query: readonly unknown[], place: Place): string {
  return Buffer.from(JSON.stringify([VERSION, digest(query), ...place])).toString('base64url');
}

/** @throws HF_REQUEST_INVALID when it is no cursor, or one of another query */
export function decodeCursor(cursor: string, query: readonly unknown[], shape: PlaceShape): Place {
  const [version, of, ...place] = parse(cursor);
  if (version !== VERSION) throw refusal('is not one that this version gave out: begin again without it');
  if (of !== digest(query)) throw refusal('belongs to another query: begin again without it');
  const fits = place.length === shape.length && shape.every((type, index) => isOf(type, place[index]));
  if (!fits) throw refusal('is not a cursor');
  return place as (string | number)[];
}

function parse(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw refusal('is not a cursor');
}

function isOf(type: PlaceShape[number], value: unknown): boolean {
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  // Postgres takes no NUL in a text.
  if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed()) return false;
  return type === 'string' || INSTANT.test(value);
}

function digest(query: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 16);
}

function refusal(reason: string) {
  return invalid([{ parameter: 'cursor', reason }]);
}
