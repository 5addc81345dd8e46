import { describe, expect, test } from '@jest/globals';
import { seeded } from '../../test/faults/random.ts';
import { cachedModel } from './cached.ts';
import type { Model, ModelManifest } from './model.ts';
import type { ScoreCache } from './score-cache.ts';

const FEATURES = ['a', 'b'];

/** A model of two features and two outputs that counts what it is asked. */
function model(change: Partial<Model> = {}, features: readonly string[] = FEATURES) {
  const asked: number[][] = [];
  const made = {
    manifest: { modelId: 'm', features } as ModelManifest,
    outputs: 2,
    concurrency: 1,
    remote: { digest: 'd', requestsAtOnce: 1 },
    async score(given: Float32Array, rows: number) {
      const outputs = new Float32Array(rows * 2);
      for (let row = 0; row < rows; row += 1) {
        const [a = 0, b = 0] = given.subarray(row * 2, row * 2 + 2);
        asked.push([a, b]);
        outputs.set([Number.isNaN(a) ? -1 : a + b, a * 2], row * 2);
      }
      return outputs;
    },
    close: async () => {},
    ...change,
  } satisfies Model;
  return { model: made, asked };
}

/** A cache in memory, whose contents a test may damage. */
function memory(): ScoreCache & { readonly values: Map<string, Buffer>; readonly hours: number[] } {
  const values = new Map<string, Buffer>();
  const hours: number[] = [];
  return {
    values,
    hours,
    get: async (keys) => keys.map((key) => values.get(key.toString('hex'))),
    async put(entries, ttlHours) {
      hours.push(ttlHours);
      for (const { key, value } of entries) values.set(key.toString('hex'), value);
    },
  };
}

const use = (cache: ScoreCache, change = {}) => ({ cache, ttlHours: 168, readOnly: false, ...change });
const rows = (...numbers: number[]) => Float32Array.from(numbers);

test('a row is asked about once, and known from then on', async () => {
  const cache = memory();
  const { model: inner, asked } = model();
  const first = await cachedModel(inner, use(cache)).score(rows(1, 2, 3, 4), 2);
  const again = cachedModel(inner, use(cache));
  expect(await again.score(rows(3, 4, 1, 2, 5, 6), 3)).toEqual(rows(7, 6, 3, 2, 11, 10));
  expect(first).toEqual(rows(3, 2, 7, 6));
  expect(asked).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  expect(again.counts()).toEqual({ rows: 3, hits: 2, repeated: 0, sent: 1, failures: 0 });
  expect(cache.hours).toEqual([168, 168]);
});

test('equal rows of one call are asked about once', async () => {
  const { model: inner, asked } = model();
  const cached = cachedModel(inner, use(memory()));
  expect(await cached.score(rows(1, 2, 1, 2, 3, 4, 1, 2), 4)).toEqual(rows(3, 2, 3, 2, 7, 6, 3, 2));
  expect(asked).toHaveLength(2);
  expect(cached.counts()).toMatchObject({ rows: 4, hits: 0, repeated: 2, sent: 2 });
});

test('every NaN is one NaN and −0 is 0; what differs in the last bit differs', async () => {
  const payload = new Float32Array(new Uint32Array([0x7fc00001, 0x3f800000, 0xffc12345, 0x3f800000]).buffer);
  const { model: inner, asked } = model();
  const cached = cachedModel(inner, use(memory()));
  await cached.score(payload, 2);
  await cached.score(rows(0, -0, -0, 0), 2);
  expect(asked).toHaveLength(2);
  await cached.score(rows(1, 1, 1, 1 + 2 ** -23), 2);
  expect(asked).toHaveLength(4);
});

test('a dry run reads and keeps nothing', async () => {
  const cache = memory();
  const { model: inner, asked } = model();
  await cachedModel(inner, use(cache)).score(rows(1, 2), 1);
  await cachedModel(inner, use(cache, { readOnly: true })).score(rows(1, 2, 3, 4), 2);
  expect(asked).toHaveLength(2);
  expect(cache.values.size).toBe(1);
});

test.each([
  ['another model', { remote: { digest: 'e', requestsAtOnce: 1 } }, FEATURES],
  ['the features in another order', {}, ['b', 'a']],
  ['another split of the names', {}, ['a,b', '']],
])('%s does not know what this one answered', async (_sentence, change, features) => {
  const cache = memory();
  await cachedModel(model().model, use(cache)).score(rows(1, 2), 1);
  const other = model(change, features);
  await cachedModel(other.model, use(cache)).score(rows(1, 2), 1);
  expect(other.asked).toHaveLength(1);
  expect(cache.values.size).toBe(2);
});

describe('a value that', () => {
  test.each<[string, (value: Buffer) => Buffer]>([
    ['has a bit that flipped', (value) => Buffer.from(value.map((byte, index) => (index === 1 ? byte ^ 4 : byte)))],
    [
      'has a check that does not fit',
      (value) => Buffer.from(value.map((byte, index) => (index === 15 ? byte ^ 1 : byte))),
    ],
    ['is too short', (value) => value.subarray(0, -1)],
    ['is too long', (value) => Buffer.concat([value, Buffer.alloc(4)])],
    ['is empty', () => Buffer.alloc(0)],
  ])('%s is not there, and is replaced', async (_sentence, damage) => {
    const cache = memory();
    const { model: inner, asked } = model();
    await cachedModel(inner, use(cache)).score(rows(1, 2), 1);
    const [[key, value]] = [...cache.values] as [[string, Buffer]];
    cache.values.set(key, damage(value));
    expect(await cachedModel(inner, use(cache)).score(rows(1, 2), 1)).toEqual(rows(3, 2));
    expect(asked).toHaveLength(2);
    expect(cache.values.get(key)).toEqual(value);
  });

  test('belongs to another row is not taken for this one', async () => {
    const cache = memory();
    const { model: inner } = model();
    await cachedModel(inner, use(cache)).score(rows(1, 2, 3, 4), 2);
    const [one, other] = [...cache.values] as [[string, Buffer], [string, Buffer]];
    cache.values.set(one[0], other[1]);
    expect(await cachedModel(inner, use(cache)).score(rows(1, 2), 1)).toEqual(rows(3, 2));
  });
});

test('outputs that are no numbers are not kept', async () => {
  const cache = memory();
  const broken = model({ score: async () => rows(Number.NaN, 1) });
  await cachedModel(broken.model, use(cache)).score(rows(1, 2), 1);
  expect(cache.values.size).toBe(0);
});

test('a cache that fails is done without, and left alone from then on', async () => {
  let calls = 0;
  const failing: ScoreCache = {
    get: async () => {
      calls += 1;
      throw new Error('down');
    },
    put: async () => {
      calls += 1;
      throw new Error('down');
    },
  };
  const { model: inner } = model();
  const cached = cachedModel(inner, use(failing));
  expect(await cached.score(rows(1, 2), 1)).toEqual(rows(3, 2));
  expect(await cached.score(rows(1, 2), 1)).toEqual(rows(3, 2));
  expect([calls, cached.counts().failures]).toEqual([1, 1]);
});

test('a model that fails fails as it does without a cache, and nothing is kept', async () => {
  const cache = memory();
  const failing = model({ score: () => Promise.reject(new Error('away')) });
  await expect(cachedModel(failing.model, use(cache)).score(rows(1, 2), 1)).rejects.toThrow('away');
  expect(cache.values.size).toBe(0);
});

test('whatever rows come in whatever calls, the answers are those of the model (200 seeds)', async () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const { between, pick, next } = seeded(seed);
    const cache = memory();
    const { model: inner } = model();
    const cached = cachedModel(inner, use(cache));
    for (let call = 0; call < 4; call += 1) {
      const count = between(0, 12);
      const given = Float32Array.from({ length: count * 2 }, () => pick([0, -0, 1, Number.NaN, between(0, 3), next()]));
      expect(await cached.score(given, count)).toEqual(
        await model().model.score(
          given.map((value) => value + 0),
          count,
        ),
      );
      for (const key of [...cache.values.keys()]) if (next() < 0.2) cache.values.set(key, Buffer.alloc(between(0, 20)));
    }
  }
});
