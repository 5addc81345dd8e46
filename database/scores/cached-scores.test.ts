import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { earlierClock } from '../expiry/expired-candidates.ts';
import { countExpiredScores, deleteExpiredScores, keepScores, readCachedScores } from './cached-scores.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await postgres.database.pool.query('TRUNCATE holdfast.score_cache');
});

const key = (n: number) => createHash('sha256').update(String(n)).digest();
/** As of one model: all of one length. */
const valueOf = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(12)]).subarray(0, 12);
const entry = (n: number, value = `value ${n}`) => ({ key: key(n), value: valueOf(value) });
const { signal } = new AbortController();
const expire = (statement: string) =>
  postgres.database.pool.query(`UPDATE holdfast.score_cache SET expires_at = now() - interval '1 second' ${statement}`);

test('what was kept is read, byte for byte and in the order asked, and the rest is not there', async () => {
  const odd = { key: key(7), value: Buffer.from([0, 255, 92, 34, 44, 10, 0, 1, 2, 3, 4, 0]) };
  await keepScores(postgres.database, [entry(1), odd, entry(3)], 1);
  const found = await readCachedScores(postgres.database, [key(3), key(2), key(7), key(3)]);
  expect(found).toEqual([valueOf('value 3'), undefined, odd.value, valueOf('value 3')]);
});

test('more keys than one statement takes are all found', async () => {
  const entries = Array.from({ length: 12_001 }, (_, n) => entry(n));
  await keepScores(postgres.database, entries, 1);
  const found = await readCachedScores(
    postgres.database,
    entries.map(({ key }) => key),
  );
  expect(found).toEqual(entries.map(({ value }) => value));
});

test('kept again is replaced, and lives anew', async () => {
  await keepScores(postgres.database, [entry(1)], 1);
  await expire('');
  expect(await readCachedScores(postgres.database, [key(1)])).toEqual([undefined]);
  await keepScores(postgres.database, [entry(1, 'new')], 1);
  expect(await readCachedScores(postgres.database, [key(1)])).toEqual([valueOf('new')]);
});

test('many who keep the same rows at once, in any order, do not wait for each other for ever', async () => {
  const entries = Array.from({ length: 2000 }, (_, n) => entry(n));
  const shuffled = (seed: number) =>
    entries.toSorted((a, b) => ((a.key[seed] ?? 0) - (b.key[seed] ?? 0)) * (seed % 2 === 0 ? 1 : -1));
  await Promise.all([0, 1, 2, 3, 4, 5].map((seed) => keepScores(postgres.database, shuffled(seed), 1)));
  expect((await postgres.database.pool.query('SELECT FROM holdfast.score_cache')).rowCount).toBe(2000);
});

test('what has expired by both clocks is deleted, and nothing else', async () => {
  await keepScores(
    postgres.database,
    Array.from({ length: 6000 }, (_, n) => entry(n)),
    1,
  );
  await expire(`WHERE key <> '\\x${key(5).toString('hex')}'`);
  const past = new Date('2020-01-01T00:00:00Z');
  expect(await countExpiredScores(postgres.database, await earlierClock(postgres.database, past))).toBe(0);
  const now = await earlierClock(postgres.database, new Date('2900-01-01T00:00:00Z'));
  expect(await countExpiredScores(postgres.database, now)).toBe(5999);
  expect(await deleteExpiredScores(postgres.database, now, { signal })).toBe(5999);
  expect(await readCachedScores(postgres.database, [key(5)])).toEqual([valueOf('value 5')]);
});
