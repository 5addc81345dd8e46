import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { identifier, openEngine } from '../base/duckdb/engine.ts';
import { holdfast } from './support/workspace.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-init-tables-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function database(...statements: string[]): Promise<string> {
  const file = join(folder, 'shop.duckdb');
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder, file });
  for (const sql of statements) await engine.run(sql);
  return file;
}

test('a DuckDB file without a table lists what it holds, and with one plausible table still asks', async () => {
  const file = await database(
    'CREATE TABLE baskets (basket_id BIGINT, household_id BIGINT, order_date TIMESTAMP WITH TIME ZONE, sales_value DECIMAL(12, 2))',
    'CREATE TABLE colours (name VARCHAR)',
    'CREATE SCHEMA old',
    'CREATE VIEW old.names AS SELECT name FROM colours',
  );
  const { status, stdout, stderr } = await holdfast(['init', file, '-o', join(folder, 'program.yaml')]);
  expect([status, stderr]).toEqual([78, 'HF_USAGE: name the table that is meant with --table: nothing was written\n']);
  expect(stdout).toMatch(
    /^3 tables and views\n {2}baskets +table .*transactions\? +ids basket_id, household_id {3}days order_date\n/,
  );
  expect(stdout).toMatch(/old\.names +view\n/);
  expect(stdout).toContain(`next        holdfast init ${file} --table baskets\n`);
});

test.each(['Past offers', 'old.customers', 'x"y', '-x'])(
  'the table %j is proposed as --table takes it',
  async (name) => {
    const columns =
      "'C' || i AS customer_id, (i * 7) % 60 AS tenure, CASE WHEN i % 4 = 0 THEN 'Yes' ELSE 'No' END AS churned";
    const file = await database(
      `CREATE TABLE ${identifier(name)} AS SELECT ${columns} FROM range(200) AS rows (i)`,
      'CREATE SCHEMA old',
      'CREATE TABLE old.customers (name VARCHAR)',
    );
    const { stdout } = await holdfast(['init', file, '--output', 'json']);
    const listed = JSON.parse(stdout).tables.find((one: { readonly name: string }) => one.name === name);
    const args = ['init', file, `--table=${listed.table}`, '-o', join(folder, 'program.yaml'), '--output', 'json'];
    expect(await holdfast(args)).toMatchObject({ status: 0 });
  },
);

test('of a database in which no table is named like customers or purchases none is proposed', async () => {
  const file = await database('CREATE TABLE colours (name VARCHAR)');
  const { status, stdout } = await holdfast(['init', file, '--output', 'json']);
  expect(status).toBe(78);
  expect(JSON.parse(stdout)).toEqual({
    tables: [{ table: 'colours', schema: 'main', name: 'colours', kind: 'table', rows: 0, ids: [], days: [] }],
  });
});

test('a number is a feature of the model whatever its type in the database, and a run reads it', async () => {
  const types = [
    'UTINYINT',
    'USMALLINT',
    'UINTEGER',
    'UBIGINT',
    'HUGEINT',
    'UHUGEINT',
    'BIGNUM',
    'DECIMAL(9, 2)',
    'FLOAT',
  ];
  const columns = types.map((type, place) => `CAST((i * ${place + 7}) % 100 AS ${type}) AS "${type}"`);
  const file = await database(
    `CREATE TABLE customers AS SELECT 'C' || i AS customer_id, hash(i) % 10 < 3 AS churned, ${columns.join(', ')}
     FROM range(600) AS rows (i)`,
  );
  const program = join(folder, 'program.yaml');
  expect(await holdfast(['init', file, '--table', 'customers', '-o', program])).toMatchObject({ status: 0 });
  const { spec } = parse(await readFile(program, 'utf8')) as { spec: { scoringModels: { features: string[] }[] } };
  expect(spec.scoringModels[0]?.features).toHaveLength(types.length);
  const run = ['run', program, '--dry-run', '--data', join(folder, 'data')];
  expect(await holdfast(run)).toMatchObject({ status: 0 });
});
