import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { storeBatch, weeks } from '../../test/support/api.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { MIGRATIONS } from '../migrations/index.ts';

/** Who lives on by the clock of the server. */
const LIVING = new Date(Date.now() + 86_400_000);
const TIER_OR_NONE = "CASE WHEN risk >= 0.8 THEN 'premium' END";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
  const { database } = postgres;
  await storeBatch(database, { run: 'churn-1', slot: weeks(-1), sequence: 1, customers: 40, expiresAt: LIVING });
  await storeBatch(database, { run: 'churn-2', sequence: 2, customers: 100, expiresAt: LIVING });
  await storeBatch(database, { program: 'over', run: 'over-1', customers: 20, expiresAt: weeks(-2) });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const rows = async (sql: string) => (await postgres.database.pool.query(sql)).rows;

test('the view for outreach has those of the current batches who are not held out and have not expired', async () => {
  const seen = await rows('SELECT program, run, customer_id FROM holdfast.outreach_candidates ORDER BY 1, 2, 3');
  const wanted = await rows(
    `SELECT program, run, customer_id FROM holdfast.candidates WHERE run = 'churn-2' AND arm = 'treatment' ORDER BY 1, 2, 3`,
  );
  expect(seen).toEqual(wanted);
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.length).toBeLessThan(100);
});

test.each([
  ['with terms for some levels only leaves out those without an offer', true, false],
  ['without offers keeps everybody who is treated', false, true],
  ['of a version that did not say keeps everybody who is treated', null, true],
])('a program %s', async (name, makesOffers, hasOfferless) => {
  const program = name.slice(0, 12).trim();
  const batch = { program, run: `${program}-1`, customers: 60, expiresAt: LIVING, makesOffers };
  await storeBatch(postgres.database, { ...batch, tier: makesOffers === true ? TIER_OR_NONE : 'NULL' });
  const seen = await rows(`SELECT offer_tier FROM holdfast.outreach_candidates WHERE program = '${program}'`);
  const where = `program = '${program}' AND arm = 'treatment'${hasOfferless ? '' : ' AND offer_tier IS NOT NULL'}`;
  const wanted = await rows(`SELECT offer_tier FROM holdfast.candidates WHERE ${where}`);
  expect(wanted.length).toBeGreaterThan(0);
  expect(seen).toHaveLength(wanted.length);
  expect(seen.some(({ offer_tier }) => offer_tier === null)).toBe(hasOfferless);
});

test('a migration learns of batches that are there whether their programs make offers', async () => {
  const { pool } = postgres.database;
  const offer = (tiers?: object) => [{ name: 'offer', counts: tiers === undefined ? {} : { tiers } }];
  const batches = { some: offer({ premium: 0 }), none: offer({}), older: offer(), unfinished: [] };
  for (const [program, stages] of Object.entries(batches)) {
    await storeBatch(postgres.database, { program, run: `${program}-1`, stages });
  }
  const steps = MIGRATIONS.find(({ name }) => name === 'outreach-offers')?.sql;
  const client = await pool.connect();
  const learnt: { program: string; made: boolean | null }[] = [];
  try {
    // Rolled back, since later migrations have changed the view.
    await client.query(
      'BEGIN; DROP VIEW holdfast.outreach_candidates; ALTER TABLE holdfast.runs DROP COLUMN makes_offers',
    );
    await client.query(`${steps}`);
    const { rows: found } = await client.query(
      `SELECT program, makes_offers AS made FROM holdfast.runs
       WHERE program IN ('some', 'none', 'older', 'unfinished') ORDER BY program`,
    );
    learnt.push(...found);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
  expect(learnt.map(({ program, made }) => [program, made])).toEqual([
    ['none', false],
    ['older', null],
    ['some', true],
    ['unfinished', null],
  ]);
});

test('it does not tell that there is an experiment, and has whatever else the view for analysis has', async () => {
  const columns = async (view: string) =>
    (
      await rows(
        `SELECT column_name FROM information_schema.columns WHERE table_schema = 'holdfast' AND table_name = '${view}' ORDER BY 1`,
      )
    ).map(({ column_name }) => column_name);
  const all = await columns('current_candidates');
  expect(await columns('outreach_candidates')).toEqual(all.filter((name) => name !== 'arm' && name !== 'epoch'));
});

test('who may read the view alone sees whom to contact, and no table', async () => {
  await rows(`CREATE ROLE outreach; GRANT USAGE ON SCHEMA holdfast TO outreach;
    GRANT SELECT ON holdfast.outreach_candidates TO outreach`);
  const client = await postgres.database.pool.connect();
  try {
    await client.query('SET ROLE outreach');
    expect((await client.query('SELECT FROM holdfast.outreach_candidates')).rowCount).toBeGreaterThan(0);
    for (const table of ['candidates', 'current_candidates', 'decisions']) {
      await expect(client.query(`SELECT FROM holdfast.${table}`)).rejects.toThrow('permission denied');
    }
  } finally {
    await client.query('RESET ROLE');
    client.release();
  }
});

test('with namespace and program given it reads through an index', async () => {
  const plan = await rows(
    `EXPLAIN (COSTS OFF) SELECT * FROM holdfast.outreach_candidates WHERE namespace = 'shop' AND program = 'churn'`,
  );
  const text = plan.map((row) => row['QUERY PLAN']).join('\n');
  expect(text).toMatch(/Index Scan/);
});
