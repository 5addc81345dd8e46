import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Engine, openEngine } from '../../../base/duckdb/engine.ts';
import { AT_RISK } from './analytics.ts';
import { type Kept, TABLES } from './chunk.ts';
import { makeSampleWarehouse, truthOf } from './sample.ts';

const AS_OF = new Date('2026-11-23T02:00:00Z');
const limits = { threads: 2, memoryMb: 1024 };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-sample-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function make(
  name: string,
  customers: number,
  options: { seed?: number; asOf?: Date; kept?: Kept; signal?: AbortSignal } = {},
) {
  const file = join(folder, `${name}.duckdb`);
  const usual = { seed: 1, asOf: AS_OF, kept: 'history', ...limits, scratchFolder: folder } as const;
  await makeSampleWarehouse({ file, customers, ...usual, ...options });
  return file;
}

const open = (file: string, readOnly = true) => openEngine({ file, readOnly, ...limits, scratchFolder: folder });

async function value<T>(engine: Engine, sql: string): Promise<T> {
  const [row] = await engine.rows<{ value: T }>(sql);
  return row!.value;
}

const returnedRows = (engine: Engine) =>
  value<number>(engine, `SELECT count(*)::INTEGER AS value FROM customer_analytics WHERE ${AT_RISK}`);

/** A number that changes with any value of any row of a relation. */
const digest = (engine: Engine, relation: string) =>
  value<string>(
    engine,
    `SELECT bit_xor(md5_number_lower(row::VARCHAR))::VARCHAR || ':' || count(*) AS value FROM ${relation} AS row`,
  );

describe('a warehouse of 10,000 rows', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open(await make('ten-thousand', 10_000));
  });
  afterAll(() => engine.close());

  test('answers the query of the first use case with exactly as many rows as were asked for', async () => {
    expect(await returnedRows(engine)).toBe(10_000);
  });

  test('has about three times as many customers as the query returns', async () => {
    const customers = await value<number>(engine, 'SELECT count(*)::INTEGER AS value FROM customer_analytics');
    expect(10_000 / customers).toBeGreaterThan(0.28);
    expect(10_000 / customers).toBeLessThan(0.38);
  });

  test('loses customers to each filter as the first use case says', async () => {
    const funnel = await engine.rows<{ removed_by: string; percent: number }>(FUNNEL);
    const percent = Object.fromEntries(funnel.map((row) => [row.removed_by, row.percent]));
    for (const [filter, aim, tolerance] of [
      ['trust', 5, 2],
      ['churn-signal', 40, 2],
      ['customer-value', 30, 2],
      ['eligibility', 15, 2],
      ['frequency-cap', 5, 2],
      ['nothing', 5, 0.6],
    ] as const) {
      expect([filter, Math.abs(percent[filter]! - aim) <= tolerance, percent[filter]]).toEqual([
        filter,
        true,
        percent[filter],
      ]);
    }
  });

  test('makes those who pass every filter as likely to leave as the model must say', async () => {
    const levels = await engine.rows<{ probability: number; below: number }>(`
      SELECT avg(cancellation_probability) AS probability, avg((cancellation_probability < 0.4)::INTEGER) AS below
      FROM (${REMOVALS}) JOIN customer_truth USING (customer_id) WHERE removed_by = 'nothing'`);
    expect(levels[0]!.probability).toBeGreaterThan(0.6);
    expect(levels[0]!.probability).toBeLessThan(0.72);
    expect(levels[0]!.below).toBeLessThan(0.1);
  });

  test('holds the few bad rows that an extract must reject: not a number, NUL, an impossible date, a twin', async () => {
    const [bad] = await engine.rows<Record<string, number>>(`
      SELECT count(*) FILTER (isnan(feature_usage))::INTEGER AS not_a_number,
        count(*) FILTER (contains(subscription_status, chr(0)))::INTEGER AS nul,
        count(*) FILTER (subscription_tenure > 1200)::INTEGER AS impossible_date,
        (count(*) - count(DISTINCT customer_id))::INTEGER AS twins
      FROM customer_analytics WHERE ${AT_RISK}`);
    expect(bad!['twins']).toBe(1);
    expect(bad!['impossible_date']).toBeGreaterThan(0);
    expect(bad!['nul']).toBeGreaterThan(0);
    expect(bad!['not_a_number']).toBeGreaterThan(0);
    expect(bad!['not_a_number']! + bad!['nul']! + bad!['impossible_date']!).toBe(6);
  });

  test('logs the propensity of every randomised offer, true to how often each kind was drawn', async () => {
    const kinds = await engine.rows<{ tier: string; kind: string; propensity: number; share: number }>(`
      SELECT tier, kind, propensity, drawn / sum(drawn) OVER (PARTITION BY tier) AS share
      FROM (SELECT tier, kind, propensity, count(*) AS drawn
        FROM past_offers JOIN customers USING (customer_id) WHERE randomised GROUP BY ALL)`);
    expect(kinds.length).toBe(8);
    for (const { propensity, share } of kinds) expect(Math.abs(propensity - share)).toBeLessThan(0.02);
  });

  test('cancels as often as the true hazard says', async () => {
    // Of the lower tiers, who had no offers of the pilot.
    const [quarter] = await engine.rows<{ expected: number; happened: number }>(`
      SELECT avg(cancellation_probability) AS expected,
        count(*) FILTER (cancelled_on >= as_of AND cancelled_on < as_of + 90) / count(*) AS happened
      FROM customer_truth_at JOIN (SELECT DISTINCT customer_id, tier FROM customers) USING (customer_id)
      LEFT JOIN cancellations USING (customer_id)
      WHERE tier IN ('basic', 'standard') AND as_of = DATE '2026-08-24'`);
    expect(Math.abs(quarter!.happened - quarter!.expected)).toBeLessThan(0.01);
  });

  test('says the same to a program when only the mart is kept, bad rows included', async () => {
    const file = await make('mart', 10_000, { kept: 'mart' });
    await using mart = await open(file);
    await using truth = await open(truthOf(file));
    const counting = `(SELECT * FROM past_offers SEMI JOIN customer_analytics USING (customer_id)
      WHERE offered_at >= TIMESTAMP '2026-11-23 02:00:00' - INTERVAL 184 DAY)`;
    for (const [of, relation] of [
      [mart, 'customer_analytics'],
      [mart, counting],
      [truth, 'customer_truth'],
      [truth, 'future_outcomes'],
    ] as const) {
      expect([relation, await digest(of, relation)]).toEqual([relation, await digest(engine, relation)]);
    }
    const tables = await mart.rows<{ name: string }>('SELECT table_name AS name FROM information_schema.tables');
    expect(tables.map(({ name }) => name).sort()).toEqual(['customer_analytics', 'past_offers']);
  });

  test('names a zone for every marketplace that this runtime knows', async () => {
    const zones = await engine.rows<{ marketplace: string; timezone: string }>(
      'SELECT DISTINCT marketplace, timezone FROM customer_analytics',
    );
    expect(new Set(zones.map((row) => row.marketplace)).size).toBe(8);
    for (const { timezone } of zones) expect(() => new Intl.DateTimeFormat('en', { timeZone: timezone })).not.toThrow();
  });
});

test('the same seed makes the same business, whatever the number of threads; another seed another', async () => {
  const file = join(folder, 'one-thread.duckdb');
  await makeSampleWarehouse({
    file,
    customers: 500,
    seed: 3,
    asOf: AS_OF,
    kept: 'history',
    threads: 1,
    memoryMb: 512,
    scratchFolder: folder,
  });
  await using one = await open(file);
  await using two = await open(await make('two-threads', 500, { seed: 3 }));
  await using other = await open(await make('other-seed', 500, { seed: 4 }));
  for (const relation of [...TABLES.history, 'customer_analytics']) {
    expect([relation, await digest(two, relation)]).toEqual([relation, await digest(one, relation)]);
  }
  expect(await digest(other, 'customer_analytics')).not.toBe(await digest(one, 'customer_analytics'));
});

test.each(['2026-01-05T02:00:00Z', '2027-03-29T02:00:00Z'])(
  'a warehouse as of %s has the same funnel, of other customers',
  async (asOf) => {
    await using engine = await open(await make(`as-of-${asOf.slice(0, 10)}`, 500, { asOf: new Date(asOf) }));
    await using reference = await open(await make(`reference-${asOf.slice(0, 10)}`, 500));
    expect(await returnedRows(engine)).toBe(500);
    // Bad rows apart, which have a date of their own.
    const columns = 'engagement_change, login_frequency, days_since_last_purchase, lifetime_value';
    const relation = `(SELECT ${columns} FROM customer_analytics)`;
    expect(await digest(engine, relation)).toBe(await digest(reference, relation));
    const ids = async (of: Engine) => of.rows<{ id: string }>('SELECT DISTINCT customer_id AS id FROM customers');
    const known = new Set((await ids(reference)).map(({ id }) => id));
    expect((await ids(engine)).filter(({ id }) => known.has(id))).toEqual([]);
  },
);

test('what was known at an instant does not change when all that came after is deleted', async () => {
  const file = await make('point-in-time', 1_000);
  const instant = '2026-06-10 15:30:00';
  const relation = `customer_analytics_at(TIMESTAMP '${instant}')`;
  await using engine = await open(file, false);
  const before = await digest(engine, relation);
  await engine.run(`
    DELETE FROM sessions WHERE week_starting + 7 > DATE '2026-06-10';
    DELETE FROM transactions WHERE ordered_on >= DATE '2026-06-10';
    DELETE FROM tickets WHERE opened_at >= TIMESTAMP '${instant}';
    DELETE FROM competitor_visits WHERE visited_at >= TIMESTAMP '${instant}';
    DELETE FROM opt_outs WHERE opted_out_at >= TIMESTAMP '${instant}';
    DELETE FROM cancellations WHERE cancelled_on >= DATE '2026-06-10';
    DELETE FROM customers WHERE joined_on >= DATE '2026-06-10';
    DROP TABLE past_offers; DROP TABLE customer_truth; DROP TABLE customer_truth_at; DROP TABLE future_outcomes`);
  expect(await digest(engine, relation)).toBe(before);
  expect(await value<number>(engine, `SELECT count(*)::INTEGER AS value FROM ${relation}`)).toBeGreaterThan(1_000);
});

test.each([
  ['before it starts', 0],
  ['while it works', 150],
])('a making that is interrupted %s leaves nothing and says so', async (_when, milliseconds) => {
  const signal = milliseconds === 0 ? AbortSignal.abort() : AbortSignal.timeout(milliseconds);
  await expect(make('interrupted', 20_000, { kept: 'mart', signal })).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  expect((await readdir(folder)).filter((name) => name.startsWith('interrupted'))).toEqual([]);
});

/** The filters of the first use case, in order, over what the query returns. */
const REMOVALS = `
  WITH recent AS (
    SELECT customer_id, bool_or(program_id = 'churn-prevention') AS program
    FROM past_offers WHERE offered_at >= TIMESTAMP '2026-11-23 02:00:00' - INTERVAL 90 DAY GROUP BY customer_id
  )
  SELECT analytics.customer_id, CASE
    WHEN NOT (verified AND account_status = 'active') THEN 'trust'
    WHEN (engagement_change <= -0.3)::INTEGER + (login_frequency < 0.5 * historical_avg)::INTEGER
      + (days_since_last_purchase > 60)::INTEGER < 2 THEN 'churn-signal'
    WHEN NOT (lifetime_value >= 500 AND subscription_tier IN ('premium', 'premium_plus')) THEN 'customer-value'
    WHEN opted_out OR coalesce(program, false) THEN 'eligibility'
    WHEN recent.customer_id IS NOT NULL THEN 'frequency-cap'
    ELSE 'nothing' END AS removed_by
  FROM customer_analytics AS analytics LEFT JOIN recent USING (customer_id) WHERE ${AT_RISK}`;

const FUNNEL = `
  SELECT removed_by, 100e0 * count(*) / sum(count(*)) OVER () AS percent FROM (${REMOVALS}) GROUP BY removed_by`;
