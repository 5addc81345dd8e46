import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import { customerId } from '../customers/columns/customer-id.ts';
import { seeded } from './faults/random.ts';
import type { TestPostgres } from './support/postgres.ts';
import { useShop } from './support/shop.ts';
import { NOW, type ProgramSpec, type Workspace } from './support/workspace.ts';

let shop: Workspace;
let postgres: TestPostgres;
useShop((opened) => {
  ({ shop, postgres } = opened);
});

/** Every command works on the one Postgres: starting one for each would take most of the time. */
const holdfast = (args: readonly string[]) => shop.holdfast(args, { environment: { DATABASE_URL: postgres.url } });

interface Report {
  readonly run: string;
  readonly stages: readonly { name: string; rowsIn: number; rowsOut: number; counts: Record<string, any> }[];
  readonly error?: { code: string; message: string };
}

/** Ids that a business may well have, and that must come out by the one rule for ids, each a customer of its own. */
const ODD_IDS = [
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31m',
  'g\u202eh',
  '-rf',
  'a\tb',
  'c\nd',
  'e\r\nf',
  'a\n\\.\nb',
  '\\.',
  '"',
  '""',
  'a","b',
  "O'Brien",
  "'; DROP TABLE holdfast.candidates; --",
  "$$'",
  'back\\slash\\',
  '{a,b}',
  'a,b;c|d',
  '=cmd|calc',
  '--run',
  '../../etc/passwd',
  'x; touch owned',
  '$(touch owned)',
  '\ufeffa',
  'é',
  'u\u0301',
  '\u{1f4a9}',
  '名前',
  ' leading and trailing ',
  '0',
  '007',
  '1e3',
  'true',
  'é'.repeat(256),
  '\u{1f4a9}'.repeat(256),
];

/** Ids that are none, each with its reason. */
const NO_IDS = [
  ["''", 'customer_id missing'],
  ["'   '", 'customer_id missing'],
  ['NULL', 'customer_id missing'],
  ["'NULL'", 'customer_id missing'],
  ["'\\N'", 'customer_id missing'],
  ['chr(8232)', 'customer_id missing'],
  ['chr(65279) || chr(160)', 'customer_id missing'],
  ["'C0300 '", 'customer_id duplicate'],
  ["'a' || chr(0) || 'b'", 'customer_id NUL character'],
  ["repeat('x', 257)", 'customer_id longer than 256 characters'],
  ["repeat('x', 1048576)", 'customer_id longer than 256 characters'],
  ["'C0300'", 'customer_id duplicate'],
  ["'C0300'", 'customer_id duplicate'],
] as const;

/** What else may be wrong with a row: a column, SQL for it, and the reason. */
const BAD_VALUES = [
  ['engagement_score', "'nan'::DOUBLE", 'engagement_score not finite'],
  ['engagement_score', "'inf'::DOUBLE", 'engagement_score not finite'],
  ['engagement_score', "'-inf'::DOUBLE", 'engagement_score not finite'],
  ['engagement_score', '1.0000001', 'engagement_score out of range'],
  ['engagement_score', '1e308', 'engagement_score out of range'],
  ['lifetime_value', "'-inf'::DOUBLE", 'lifetime_value not finite'],
  ['days_since_last_purchase', '-1', 'days_since_last_purchase impossible date'],
  ['days_since_last_purchase', '9e15', 'days_since_last_purchase impossible date'],
  ['subscription_tier', "repeat('x', 1048576)", 'subscription_tier longer than 4096 characters'],
  ['subscription_tier', "'premium' || chr(0)", 'subscription_tier NUL character'],
] as const;

/** A row that every filter keeps, but for what is replaced. */
const rowWith = (column: string, sql: string, id = "'B' || uuid()") =>
  `SELECT * REPLACE (${column === 'customer_id' ? '' : `${id} AS customer_id, `}${sql} AS ${column}) FROM customers WHERE customer_id = 'C0300'`;

const HOSTILE = [
  'SELECT * FROM customers',
  ...ODD_IDS.map((id) => rowWith('customer_id', literal(id))),
  ...NO_IDS.map(([sql]) => rowWith('customer_id', sql)),
  ...BAD_VALUES.map(([column, sql]) => rowWith(column, sql)),
  // Odd, and good.
  rowWith('lifetime_value', '1.7976931348623157e308', "'largest'"),
  rowWith('lifetime_value', '12345678901234567', "'long'"),
  rowWith('engagement_score', '-0.0', "'minus zero'"),
  rowWith('engagement_score', '5e-324', "'least'"),
].join('\nUNION ALL BY NAME ');

/** A CSV file cannot tell an empty text from a missing one, nor hold a NUL. */
const isForCsv = (sql: string) => !sql.includes('chr(0)');

async function writeSource(format: 'parquet' | 'csv' | 'duckdb'): Promise<string> {
  const path = shop.path(`hostile.${format}`);
  const select = HOSTILE.split('\nUNION ALL BY NAME ')
    .filter((sql) => format !== 'csv' || isForCsv(sql))
    .join('\nUNION ALL BY NAME ');
  await using engine = await openEngine({ threads: 2, memoryMb: 1024, scratchFolder: shop.folder });
  await engine.run(`CREATE TABLE customers AS SELECT * FROM read_parquet(${literal(shop.path('customers.parquet'))})`);
  const noted = `SELECT *, CASE WHEN customer_id BETWEEN 'C0300' AND 'C0307' THEN repeat('é', 524288) END AS notes FROM (${select})`;
  if (format === 'parquet') await engine.run(`COPY (${noted}) TO ${literal(path)} (FORMAT parquet)`);
  if (format === 'csv') await engine.run(`COPY (${select}) TO ${literal(path)} (FORMAT csv, HEADER)`);
  if (format === 'duckdb') {
    await engine.run(`ATTACH ${literal(path)} AS file; CREATE TABLE file.customers AS ${select}; DETACH file`);
  }
  return path;
}

const allowing = (share: number) => (spec: ProgramSpec) => {
  spec['quality'] = { maxRejectedShare: share };
  spec['dataConnectors'][0].config.table = 'customers';
};

async function inPostgres<Row extends object>(sql: string): Promise<Row[]> {
  return (await postgres.database.pool.query<Row>(sql)).rows;
}

async function inParquet<Row extends object>(file: string, select: string): Promise<Row[]> {
  await using engine = await openEngine({ threads: 1, memoryMb: 1024, scratchFolder: shop.folder });
  return await engine.rows<Row>(`SELECT ${select} FROM read_parquet(${literal(file)})`);
}

describe.each(['parquet', 'csv', 'duckdb'] as const)('rows that nobody would invent, in %s', (format) => {
  let data: string;
  let report: Report;
  let artifacts: string;
  const run = async (share: number) => {
    const program = await shop.program((spec) => {
      allowing(share)(spec);
      spec['programId'] = format;
    }, `${format}.yaml`);
    return holdfast([
      'run',
      program,
      '--now',
      NOW,
      '--output',
      'json',
      '--data',
      data,
      '--source',
      `shop=${await source}`,
    ]);
  };
  let source: Promise<string>;
  beforeAll(async () => {
    data = shop.path(`state-${format}`);
    source = writeSource(format);
    const { status, stdout, stderr } = await run(1);
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    report = JSON.parse(stdout) as Report;
    artifacts = join(data, 'artifacts', 'default', format, report.run);
  });

  test('are handed on, or rejected with a reason: each once', async () => {
    const extract = report.stages[0]!;
    const rejects = await inParquet<{ reasons: string[] }>(join(artifacts, 'extract/1/rejects.parquet'), 'reasons');
    expect(extract.rowsIn).toBe(extract.rowsOut + rejects.length);
    expect(rejects.filter(({ reasons }) => reasons.length === 0)).toEqual([]);
    const expected = [
      ...NO_IDS.map(([sql, reason]) => [sql, reason]),
      ...BAD_VALUES.map(([, sql, reason]) => [sql, reason]),
    ]
      .filter(([sql]) => format !== 'csv' || isForCsv(sql!))
      .map(([, reason]) => String(reason));
    expect(rejects.flatMap(({ reasons }) => reasons).sort()).toEqual(expected.sort());
  });

  test('are stored byte for byte as the decisions have them', async () => {
    // As bytes: DuckDB's driver drops a byte order mark from the texts that it hands over.
    const rest = 'marketplace, subscription_tier, lifetime_value, risk_score, risk_level, churn_signals, arm';
    const stored = await inPostgres<Record<string, unknown>>(
      `SELECT upper(encode(convert_to(customer_id, 'UTF8'), 'hex')) AS id, ${rest} FROM holdfast.candidates WHERE program = '${format}'`,
    );
    const decided = await inParquet<object>(
      join(artifacts, 'offer/1/decisions.parquet'),
      `hex(encode(customer_id)) AS id, ${rest}`,
    );
    expect(stored).toHaveLength(report.stages.at(-1)!.rowsOut);
    const asText = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(asText(stored)).toEqual(asText(decided));
    const ids = new Set(stored.map(({ id }) => id));
    expect(ODD_IDS.filter((id) => !ids.has(Buffer.from(customerId(id)).toString('hex').toUpperCase()))).toEqual([]);
  });

  test('are explained without a character that a terminal would act on', async () => {
    for (const id of ODD_IDS.filter((odd) => /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]|^-/.test(odd)).slice(
      0,
      MOST_EXPLAINED,
    )) {
      const explained = await holdfast(['explain', '--data', data, format, '--', id]);
      expect([id, explained.status]).toEqual([id, 0]);
      expect(explained.stdout + explained.stderr).not.toMatch(UNPRINTABLE);
      expect(explained.stdout).toMatch(/^outcome +candidate/m);
      // On one line, whatever it is.
      expect(explained.stdout).toMatch(/^.+  \w+  as of /);
      const asJson = await holdfast(['explain', '--data', data, '--output', 'json', format, '--', id]);
      expect(asJson.stdout).not.toMatch(UNPRINTABLE);
      expect(JSON.parse(asJson.stdout)).toMatchObject({ customer: customerId(id) });
    }
  });

  test('over the threshold change nothing that was published', async () => {
    const before = await inPostgres(`SELECT * FROM holdfast.current_batches WHERE program = '${format}'`);
    const { status, stdout } = await run(0.01);
    expect(status).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'HF_REJECTS_OVER_THRESHOLD' } });
    expect(await inPostgres(`SELECT * FROM holdfast.current_batches WHERE program = '${format}'`)).toEqual(before);
  });
});

test('an id that a shell would act on is quoted in what to do next', async () => {
  const only = (id: string) => async () => {
    await shop.customers(
      `SELECT * REPLACE (CASE WHEN customer_id = 'C0300' THEN ${literal(id)} ELSE customer_id END AS customer_id) FROM customers WHERE customer_id <= 'C0300'`,
    );
    const program = await shop.program((spec) => (spec['programId'] = `named-${id.length}`));
    return (await holdfast(['run', program, '--now', NOW])).stdout;
  };
  expect(await only("it's; touch owned")()).toMatch(/^next +holdfast explain named-17 'it'\\''s; touch owned' --data/m);
  expect(await only('\u001b[2J\u009b')()).not.toMatch(/[\u001b\u009b]/);
  await shop.customers();
});

describe('bytes that are no text', () => {
  test('in a CSV file are refused with the line, and none of the row', async () => {
    const file = shop.path('latin1.csv');
    const header = 'customer_id,lifetime_value\n';
    await writeFile(
      file,
      Buffer.concat([Buffer.from(`${header}a,1\n`), Buffer.from([0x4d, 0xfc, 0x6c, 0x6c, 0xff]), Buffer.from(',2\n')]),
    );
    await expectRefused(file, /latin1\.csv/);
  });

  test('in a Parquet file are refused with its name', async () => {
    const file = shop.path('invalid.parquet');
    {
      await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder });
      await engine.run(`COPY (SELECT * REPLACE ('invalid-' || customer_id AS customer_id) FROM read_parquet(${literal(shop.path('customers.parquet'))}))
        TO ${literal(file)} (FORMAT parquet, COMPRESSION uncompressed)`);
    }
    const bytes = await readFile(file);
    for (let at = bytes.indexOf('invalid-'); at >= 0; at = bytes.indexOf('invalid-', at + 1))
      bytes.set([0xff, 0xc0, 0x80], at);
    await writeFile(file, bytes);
    await expectRefused(file, /shop/);
  });

  async function expectRefused(file: string, sentence: RegExp): Promise<void> {
    const { status, stdout, stderr } = await holdfast([
      'run',
      await shop.program(allowing(1)),
      '--now',
      NOW,
      '--output',
      'json',
      '--data',
      shop.path('refused'),
      '--source',
      `shop=${file}`,
    ]);
    const code = file.endsWith('.csv') ? 'HF_SOURCE_UNSUITABLE' : 'HF_WAREHOUSE_UNREADABLE';
    expect({ status, stderr }).toEqual({ status: 78, stderr: expect.stringMatching(`(^|\n)${code}: `) });
    expect(JSON.parse(stdout)).toMatchObject({ error: { message: expect.stringMatching(sentence) } });
    expect(stderr).not.toMatch(/M.ll|invalid-/);
  }
});

/** A command each, twice. */
const MOST_EXPLAINED = 6;

/** What a terminal acts on, but for the end of a line. */
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/;

/** A value of each kind of type that a warehouse has and a candidate does not expect. */
const ODD_TYPES = [
  '[1, 2]',
  '[]',
  "{'a': 1}",
  "MAP {'a': 1}",
  "'\\xFF\\x00'::BLOB",
  "'101'::BIT",
  "DATE '2026-01-01'",
  "TIMESTAMPTZ '2026-01-01 00:00:00+00'",
  "TIME '10:00'",
  'INTERVAL 1 DAY',
  'uuid()',
  '170141183460469231731687303715884105727::HUGEINT',
  "'1.5'::DECIMAL(38, 10)",
  "'-0'",
  "' 0.5 '",
  "'1e400'",
  "'0x10'",
  "'NaN'",
  "'yes'",
  '2',
  'NULL',
  "'inf'::FLOAT",
  'true',
  "'a'::ENUM('a', 'b')",
  '[1, 2]::INTEGER[2]',
  'union_value(num := 2)',
  "repeat('x', 1048576)",
  'chr(0)',
];

const COLUMNS = [
  'customer_id',
  'marketplace',
  'account_status',
  'verified',
  'engagement_change',
  'login_frequency',
  'days_since_last_purchase',
  'lifetime_value',
  'subscription_tier',
  'engagement_score',
  'support_tickets',
  'discount_sensitivity',
  'feature_usage',
  'opted_out',
];

const REFUSALS = /^HF_(EXTRACT_EMPTY|COLUMN_MISSING|SCORE_OUT_OF_RANGE|QUERY_REFUSED|WAREHOUSE_UNREADABLE)$/;

test.each(Array.from({ length: 6 }, (_, index) => index + 1))(
  'columns of types that nobody expects (seed %d) end in a batch or in a clear refusal',
  async (seed) => {
    const random = seeded(seed);
    const replaced = new Map(
      Array.from({ length: random.between(1, 3) }, () => [random.pick(COLUMNS), random.pick(ODD_TYPES)]),
    );
    const list = [...replaced].map(([column, sql]) => `${sql} AS ${column}`).join(', ');
    const { status, stdout, stderr } = await holdfast([
      'run',
      await shop.program((spec) => {
        allowing(1)(spec);
        spec['dataConnectors'][0].config.query =
          `SELECT * REPLACE (${list}), ${random.pick(ODD_TYPES)} AS extra FROM customers`;
      }),
      '--dry-run',
      '--now',
      NOW,
      '--output',
      'json',
      '--data',
      shop.path('nowhere'),
    ]);
    const report = JSON.parse(stdout) as Report;
    if (status !== 0) expect([list, report.error?.code]).toEqual([list, expect.stringMatching(REFUSALS)]);
    const extract = report.stages[0];
    if (extract !== undefined) expect(extract.rowsIn).toBe(extract.rowsOut + extract.counts['rejected']);
    expect(stderr).not.toMatch(/\n {4}at /);
  },
);
