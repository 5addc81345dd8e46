import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { storeBatch, weeks } from '../../test/support/api.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
  const { database } = postgres;
  const living = new Date(Date.now() + 86_400_000);
  await storeBatch(database, { run: 'churn-1', slot: weeks(-1), sequence: 1, customers: 40, expiresAt: living });
  await storeBatch(database, { run: 'churn-2', sequence: 2, customers: 100, expiresAt: living });
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
