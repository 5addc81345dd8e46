import { createHash, createHmac } from 'node:crypto';

/** Under which ids are hashed. */
export interface HashKey {
  /** Goes beside every hash: hashes of two versions are never joined. */
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** Bytes of a block of SHA-256. */
const BLOCK = 64;

/**
 * HMAC-SHA-256 (RFC 2104) of a text in DuckDB's SQL, as 64 hexadecimal digits in lower case; its two padded keys are parameters
 * of the statement, so that no text of SQL holds the key.
 * @param text SQL of the text, hashed as UTF-8
 * @throws RangeError for a key without a byte, under which anyone could hash
 */
export function keyedHashInDuckdb(
  text: string,
  { bytes }: HashKey,
): { readonly sql: string; readonly parameters: Readonly<Record<'hash_inner' | 'hash_outer', string>> } {
  if (bytes.length === 0) throw new RangeError('the key of hashes is empty');
  const block = Buffer.alloc(BLOCK);
  block.set(bytes.length > BLOCK ? createHash('sha256').update(bytes).digest() : bytes);
  const padded = (pad: number) => Buffer.from(block.map((byte) => byte ^ pad)).toString('hex');
  return {
    sql: `sha256(unhex($hash_outer) || unhex(sha256(unhex($hash_inner) || encode(${text}))))`,
    parameters: { hash_inner: padded(0x36), hash_outer: padded(0x5c) },
  };
}

/** The same of one text. */
export function keyedHash(text: string, { bytes }: HashKey): string {
  if (bytes.length === 0) throw new RangeError('the key of hashes is empty');
  return createHmac('sha256', bytes).update(text, 'utf8').digest('hex');
}

/** Tells two keys apart without telling either: where a version's key has another check than before, it was replaced. */
export function keyCheck(key: HashKey): string {
  return keyedHash('holdfast: which key is this', key).slice(0, 16);
}

/**
 * SQL of DuckDB over rows that have `customer_id`: `cust_id_hash` in its place, ordered by it.
 * @param rows a table, or a SELECT in parentheses
 */
export function hashedRows(
  rows: string,
  key: HashKey,
): { readonly sql: string; readonly parameters: Readonly<Record<string, string>> } {
  const { sql, parameters } = keyedHashInDuckdb('customer_id', key);
  return {
    sql: `SELECT ${sql} AS cust_id_hash, * EXCLUDE (customer_id) FROM ${rows} ORDER BY cust_id_hash`,
    parameters,
  };
}
