import { hash } from 'node:crypto';
import type { Model } from './model.ts';
import { canonicalRows, PREPROCESSING_VERSION } from './rows.ts';
import type { CacheEntry, ScoreCache } from './score-cache.ts';

/** What became of the rows that a model was asked about. */
export interface CacheCounts {
  readonly rows: number;
  /** Answered from the cache. */
  readonly hits: number;
  /** Equal to another row of the same call, and so not asked about again. */
  readonly repeated: number;
  /** Sent to the model. */
  readonly sent: number;
  /** Times that the cache could not be read or written; after the first it is left alone. */
  readonly failures: number;
}

export interface CachedModel extends Model {
  readonly counts: () => CacheCounts;
}

export interface CacheUse {
  readonly cache: ScoreCache;
  readonly ttlHours: number;
  /** Reads what is there and adds nothing. */
  readonly readOnly: boolean;
}

type RemoteModel = Model & Required<Pick<Model, 'remote'>>;

/** Bytes of a value beside its numbers: enough that a damaged one is not taken for a score. */
const CHECK_BYTES = 8;

/**
 * A remote model that is asked only about rows whose outputs nobody knows: those of the cache are known, and those of equal
 * rows of the same call. It never changes a result: the key stands for the model, its features and every bit of the row,
 * a value that is damaged or of another length is not there, and a cache that fails is done without.
 */
export function cachedModel(model: RemoteModel, use: CacheUse): CachedModel {
  const width = model.manifest.features.length;
  const prefix = keyPrefix(model);
  const counts = { rows: 0, hits: 0, repeated: 0, sent: 0, failures: 0 };
  const unlessFailed = async <Result>(work: () => Promise<Result>): Promise<Result | undefined> => {
    if (counts.failures > 0) return undefined;
    try {
      return await work();
    } catch {
      counts.failures += 1;
      return undefined;
    }
  };

  return {
    ...model,
    counts: () => ({ ...counts }),
    async score(features, rows) {
      const canonical = canonicalRows(features, rows, width);
      const { keys, firstRows, places } = distinctRows(canonical, rows, width, prefix);
      const found = (await unlessFailed(() => use.cache.get(keys))) ?? [];
      const known = keys.map((key, index) => decode(key, found[index], model.outputs));
      const missing = known.flatMap((value, index) => (value === undefined ? [index] : []));

      const asked = pickRows(
        canonical,
        missing.map((index) => firstRows[index] as number),
        width,
      );
      const answers = missing.length === 0 ? new Float32Array(0) : await model.score(asked, missing.length);
      for (const [position, index] of missing.entries()) {
        known[index] = answers.subarray(position * model.outputs, (position + 1) * model.outputs);
      }
      if (!use.readOnly && missing.length > 0) {
        const entries = missing.flatMap((index) => encode(keys[index] as Buffer, known[index] as Float32Array));
        await unlessFailed(() => use.cache.put(entries, use.ttlHours));
      }

      counts.rows += rows;
      counts.repeated += rows - keys.length;
      counts.hits += keys.length - missing.length;
      counts.sent += missing.length;
      const outputs = new Float32Array(rows * model.outputs);
      for (let row = 0; row < rows; row += 1)
        outputs.set(known[places[row] as number] as Float32Array, row * model.outputs);
      return outputs;
    },
  };
}

/** Stands for everything that turns a row into outputs. Lengths keep `["a,b"]` and `["a", "b"]` apart. */
function keyPrefix({ remote, manifest, outputs }: RemoteModel): Buffer {
  const { features } = manifest;
  return sha256(Buffer.from(JSON.stringify([remote.digest, features, outputs, PREPROCESSING_VERSION])));
}

interface DistinctRows {
  readonly keys: readonly Buffer[];
  /** For each key the first row that has it. */
  readonly firstRows: readonly number[];
  /** For each row the place of its key. */
  readonly places: Uint32Array;
}

function distinctRows(rows: Float32Array, count: number, width: number, prefix: Buffer): DistinctRows {
  const bytes = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
  const input = Buffer.alloc(prefix.length + width * 4);
  prefix.copy(input);
  const seen = new Map<string, number>();
  const keys: Buffer[] = [];
  const firstRows: number[] = [];
  const places = new Uint32Array(count);
  for (let row = 0; row < count; row += 1) {
    bytes.copy(input, prefix.length, row * width * 4, (row + 1) * width * 4);
    const key = sha256(input);
    const name = key.toString('latin1');
    const place = seen.get(name);
    places[row] = place ?? keys.length;
    if (place !== undefined) continue;
    seen.set(name, keys.length);
    keys.push(key);
    firstRows.push(row);
  }
  return { keys, firstRows, places };
}

function pickRows(rows: Float32Array, which: readonly number[], width: number): Float32Array {
  const picked = new Float32Array(which.length * width);
  for (const [position, row] of which.entries()) {
    picked.set(rows.subarray(row * width, (row + 1) * width), position * width);
  }
  return picked;
}

/** Nothing for outputs that are no numbers: they fail the run, and the next one is to ask again. */
function encode(key: Buffer, outputs: Float32Array): CacheEntry[] {
  if (!outputs.every(Number.isFinite)) return [];
  const numbers = Buffer.from(Uint8Array.from(new Uint8Array(outputs.buffer, outputs.byteOffset, outputs.byteLength)));
  return [{ key, value: Buffer.concat([numbers, check(key, numbers)]) }];
}

function decode(key: Buffer, value: Buffer | undefined, outputs: number): Float32Array | undefined {
  const size = outputs * 4;
  if (value?.length !== size + CHECK_BYTES) return undefined;
  const numbers = value.subarray(0, size);
  if (!check(key, numbers).equals(value.subarray(size))) return undefined;
  return new Float32Array(Uint8Array.from(numbers).buffer);
}

function check(key: Buffer, numbers: Buffer): Buffer {
  return sha256(Buffer.concat([key, numbers])).subarray(0, CHECK_BYTES);
}

function sha256(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer');
}
