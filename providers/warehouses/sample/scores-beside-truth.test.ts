import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { literal, openEngine } from '../../../base/duckdb/engine.ts';
import { compareWithTruth, type TruthComparison } from './scores-beside-truth.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-truth-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const engine = () => openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });

/** A business of 60 customers, of whom those with an even number leave, and what a model said of the first 50. */
async function compare(said: string): Promise<TruthComparison> {
  const files = { warehouse: join(folder, 'sample.duckdb'), truth: join(folder, 'truth.duckdb') };
  for (const file of Object.values(files)) await rm(file, { force: true });
  {
    await using made = await engine();
    await made.run(`
      ATTACH ${literal(files.warehouse)} AS sample; ATTACH ${literal(files.truth)} AS truth;
      CREATE TABLE people AS SELECT i, 'C' || i AS customer_id, i % 2 = 0 AS leaves FROM range(60) AS numbers(i);
      CREATE TABLE sample.customer_analytics AS
        SELECT customer_id, 10 + i % 7 AS days_since_last_login, 5 AS days_since_last_purchase FROM people;
      INSERT INTO sample.customer_analytics SELECT * FROM sample.customer_analytics WHERE customer_id = 'C3';
      CREATE TABLE truth.future_outcomes AS SELECT customer_id, leaves AS cancels_untreated FROM people;
      CREATE TABLE truth.customer_truth AS
        SELECT customer_id, CASE WHEN leaves THEN 0.9 ELSE 0.1 END AS cancellation_probability FROM people;
      CREATE TABLE scores AS SELECT customer_id, (${said})::DOUBLE AS risk_score FROM people WHERE i < 50;
      COPY (SELECT *, CASE WHEN risk_score >= 0.8 THEN 'critical' ELSE 'medium' END AS risk_level
        FROM scores WHERE risk_score >= 0.4) TO ${literal(join(folder, 'scored.parquet'))};
      COPY (SELECT * FROM scores WHERE risk_score < 0.4) TO ${literal(join(folder, 'below.parquet'))}`);
  }
  await using reading = await engine();
  return await compareWithTruth(reading, { folder }, files);
}

/** Share of the pairs of one who leaves and one who stays that a score has in the right order; equal scores are half. */
function pairsInOrder(score: (i: number) => number): number {
  let right = 0;
  for (let leaver = 0; leaver < 50; leaver += 2) {
    for (let stayer = 1; stayer < 50; stayer += 2) {
      right += score(leaver) > score(stayer) ? 1 : score(leaver) === score(stayer) ? 0.5 : 0;
    }
  }
  return right / (25 * 25);
}

test('each risk level says how many customers it has, what was said of them and how many leave', async () => {
  // Of 25 leavers 20 are at 0.9; of 25 stayers 5 are at 0.9; the rest of both are half at 0.5, half at 0.1.
  const { levels } = await compare(
    'CASE WHEN leaves AND i < 40 THEN 0.9 WHEN NOT leaves AND i < 10 THEN 0.9 WHEN i % 4 < 2 THEN 0.5 ELSE 0.1 END',
  );
  expect(levels.map(({ level }) => level)).toEqual(['critical', 'medium', 'below']);
  expect(levels.reduce((sum, { customers }) => sum + customers, 0)).toBe(50);
  expect(levels[0]).toEqual({ level: 'critical', customers: 25, said: expect.closeTo(0.9, 9), happened: 0.8 });
  expect(levels[1]?.said).toBeCloseTo(0.5, 9);
  expect(levels[2]?.said).toBeCloseTo(0.1, 9);
});

test('the areas under the curve are the pairs in order, ties counted half', async () => {
  const { auc } = await compare('((i * 7) % 11) / 11e0');
  expect(auc.model).toBeCloseTo(
    pairsInOrder((i) => (i * 7) % 11),
    12,
  );
  expect(auc.lastLogin).toBeCloseTo(
    pairsInOrder((i) => i % 7),
    12,
  );
  expect(auc.lastPurchase).toBe(0.5);
  expect(auc.oracle).toBe(1);
});

test('a model that knows nothing shows as one', async () => {
  const { auc } = await compare('0.7');
  expect(auc.model).toBe(0.5);
});
