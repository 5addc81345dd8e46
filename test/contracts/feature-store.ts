import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { literal, openEngine } from '../../base/duckdb/engine.ts';
import { addFeatures } from '../../providers/feature-stores/add-features.ts';
import type { FeatureStore } from '../../providers/feature-stores/feature-store.ts';

/** Opens a feature store that knows `FEATURES`; it may use the folder. What it returns with it is closed in the end. */
export type MakeFeatureStore = (folder: string) => Promise<FeatureStore & Partial<AsyncDisposable>>;

/** What the store of the contract knows, as a SELECT. */
export const FEATURES = `
  SELECT * FROM (VALUES ('C1', 900.0::DOUBLE, 'premium'), ('C2', 100.0, 'basic'), ('17850', NULL, 'standard'))
    AS features (customer_id, lifetime_value, subscription_tier)`;

const LIMITS = { threads: 1, memoryMb: 256 };

/** What every feature store must do, whatever it is made of. */
export function featureStoreContract(name: string, make: MakeFeatureStore): void {
  describe(`a feature store on ${name}`, () => {
    let folder: string;
    let store: Awaited<ReturnType<MakeFeatureStore>>;
    const signal = new AbortController().signal;
    const file = () => join(folder, 'answer.parquet');

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'holdfast-features-'));
      store = await make(folder);
    });
    afterEach(async () => {
      await store[Symbol.asyncDispose]?.();
      await rm(folder, { recursive: true, force: true });
    });

    async function sql(select: string): Promise<object[]> {
      await using engine = await openEngine({ ...LIMITS, scratchFolder: folder });
      return await engine.rows(select);
    }
    const answer = () => sql(`SELECT * FROM read_parquet(${literal(file())}) ORDER BY ALL`);

    test('tells the columns that it could add', () => {
      expect(store.columns).toEqual(expect.arrayContaining(['lifetime_value', 'subscription_tier']));
    });

    test('gives a row for each customer, in which what it does not know is missing', async () => {
      await store.read(['C2', 'C9', '17850'], ['subscription_tier', 'lifetime_value'], file(), { signal });
      expect(await answer()).toEqual([
        { customer_id: '17850', subscription_tier: 'standard', lifetime_value: null },
        { customer_id: 'C2', subscription_tier: 'basic', lifetime_value: 100 },
        { customer_id: 'C9', subscription_tier: null, lifetime_value: null },
      ]);
    });

    test('gives the same types for nobody as for somebody', async () => {
      const types = async (ids: readonly string[]) => {
        await store.read(ids, ['lifetime_value', 'subscription_tier'], file(), { signal });
        return sql(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${literal(file())}))`);
      };
      expect(await types([])).toEqual(await types(['C1']));
      expect(await answer()).toHaveLength(1);
    });

    test('takes an id for what it is, not for SQL', async () => {
      const ids = ["C1' OR '1'='1", 'C1"; --', String.raw`C1\'`];
      await store.read(ids, ['lifetime_value'], file(), { signal });
      expect((await answer()).map((row) => (row as { lifetime_value: unknown }).lifetime_value)).toEqual([
        null,
        null,
        null,
      ]);
    });

    test('completes rows under whatever spelling, each once, with those that name nobody', async () => {
      const rows = `SELECT * FROM (VALUES (' C1', 1), ('C1', 2), (NULL, 3), ('17850.0', 4)) AS rows (Customer_ID, n)`;
      await sql(`COPY (${rows}) TO ${literal(file())}`);
      const place = { ...LIMITS, scratchFolder: folder, resources: LIMITS, signal };
      await addFeatures(file(), store, ['subscription_tier'], place);
      expect(await sql(`SELECT n, subscription_tier FROM read_parquet(${literal(file())}) ORDER BY n`)).toEqual([
        { n: 1, subscription_tier: 'premium' },
        { n: 2, subscription_tier: 'premium' },
        { n: 3, subscription_tier: null },
        { n: 4, subscription_tier: 'standard' },
      ]);
      await sql(`COPY (SELECT 'C1' AS customer_id WHERE false) TO ${literal(file())}`);
      await addFeatures(file(), store, ['lifetime_value'], place);
      expect(await answer()).toEqual([]);
    });

    test('stops when it is told to', async () => {
      const aborted = AbortSignal.abort();
      const reading = store.read(['C1'], ['lifetime_value'], file(), { signal: aborted });
      await expect(reading).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
    });
  });
}
