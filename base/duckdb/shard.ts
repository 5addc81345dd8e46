import { identifier } from './engine.ts';

/**
 * SQL that is true of the customers of one shard: the first 8 bytes of SHA-256 of the id, a number with the most
 * significant byte first, modulo the number of shards. It is the same in every language and engine.
 */
export function inShard(column: string, { index, count }: { readonly index: number; readonly count: number }): string {
  return `CAST('0x' || left(sha256(${identifier(column)}), 16) AS UBIGINT) % ${count} = ${index}`;
}
