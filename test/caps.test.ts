import { expect, test } from '@jest/globals';
import { openEngine } from '../base/duckdb/engine.ts';
import type { TestPostgres } from './support/postgres.ts';
import { useShop } from './support/shop.ts';
import { until } from './support/until.ts';
import { holdfast, NOW, type Workspace } from './support/workspace.ts';

let shop: Workspace;
let postgres: TestPostgres;
useShop((opened) => {
  ({ shop, postgres } = opened);
});

/** A command with the state of its own that a process of another program has, and the database that both share. */
const command = (program: string, ...args: string[]) =>
  holdfast([...args, '--data', shop.path(`state-${program}`)], { environment: { DATABASE_URL: postgres.url } });

const waiting = async () =>
  Number(
    (await postgres.database.pool.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).rowCount,
  );

async function customersOf(program: string): Promise<string[]> {
  const sql = 'SELECT customer_id FROM holdfast.current_candidates WHERE program = $1 ORDER BY 1';
  return (await postgres.database.pool.query<{ customer_id: string }>(sql, [program])).rows.map(
    (row) => row.customer_id,
  );
}

async function idsIn(file: string): Promise<string[]> {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder });
  const rows = await engine.rows<{ id: string }>('SELECT customer_id AS id FROM read_parquet($1) ORDER BY 1', [file]);
  return rows.map(({ id }) => id);
}

test('of two programs that run at once, the one that stores later decides on those whom the other left, and says so', async () => {
  const cap = { filterId: 'cap', type: 'business-rule', order: 5, parameters: { maxOffersPerQuarter: 1 } };
  const programs: Record<string, string> = {};
  for (const programId of ['early', 'late']) {
    programs[programId] = await shop.program((spec) => {
      spec['programId'] = programId;
      spec['filterChain'].push(cap);
      // The early one leaves some to the other.
      if (programId === 'early') spec['riskLevels'] = { critical: 0.9, high: 0.8, medium: 0.7 };
    }, `${programId}.yaml`);
  }
  const gate = await postgres.database.pool.connect();
  const started: Promise<{ status: number; stdout: string }>[] = [];
  try {
    await gate.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', ['holdfast caps default']);
    for (const [index, [program, file]] of Object.entries(programs).entries()) {
      started.push(command(program, 'run', file, '--now', NOW, '--output', 'json'));
      await until(`${program} to come to the lock`, waiting, (there) => there === index + 1);
    }
  } finally {
    await gate.query('SELECT pg_advisory_unlock_all()');
    gate.release();
  }
  const [early, late] = (await Promise.all(started)).map(({ stdout }) => JSON.parse(stdout));
  const [decidedEarly, decidedLate] = [await customersOf('early'), await customersOf('late')];
  expect(decidedEarly.length).toBeGreaterThan(0);
  expect(decidedLate.length).toBeGreaterThan(0);
  expect(decidedLate.filter((id) => decidedEarly.includes(id))).toEqual([]);

  // The figures add up, and so do the files.
  const stage = (name: string) => late.stages.find((one: { name: string }) => one.name === name);
  expect(stage('store')).toMatchObject({
    rowsIn: stage('offer').rowsOut,
    rowsOut: decidedLate.length,
    counts: { candidates: decidedLate.length, removed: { cap: decidedEarly.length } },
  });
  expect(stage('store').rowsOut + decidedEarly.length).toBe(stage('store').rowsIn);
  expect(early.stages.at(-1).counts.removed).toEqual({ cap: 0 });
  expect(await idsIn(late.data.current)).toEqual(decidedLate);
  expect(late.data.decisions).toContain('/store/');

  // Who fell out is explained, alone and in the group, and is no candidate.
  const [fallen = ''] = decidedEarly;
  const one = JSON.parse((await command('late', 'explain', 'late', fallen, '--output', 'json')).stdout);
  expect(one).toMatchObject({
    outcome: 'removed',
    filters: expect.arrayContaining([expect.objectContaining({ filterId: 'cap', verdict: 'removed' })]),
  });
  expect(one.offer).toBeUndefined();
  const group = JSON.parse((await command('late', 'explain', 'late', '--filter', 'cap', '--output', 'json')).stdout);
  expect(group).toMatchObject({ removed: decidedEarly.length });
  const candidates = JSON.parse((await command('late', 'explain', 'late', '--candidates', '--output', 'json')).stdout);
  expect(candidates).toMatchObject({ customers: decidedLate.length });
});
