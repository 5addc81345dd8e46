import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import { randomNumbers } from '../base/math/random-numbers.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { type CommandResult, holdfast, NOW } from './support/workspace.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-next-week-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const manifest = () => at('program.yaml');

/** Customers who leave the sooner, the longer they have been idle; as the columns of a file, in its order. */
function customers(count: number): Record<string, string>[] {
  const random = randomNumbers(7);
  const day = (ago: number) => new Date(Date.UTC(2026, 9, 31) - ago * 86_400_000).toISOString().slice(0, 10);
  return Array.from({ length: count }, (_, index) => {
    const idle = Math.floor(random() * 120);
    const left = random() < 1 / (1 + Math.exp(2.5 - idle / 30));
    return {
      customer_id: `C${String(index).padStart(5, '0')}`,
      last_login: day(idle),
      total_spend: (50 + random() * 900).toFixed(2),
      currency: 'USD',
      cancelled_at: left ? day(Math.floor(idle / 2)) : '',
      churned: left ? 'Yes' : 'No',
    };
  });
}

const COLUMNS = ['customer_id', 'last_login', 'total_spend', 'currency', 'cancelled_at', 'churned'];
const stillThere = (rows: readonly Record<string, string>[]) => rows.filter(({ churned }) => churned === 'No');
const without = (...names: string[]) => COLUMNS.filter((name) => !names.includes(name));

async function csv(name: string, columns: readonly string[], rows = customers(600)): Promise<string> {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ''))].map((row) => row.join(','));
  await writeFile(at(name), `${lines.join('\n')}\n`);
  return at(name);
}

async function init(file: string): Promise<void> {
  const { status, stderr } = await holdfast(['init', file, '-o', manifest()]);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
}

const run = (file: string, ...options: string[]): Promise<CommandResult> =>
  holdfast([
    'run',
    manifest(),
    '--now',
    NOW,
    '--dry-run',
    '--output',
    'json',
    '--data',
    at('state'),
    '--source',
    `customers=${file}`,
    ...options,
  ]);

/** What a run says of its sources. */
const ofSources = ({ stderr }: CommandResult) =>
  stderr.split('\n').filter((line) => line.startsWith('warning: Connector'));

/** The error of a run, a line. */
const refusalOf = ({ status, stderr }: CommandResult) => [
  status,
  stderr.split('\n').find((line) => line.startsWith('HF_')),
];

const stagesOf = ({ stdout }: CommandResult) =>
  Object.fromEntries(
    (JSON.parse(stdout) as { stages: { name: string; rowsOut: number }[] }).stages.map(({ name, rowsOut }) => [
      name,
      rowsOut,
    ]),
  );

describe('a CSV file of a later week', () => {
  beforeEach(async () => init(await csv('first.csv', COLUMNS)));

  test('that has every column is run as ever, without a warning', async () => {
    const ran = await run(at('first.csv'));
    expect([ran.status, ofSources(ran)]).toEqual([0, []]);
    expect(stagesOf(ran)['extract']).toBe(stillThere(customers(600)).length);
  });

  test('that has no label runs, and says in one line what it does without and what follows', async () => {
    const ran = await run(await csv('second.csv', without('churned', 'cancelled_at')));
    expect(ran.status).toBe(0);
    expect(stagesOf(ran)['extract']).toBe(600);
    expect(ofSources(ran)).toEqual([
      'warning: Connector customers: its source has no column churned: everybody in it counts as still there; ' +
        'no column cancelled_at: whoever has left by it counts as still there.',
    ]);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      warnings: expect.arrayContaining([
        { code: 'SOURCE_COLUMN_ABSENT', message: expect.stringMatching(/no column churned/) },
      ]),
    });
  });

  test('whose label has another name runs without it, and says which column may be meant', async () => {
    const rows = customers(600).map(({ churned = '', ...row }) => ({ ...row, churnd: churned }));
    const ran = await run(await csv('second.csv', [...without('churned'), 'churnd'], rows));
    expect(ran.status).toBe(0);
    expect(ofSources(ran)).toEqual([expect.stringMatching(/no column churned \(did you mean churnd\?\): everybody/)]);
  });

  test('whose label column is there and empty is refused: nobody knows who of its customers has left', async () => {
    const rows = customers(600).map((row) => ({ ...row, churned: '' }));
    const [status, message] = refusalOf(await run(await csv('second.csv', COLUMNS, rows)));
    expect([status, message]).toEqual([
      78,
      expect.stringMatching(/^HF_REJECTS_OVER_THRESHOLD: .*churned missing, so that nobody knows who left/),
    ]);
  });

  test('that lacks only what candidates carry along runs, and says so', async () => {
    const ran = await run(await csv('second.csv', without('currency')));
    expect(ran.status).toBe(0);
    expect(stagesOf(ran)['extract']).toBe(stillThere(customers(600)).length);
    expect(ran.stderr).toMatch(
      /its source has no column currency: candidates have no currency \(it is for amounts in messages\)/,
    );
  });

  test('with one day years after all others ages nobody, and the run says which days it counts to', async () => {
    const before = (day = '') => day.replace('2026', '2021');
    const rows = customers(600).map((row) => ({
      ...row,
      last_login: before(row['last_login']),
      cancelled_at: before(row['cancelled_at']),
    }));
    const newest = rows
      .map(({ last_login }) => last_login)
      .sort()
      .at(-1);
    const slipped = rows.map((row, index) => (index === 7 ? { ...row, last_login: '2025-03-03' } : row));
    const right = await run(await csv('second.csv', COLUMNS, rows));
    const ran = await run(await csv('third.csv', COLUMNS, slipped));
    expect([right.status, ofSources(right), ran.status]).toEqual([0, [], 0]);
    expect(stagesOf(ran)['extract']).toBe(stagesOf(right)['extract']);
    expect(Math.abs((stagesOf(ran)['filter'] ?? 0) - (stagesOf(right)['filter'] ?? 0))).toBeLessThanOrEqual(1);
    expect(ofSources(ran)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^warning: Connector customers: newest days in last_login stand alone \\(1 of 600, up to 2025-03-03\\), .* days are counted to ${newest}, `,
        ),
      ),
    ]);
    expect((await holdfast(['init', at('third.csv'), '-o', at('third.yaml')])).stdout).toMatch(
      /^warning: newest days in last_login stand alone \(1 of 600, up to 2025-03-03\)/m,
    );
  });

  test('that has its columns in another order, and other customers, gives the same answer', async () => {
    const columns = without('churned', 'cancelled_at').toReversed();
    const rows = customers(700).slice(100);
    const ran = await run(await csv('second.csv', columns, rows));
    expect([ran.status, stagesOf(ran)['extract']]).toEqual([0, 600]);
  });

  test('that lacks what the model reads is refused, with the columns that there are and the nearest name', async () => {
    const rows = customers(600).map(({ last_login: lastlogin = '', ...row }) => ({ ...row, lastlogin }));
    const ran = await run(await csv('second.csv', ['customer_id', 'lastlogin', 'total_spend'], rows));
    expect(refusalOf(ran)).toEqual([
      78,
      'HF_COLUMN_MISSING: Connector customers: the query reads a column last_login that its source does not have (did you ' +
        'mean lastlogin?); the columns of customers are customer_id, lastlogin, total_spend',
    ]);
  });
});

test('a manifest names the columns that a later file may lack, and only those', async () => {
  await init(await csv('first.csv', COLUMNS));
  const { spec } = parse(await readFile(manifest(), 'utf8')) as { spec: any };
  const [{ config }] = spec.dataConnectors;
  expect(config.optionalColumns.map(({ column }: { column: string }) => column).sort()).toEqual(
    ['cancelled_at', 'churned', 'currency', 'total_spend'].filter(
      (name) => name !== 'total_spend' || !JSON.stringify(spec.filterChain).includes('minLifetimeValue'),
    ),
  );
});

test('a Parquet file of a later week runs without its label, of whatever type that was', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
  await csv('first.csv', COLUMNS);
  const read = `read_csv(${literal(at('first.csv'))}, header = true, all_varchar = true)`;
  const typed = `customer_id, CAST(last_login AS DATE) AS last_login, CAST(total_spend AS DOUBLE) AS total_spend`;
  const label = `CASE churned WHEN 'Yes' THEN 1 ELSE 0 END AS churned`;
  await engine.run(`COPY (SELECT ${typed}, ${label} FROM ${read}) TO ${literal(at('first.parquet'))} (FORMAT parquet)`);
  await engine.run(`COPY (SELECT ${typed} FROM ${read}) TO ${literal(at('second.parquet'))} (FORMAT parquet)`);
  await init(at('first.parquet'));
  const ran = await run(at('second.parquet'));
  expect([ran.status, stagesOf(ran)['extract']]).toEqual([0, 600]);
  expect(ofSources(ran)).toEqual([
    expect.stringMatching(/no column churned: everybody in it counts as still there\.$/),
  ]);
});

describe('a table of Postgres', () => {
  let postgres: TestPostgres;
  let reader: string;
  beforeAll(async () => {
    postgres = await openPostgres();
    reader = await postgres.reader();
  });
  afterAll(async () => postgres[Symbol.asyncDispose]());

  test('of a later week runs without its label, and is refused without what the model reads', async () => {
    const rows = customers(600).map((row) => COLUMNS.map((column) => row[column]));
    await postgres.database.pool.query(
      `CREATE SCHEMA shop; CREATE TABLE shop.customers (customer_id text, last_login text, total_spend text, locale text, cancelled_at text, churned text);`,
    );
    await postgres.database.pool.query(
      `INSERT INTO shop.customers SELECT row ->> 0, row ->> 1, row ->> 2, row ->> 3, row ->> 4, row ->> 5
       FROM jsonb_array_elements($1::jsonb) AS rows (row)`,
      [JSON.stringify(rows)],
    );
    const environment = { HOLDFAST_CONNECTION_CRM: reader };
    const from = ['--connector', 'crm', '--table', 'shop.customers'];
    const made = await holdfast(['init', ...from, '-o', manifest()], { environment });
    expect({ status: made.status, stderr: made.status === 0 ? '' : made.stderr }).toEqual({ status: 0, stderr: '' });
    const again = () =>
      holdfast(['run', manifest(), '--now', NOW, '--dry-run', '--output', 'json', '--data', at('state')], {
        environment,
      });
    const before = await again();
    expect([before.status, ofSources(before)]).toEqual([0, []]);
    expect(stagesOf(before)['extract']).toBe(stillThere(customers(600)).length);
    await postgres.database.pool.query(
      "UPDATE shop.customers SET last_login = '2021' || substr(last_login, 5); UPDATE shop.customers SET last_login = '2025-03-03' WHERE customer_id = 'C00007'",
    );
    expect(ofSources(await again())).toEqual([
      expect.stringMatching(
        /^warning: Connector crm: newest days in last_login stand alone \(1 of 600, up to 2025-03-03\)/,
      ),
    ]);

    await postgres.database.pool.query('ALTER TABLE shop.customers DROP churned, DROP cancelled_at');
    const ran = await again();
    expect(ofSources(ran)[0]).toMatch(/^warning: Connector crm: its source has no column churned: everybody/);
    expect([ran.status, stagesOf(ran)['extract']]).toEqual([0, 600]);

    await postgres.database.pool.query('ALTER TABLE shop.customers RENAME last_login TO lastlogin');
    const refused = await again();
    expect(refusalOf(refused)).toEqual([
      78,
      expect.stringMatching(
        /^HF_COLUMN_MISSING: .*reads a column last_login .*did you mean lastlogin\?.*the columns of shop\.customers are customer_id, /,
      ),
    ]);
  });
});

test('one row of each customer is taken by the rule for ids, by which a run compares them', async () => {
  const twice = customers(600).flatMap((row, index) => {
    const again = { ...row, customer_id: ` ${row['customer_id']}\u200b`, last_login: '2026-01-01' };
    return index % 10 === 0 ? [row, again] : [row];
  });
  await init(await csv('twice.csv', COLUMNS, twice));
  const ran = await run(at('twice.csv'));
  expect([ran.status, stagesOf(ran)['extract']]).toEqual([0, stillThere(customers(600)).length]);
});

test('rows without a customer, which a run sets apart, are allowed for in the program, which says so', async () => {
  const rows = customers(600).map((row, index) => (index % 20 === 0 ? { ...row, customer_id: '' } : row));
  await init(await csv('gaps.csv', COLUMNS, rows));
  const written = await readFile(manifest(), 'utf8');
  expect(written).toMatch(
    /# WARNING: a run sets \d+ of \d+ rows apart as rejects, with the reasons: the program allows up/,
  );
  expect(written).toMatch(/ {2}quality:\n {4}maxRejectedShare: 0\.0[67]\n/);
  expect((await run(at('gaps.csv'))).status).toBe(0);
});

test('what init prints as next runs as printed, whatever folder and file are called', async () => {
  const place = at(`it's a "shop"`);
  await mkdir(place);
  await csv(`it's a "shop"/-list's.csv`, COLUMNS);
  const command = join(import.meta.dirname, '../bin/holdfast');
  const shell = (text: string) => spawnSync('sh', ['-c', text], { cwd: place, encoding: 'utf8', timeout: 120_000 });
  const made = shell(`'${command}' init "./-list's.csv" -o "-my program's.yaml"`);
  const [, next = ''] = /^next +(.*)$/m.exec(made.stdout) ?? [];
  expect([made.status, next]).toEqual([0, `${command} run './-my program'\\''s.yaml'`]);
  const ran = shell(next);
  expect({ status: ran.status, stderr: ran.status === 0 ? '' : ran.stderr }).toEqual({ status: 0, stderr: '' });
  // So does what the run prints.
  for (const [, again = ''] of ran.stdout.matchAll(/^(?:next|list) +(?:[\d,]+ +)?(.*holdfast .*)$/gm)) {
    expect([again, shell(again).status]).toEqual([again, 0]);
  }
  expect(await readdir(place)).toContain('contact.csv');
});
