/** Outputs of remote models by the key of the row that they are for. */
export interface ScoreCache {
  /**
   * The values of the keys that are known and have not expired, in the order of the keys.
   * @param keys 32 bytes each
   */
  get(keys: readonly Buffer[]): Promise<readonly (Buffer | undefined)[]>;
  /** Keeps values; what is there under the same key is replaced. */
  put(entries: readonly CacheEntry[], ttlHours: number): Promise<void>;
}

export interface CacheEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}
