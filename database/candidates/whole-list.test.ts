import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { storeBatch, weeks } from '../../test/support/api.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { findRun, type RunRecord } from '../runs/runs.ts';
import { countList, wholeList } from './whole-list.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

async function batch(owner: string): Promise<RunRecord> {
  const key = { namespace: 'shop', owner, run: `${owner}-1` };
  await storeBatch(postgres.database, { ...key, program: owner, customers: 2500, risk: '0.9' });
  const record = await findRun(postgres.database, key);
  if (record === undefined) throw new Error('it was stored');
  return record;
}

const now = weeks(0);

test.each([
  ['was removed', 'DELETE FROM holdfast.candidates WHERE program = $1'],
  ['was stored anew by another attempt', 'UPDATE holdfast.runs SET attempt = 2 WHERE program = $1'],
  ['was stored anew by the same attempt', 'UPDATE holdfast.runs SET published_at = now() WHERE program = $1'],
])('a list of a batch that %s meanwhile does not end well', async (sentence, change) => {
  const program = sentence.replaceAll(' ', '-');
  const pages = wholeList(postgres.database, { batch: await batch(program), now });
  expect((await pages.next()).value).toHaveLength(1000);
  await postgres.database.pool.query(change, [program]);
  const rest = async () => {
    for await (const page of pages) expect(page.length).toBeGreaterThan(0);
  };
  await expect(rest()).rejects.toMatchObject({ code: 'HF_CURSOR_EXPIRED' });
});

test('pages meet where thousands have the same risk, and no connection is held between two', async () => {
  const record = await batch('even');
  const seen: string[] = [];
  for await (const page of wholeList(postgres.database, { batch: record, now })) {
    seen.push(...page.map(({ customer_id }) => customer_id));
    expect(postgres.database.pool.idleCount).toBe(postgres.database.pool.totalCount);
  }
  expect(seen).toHaveLength(2250);
  expect(seen).toEqual([...new Set(seen)].toSorted());
  expect(await countList(postgres.database, { batch: record, now })).toEqual(
    new Map([
      ['critical', 2250],
      ['high', 0],
      ['medium', 0],
    ]),
  );
});
