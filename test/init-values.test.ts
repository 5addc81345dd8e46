import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import type { InitReport } from '../cli/terminal/init-report.ts';
import { MISSING_WORDS } from '../customers/columns/missing-words.ts';
import { openWarehouse } from '../providers/warehouses/index.ts';
import { holdfast, NOW } from './support/workspace.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-init-values-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

async function csv(name: string, lines: readonly string[]): Promise<string> {
  await writeFile(at(name), `${lines.join('\n')}\n`);
  return at(name);
}

const init = (file: string, ...options: string[]) =>
  holdfast(['init', file, '-o', at('program.yaml'), '--force', '--output', 'json', ...options]);

async function made(file: string, ...options: string[]): Promise<InitReport> {
  const { status, stdout, stderr } = await init(file, ...options);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as InitReport;
}

async function refused(file: string, ...options: string[]): Promise<string> {
  const { status, stdout } = await init(file, ...options);
  expect(status).toBe(78);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  expect(error.code).toBe('HF_SOURCE_UNSUITABLE');
  return error.message;
}

/** A column of what the program's query gives, by customer, from its own file or another. */
async function given(column: string, source?: string): Promise<unknown[]> {
  const { spec } = parse(await readFile(at('program.yaml'), 'utf8')) as { spec: any };
  const [connector] = spec.dataConnectors;
  const scratchFolder = await mkdtemp(join(folder, 'scratch-'));
  const signal = new AbortController().signal;
  const options = {
    baseFolder: folder,
    sampleFolder: scratchFolder,
    asOf: new Date(NOW),
    scratchFolder,
    signal,
    source,
  };
  const warehouse = await openWarehouse(connector, { ...options, resources: { threads: 1, memoryMb: 256 } });
  try {
    const file = join(scratchFolder, 'rows.parquet');
    await warehouse.extract({ query: connector.config.query }, file, { signal });
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder });
    const rows = await engine.rows<{ value: unknown }>(
      `SELECT ${column} AS value FROM read_parquet(${literal(file)}) ORDER BY customer_id`,
    );
    return rows.map(({ value }) => value);
  } finally {
    await warehouse.close();
  }
}

/** Runs the program over another file, without writing anything. */
async function run(source: string): Promise<{ code: string | undefined; message: string; rows: number }> {
  const { stdout } = await holdfast([
    'run',
    at('program.yaml'),
    ...['--source', `customers=${source}`, '--now', NOW, '--dry-run', '--output', 'json', '--data', at('state')],
  ]);
  const { error, stages } = JSON.parse(stdout);
  return { code: error?.code, message: error?.message ?? '', rows: stages[0]?.rowsOut ?? 0 };
}

const id = (index: number) => `C${String(index).padStart(4, '0')}`;
const day = (index: number) => new Date(Date.UTC(2026, 9, 31) - index * 86_400_000);

type Writing = (year: string, month: string, day: string) => string;

/** A file of customers who were last seen 0, 1, 2 … days before the last day of October 2026. */
const seen = (name: string, write: Writing, days: readonly Date[]) =>
  csv(name, [
    'customer_id;last_login',
    ...days.map((one, index) => {
      const [year = '', month = '', date = ''] = one.toISOString().slice(0, 10).split('-');
      return `${id(index)};${write(year, month, date)}`;
    }),
  ]);

const HUNDRED = Array.from({ length: 100 }, (_, index) => day(index));
/** The first of each month, so that every figure can be a month. */
const FIRSTS = Array.from({ length: 100 }, (_, index) => new Date(Date.UTC(2026, 9 - (index % 10), 1)));

test.each(['bonus_date', 'membership_expire', 'policy_init'])(
  'eight figures in the column %s of a CSV file are days, as they are in Parquet',
  async (column) => {
    const rows = Array.from({ length: 400 }, (_, index) => [
      index,
      (index * 7) % 90,
      `2026${String((index % 12) + 1).padStart(2, '0')}${String((index % 28) + 1).padStart(2, '0')}`,
      index % 4 === 0 ? 'Yes' : 'No',
    ]);
    const lines = [`customer_id,last_login_days,${column},churned`, ...rows.map((row) => row.join())];
    await made(await csv('customers.csv', lines));
    expect(await readFile(at('program.yaml'), 'utf8')).toContain(`AS "days_since_${column}"`);
  },
);

describe('days', () => {
  test.each<[string, Writing, RegExp | undefined]>([
    ['2026-10-15', (y, m, d) => `${y}-${m}-${d}`, undefined],
    ['2026/10/15 08:00', (y, m, d) => `${y}/${m}/${d} 08:00`, undefined],
    ['2026-10-15T08:00:00Z', (y, m, d) => `${y}-${m}-${d}T08:00:00Z`, undefined],
    ['15/10/2026', (y, m, d) => `${d}/${m}/${y}`, /like 31\/12\/2026: \d+ values begin with a figure above 12/],
    ['15.10.2026', (y, m, d) => `${d}.${m}.${y}`, /like 31\.12\.2026/],
    ['15-10-2026 08:00', (y, m, d) => `${d}-${m}-${y} 08:00`, /like 31-12-2026/],
    ['10/15/2026', (y, m, d) => `${m}/${d}/${y}`, /like 12\/31\/2026: \d+ values have a figure above 12 in the middle/],
    ['10/1/2026 8:00 AM', (y, m, d) => `${m}/${Number(d)}/${y} 8:00 AM`, /like 12\/31\/2026/],
    ['15/10/26', (y, m, d) => `${d}/${m}/${y.slice(2)}`, /like 31\/12\/26: .* 31 different ones come first, 1 last/],
    ['15.10.26 08:00', (y, m, d) => `${d}.${m}.${y.slice(2)} 08:00`, /like 31\.12\.26/],
    ['10/15/26 08:00', (y, m, d) => `${m}/${d}/${y.slice(2)} 08:00`, /like 12\/31\/26/],
    ['26/10/15', (y, m, d) => `${y.slice(2)}/${m}/${d}`, /like 26\/12\/31/],
  ])('written like %s are read so, and it is said why', async (_, write, note) => {
    const { mappings } = await made(await seen('a.csv', write, HUNDRED));
    const found = mappings.find(({ column }) => column === 'days_since_last_login');
    expect(found?.confidence).toBe(0.95);
    if (note === undefined) expect(found?.reason).toBe('named like the day of the last login');
    else expect(found?.reason).toMatch(note);
    expect((await given('days_since_last_login')).map(Number)).toEqual(HUNDRED.map((_day, index) => index));
  });

  test.each<[string, Writing, string, string | undefined]>([
    ['01/10/2026', (y, m, d) => `${d}/${m}/${y}`, 'dmy', 'mdy'],
    ['01-10-2026', (y, m, d) => `${d}-${m}-${y}`, 'dmy', 'mdy'],
    ['10/01/2026', (y, m, d) => `${m}/${d}/${y}`, 'mdy', 'dmy'],
    ['01.10.26', (y, m, d) => `${d}.${m}.${y.slice(2)}`, 'dmy', 'mdy'],
    ['26/10/01', (y, m, d) => `${y.slice(2)}/${m}/${d}`, 'ymd', undefined],
  ])('that could be read in several orders, like %s, are asked for', async (_, write, right, wrong) => {
    const file = await seen('a.csv', write, FIRSTS);
    const question = await refused(file);
    expect(question).toMatch(/cannot be told in which order last_login is written/);
    expect(question).toMatch(/--dates/);
    await made(file, '--dates', right);
    const days = (await given('days_since_last_login')).map(Number);
    expect([Math.max(...days), new Set(days).size]).toEqual([273, 10]);
    if (wrong === undefined) return;
    await made(file, '--dates', wrong);
    expect(Math.max(...(await given('days_since_last_login')).map(Number))).not.toBe(273);
  });

  test.each<[string, (day: Date) => string, RegExp]>([
    [
      '45321, as Excel counts them',
      (one) => String(25_569 + one.getTime() / 86_400_000),
      /days as Excel counts them, of which 45321 is 2024-01-30/,
    ],
    ['45321,75, with the time of day', (one) => `${25_569 + one.getTime() / 86_400_000},75`, /as Excel counts them/],
    [
      '1700000000, seconds of Unix',
      (one) => String(one.getTime() / 1000 + 3600),
      /seconds since 1970, of which 1700000000 is 2023-11-14/,
    ],
    ['1700000000000, milliseconds', (one) => String(one.getTime() + 3600), /milliseconds since 1970/],
  ])("written like %s are days by the column's name, and it is said", async (_, write, note) => {
    const file = (name: string, of: (day: Date) => string) =>
      csv(name, ['customer_id;last_login', ...HUNDRED.map((one, index) => `${id(index)};${of(one)}`)]);
    const { mappings } = await made(await file('a.csv', write));
    expect(mappings.find(({ column }) => column === 'days_since_last_login')?.reason).toMatch(note);
    expect((await given('days_since_last_login')).map(Number)).toEqual(HUNDRED.map((_day, index) => index));
    const next = await run(await file('b.csv', (one) => one.toISOString().slice(0, 10)));
    expect(next.message).toMatch(/last_login no day written like \d+ 100/);
  });

  test('in a column of amounts are amounts', async () => {
    const rows = HUNDRED.map((_day, index) => `${id(index)},${index},${45_000 + index}`);
    await made(await csv('a.csv', ['customer_id,recency,lifetime_value', ...rows]));
    expect((await given('lifetime_value')).map(Number)).toEqual(HUNDRED.map((_day, index) => 45_000 + index));
  });

  test('of the beginning of time stand for a login that never was', async () => {
    await made(await csv('customers.csv', ['customer_id,last_login', 'A,2026-05-31', 'B,1970-01-01', 'C,2026-05-30']));
    expect(await given('days_since_last_login')).toEqual(['0', null, '1']);
  });
  test.each(['31/12/2026', '12-31-2026', '20261231'])('written like %s are given to the model', async (like) => {
    const written = (date: Date) => {
      const [year = '', month = '', day = ''] = date.toISOString().slice(0, 10).split('-');
      return like.replace('2026', year).replace('12', month).replace('31', day);
    };
    const rows = Array.from({ length: 200 }, (_, index) => {
      const last = new Date(Date.UTC(2026, 4, 31 - (index % 97)));
      return `K${index},${written(last)},${index % 7},${Number((index * 7) % 10 < (index % 97 > 60 ? 7 : 3))}`;
    });
    const { model } = await made(await csv('customers.csv', ['customer_id,last_login,orders,churned', ...rows]));
    expect(model.features).toContain('days_since_last_login');
  });
  test('the question shows both readings by their figures', async () => {
    const file = await seen('a.csv', (y, m, d) => `${m}/${d}/${y}`, FIRSTS);
    expect(await refused(file)).toMatch(
      /day first \(31\/12\/2026\) half of its days are [45] or more before the newest; read month first \(12\/31\/2026\) half of its days are 1[0-9]{2} or more/,
    );
  });

  test('with points and a year of four figures are assumed to be day first, at half the confidence', async () => {
    const { mappings } = await made(await seen('a.csv', (y, m, d) => `${d}.${m}.${y}`, FIRSTS));
    const found = mappings.find(({ column }) => column === 'days_since_last_login');
    expect(found).toMatchObject({ confidence: 0.47, reason: expect.stringMatching(/assumed.*--dates mdy/) });
  });

  test('another column of the file tells, and what only a model would be given is left out where none does', async () => {
    const firsts = (y: string, m: string, d: string) => `${m}/${d}/${y}`;
    const lines = (renewal: string) => [
      'customer_id,last_login,renewal_day,spend,recency',
      ...FIRSTS.map((one, index) => {
        const [y = '', m = '', d = ''] = one.toISOString().slice(0, 10).split('-');
        return `${id(index)},${firsts(y, m, d)},${renewal},${index},${index}`;
      }),
    ];
    const { mappings } = await made(await csv('a.csv', lines('12/30/2026')));
    expect(mappings.find(({ column }) => column === 'days_since_last_login')).toMatchObject({
      confidence: 0.85,
      reason: expect.stringMatching(/like 12\/31\/2026, as renewal_day is/),
    });
    const other = await csv(
      'b.csv',
      lines('11/12/2026').map((line) => line.replace('last_login', 'some_day')),
    );
    expect((await made(other)).notFeatures.join('\n')).toMatch(/some_day.*: in which order its days are written/);
  });

  test('of which some can only be the other order than the one given are refused', async () => {
    const file = await seen('a.csv', (y, m, d) => `${d}/${m}/${y}`, HUNDRED);
    expect(await refused(file, '--dates', 'mdy')).toMatch(
      /--dates mdy: last_login is written day first, since \d+ values begin with a figure above 12/,
    );
  });

  test('of a later file are read as those of the first, whatever it looks like alone', async () => {
    await made(await seen('a.csv', (y, m, d) => `${m}/${d}/${y}`, HUNDRED));
    const next = await seen('b.csv', (y, m, d) => `${m}/${d}/${y}`, FIRSTS);
    expect(Math.max(...(await given('days_since_last_login', next)).map(Number))).toBe(273);
    expect(await run(next)).toMatchObject({ code: undefined, rows: 100 });
  });

  test.each<[string, Writing, readonly Date[], RegExp]>([
    [
      'the other order',
      (y, m, d) => `${d}/${m}/${y}`,
      HUNDRED,
      /days of this file written day first rather than month first 100, last_login no day written like 12\/31\/2026 \d+\)/,
    ],
    [
      'the other order, as two days in a hundred show',
      (y, m, d) => `${d}/${m}/${y}`,
      [...FIRSTS, new Date(Date.UTC(2026, 9, 20)), new Date(Date.UTC(2026, 8, 20))],
      /written day first rather than month first 102/,
    ],
    ['another way', (y, m, d) => `${y}-${m}-${d}`, HUNDRED, /last_login no day written like 12\/31\/2026 100/],
    ['two figures for the year', (y, m, d) => `${m}/${d}/${y.slice(2)}`, HUNDRED, /no day written like .* 100/],
  ])('of a later file in %s are refused', async (_, write, days, message) => {
    await made(await seen('a.csv', (y, m, d) => `${m}/${d}/${y}`, HUNDRED));
    const next = await run(await seen('b.csv', write, days));
    expect(next).toMatchObject({ code: 'HF_REJECTS_OVER_THRESHOLD', message: expect.stringMatching(message) });
  });

  test('of a later file that have not come yet in the order of the first, and have in the other, are refused', async () => {
    const monthFirst: Writing = (y, m, d) => `${m}/${d}/${y}`;
    await made(await seen('a.csv', monthFirst, HUNDRED));
    const program = await readFile(at('program.yaml'), 'utf8');
    await writeFile(at('program.yaml'), program.replaceAll('current_date', "DATE '2026-02-12'"));
    // Every figure can be a month: 5 February is 2 May in the other order.
    const february = (count: number) =>
      Array.from({ length: count }, (_, index) => new Date(Date.UTC(2026, 1, 1 + (index % 12))));
    expect(await run(await seen('b.csv', monthFirst, february(100)))).toMatchObject({ code: undefined, rows: 100 });
    expect(await run(await seen('c.csv', (y, m, d) => `${d}/${m}/${y}`, february(100)))).toMatchObject({
      code: 'HF_REJECTS_OVER_THRESHOLD',
      message: expect.stringMatching(/days of this file written day first rather than month first 100/),
    });
    // Two days that are wrong show no order, and neither does tomorrow.
    const wrong = [new Date(Date.UTC(2026, 11, 1)), new Date(Date.UTC(2026, 10, 1))];
    const some = [...february(1).flatMap((one) => Array<Date>(98).fill(one)), ...wrong];
    expect(await run(await seen('d.csv', monthFirst, some))).toMatchObject({ code: undefined, rows: 100 });
  });

  test('as text in Parquet are asked for and checked like those of a CSV file', async () => {
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
    const write = async (name: string, format: string, step: string) => {
      await engine.run(`COPY (SELECT 'C' || i AS customer_id, strftime(DATE '2026-10-01' - ${step}, '${format}') AS last_login
        FROM range(100) AS numbers (i)) TO ${literal(at(name))} (FORMAT parquet)`);
      return at(name);
    };
    const months = 'to_months(CAST(i % 10 AS INTEGER))';
    expect(await refused(await write('a.parquet', '%d/%m/%Y', months))).toMatch(/--dates dmy or --dates mdy/);
    await made(await write('b.parquet', '%d/%m/%Y', 'CAST(i AS INTEGER)'));
    const other = await run(await write('c.parquet', '%m/%d/%Y', 'CAST(i AS INTEGER)'));
    expect(other).toMatchObject({
      code: 'HF_REJECTS_OVER_THRESHOLD',
      message: expect.stringMatching(/month first rather than day first 100/),
    });
  });
});

/** A file of amounts, by customer, beside a column of decimals that shows the mark of the file. */
const amounts = (name: string, values: readonly string[], beside?: string) =>
  csv(name, [
    `customer_id;recency;lifetime_value${beside === undefined ? '' : ';fee'}`,
    ...values.map(
      (value, index) => `${id(index)};${index % 90};${value}${beside === undefined ? '' : `;${index}${beside}`}`,
    ),
  ]);

const many = (...values: string[]) => Array.from({ length: 60 }, (_, index) => values[index % values.length] ?? '');

describe('numbers', () => {
  test.each<[string, string[], string | undefined, string[], number[]]>([
    ['178.100 beside decimal commas', ['178.100', '44.250'], ',10', [], [178_100, 44_250]],
    ['178.100 beside decimal points', ['178.100', '44.250'], '.10', [], [178.1, 44.25]],
    ['178.100 among 0.250', ['178.100', '0.250'], undefined, [], [178.1, 0.25]],
    ['178.100 among 1.234.567', ['178.100', '1.234.567'], undefined, [], [178_100, 1_234_567]],
    ['178.100 where a person says so', ['178.100', '44.250'], undefined, ['--decimal', 'comma'], [178_100, 44_250]],
    ['178.100 where a person says otherwise', ['178.100'], undefined, ['--decimal', 'point'], [178.1, 178.1]],
    ['178,100 beside decimal points', ['178,100', '44,250'], '.10', [], [178_100, 44_250]],
    ['178,100 beside decimal commas', ['178,100', '44,250'], ',10', [], [178.1, 44.25]],
    ['1.234,50', ['1.234,50', '-7'], undefined, [], [1234.5, -7]],
    ['1,234.50', ['1,234.50', '7'], undefined, [], [1234.5, 7]],
    ["1'234.50 and 1'234", ["1'234.50", "1'234"], undefined, [], [1234.5, 1234]],
    ['1 234,5, with a blank that does not break', ['1\u00a0234,5', '1\u202f234,5'], undefined, [], [1234.5, 1234.5]],
    ['(123.00) and 123.00-', ['(123.00)', '5.00-'], undefined, [], [-123, -5]],
    ['EUR 12,50 and 1.000,00 €', ['EUR 12,50', 'EUR 1.000,00'], undefined, [], [12.5, 1000]],
    ['$1,234.50 and -$2', ['$1,234.50', '-$2'], undefined, [], [1234.5, -2]],
    ['12.50 USD', ['12.50 USD', '1,000 USD'], undefined, [], [12.5, 1000]],
    ['="123"', ['="123"', '="4.5"'], undefined, [], [123, 4.5]],
    ['1,50,000, as in India', ['1,50,000', '12.5'], undefined, [], [150_000, 12.5]],
    ['whole numbers', ['950', '1200'], ',5', [], [950, 1200]],
  ])('written like %s are read so', async (_, values, beside, options, expected) => {
    await made(await amounts('a.csv', many(...values), beside), ...options);
    expect((await given('lifetime_value')).slice(0, 2).map(Number)).toEqual(
      values.length === 1 ? [expected[0], expected[0]] : expected,
    );
  });

  test('like 178.100, where nothing says whether that is a decimal point, are asked for', async () => {
    expect(await refused(await amounts('a.csv', many('178.100', '44.250', '950')))).toMatch(
      /cannot be told what the points in lifetime_value mean.*--decimal comma.*--decimal point/,
    );
  });

  test.each([
    ['€ 12,50', '€ 13,00', /; in €, as 60 values say/],
    ['12.50 $', '13', /; in \$, as 30 of 60 values say/],
    ['1\u00a0234,56\u00a0€', '7,00\u00a0€', /; in €, as 60 values say/],
  ])('like %s are of one currency, which is said', async (one, other, note) => {
    const { mappings } = await made(await amounts('a.csv', many(one, other)));
    expect(mappings.find(({ column }) => column === 'lifetime_value')?.reason).toMatch(note);
  });

  /** The currency that a program gives each customer, with amounts like these, in these countries. */
  async function currencyGiven(amount: string, countries: readonly string[]): Promise<unknown> {
    const rows = Array.from({ length: 60 }, (_, index) => [
      id(index),
      amount,
      index,
      countries[index % countries.length],
    ]);
    const header = 'customer_id;lifetime_value;days_since_last_login';
    const lines = rows.map(
      ([one, worth, idle, country]) => `${one};${worth};${idle}${country === undefined ? '' : `;${country}`}`,
    );
    const { mappings } = await made(
      await csv('a.csv', [countries.length === 0 ? header : `${header};country`, ...lines]),
    );
    const isMapped = mappings.some(({ column }) => column === 'currency');
    return isMapped ? [...new Set(await given('currency'))].join() : undefined;
  }

  test.each<[string, readonly string[], string | undefined]>([
    ['1,50 €', [], 'EUR'],
    ['£1.50', [], 'GBP'],
    ['1.50 SEK', [], 'SEK'],
    ['US$ 1.50', [], 'USD'],
    ['$1.50', [], undefined],
    ['$1.50', ['US'], 'USD'],
    ['$1.50', ['CA'], 'CAD'],
    ['$1.50', ['US', 'CA'], undefined],
    ['$1.50', ['US', 'DE'], undefined],
    ['¥150.5', ['JP'], 'JPY'],
    ['¥150.5', ['DE'], undefined],
    ['1.50', ['DE'], undefined],
  ])('like %s of customers in %j are in %s', async (amount, countries, currency) => {
    expect(await currencyGiven(amount, countries)).toBe(currency);
  });

  test('in several currencies are refused, with the rows of each', async () => {
    expect(await refused(await amounts('a.csv', many('€ 12', '13 USD', '14 EUR')))).toMatch(
      /lifetime_value has amounts in several currencies \(EUR or € in 40 rows, USD in 20 of those looked at\): write all of them in one/,
    );
  });

  test('of a later file in another currency are named, not read as if they were in the first', async () => {
    await made(await amounts('a.csv', many('€ 44,10', '€ 1.250,00')));
    expect(await run(await amounts('b.csv', many('44,10 EUR', '1250,00')))).toMatchObject({ code: undefined });
    expect(await run(await amounts('c.csv', many('$ 44,10', '$ 1.250,00')))).toMatchObject({
      code: 'HF_REJECTS_OVER_THRESHOLD',
      message: expect.stringMatching(/\(lifetime_value no number written like €1\.234,5 60\)/),
    });
  });

  test('with a percent sign here and there are asked for, and a later file without one is refused', async () => {
    const usage = (name: string, ...values: string[]) =>
      csv(name, ['id,feature_usage,recency', ...many(...values).map((value, i) => `${i},${value},${i}`)]);
    expect(await refused(await usage('a.csv', '12 %', '0.13'))).toMatch(
      /feature_usage has a percent sign in 30 of 60 values looked at/,
    );
    await made(await usage('b.csv', '12 %', '13 %'));
    expect((await run(await usage('c.csv', '0.12', '0.13'))).message).toMatch(
      /feature_usage no number written like 12\.5% 60/,
    );
  });

  test('with a percent sign are hundredths, however small', async () => {
    await made(
      await csv('a.csv', [
        'id,feature_usage,recency',
        ...many('0.5 %', '0.25 %').map((value, i) => `${i},${value},${i}`),
      ]),
    );
    expect((await given('feature_usage')).slice(0, 2).map(Number)).toEqual([0.005, 0.0025]);
  });

  test('of a later file with another decimal mark are named, not read a hundredfold', async () => {
    await made(await amounts('a.csv', many('44,10', '1.250,00')));
    const next = await run(await amounts('b.csv', many('44.10', '1250.00')));
    expect(next).toMatchObject({
      code: 'HF_REJECTS_OVER_THRESHOLD',
      message: expect.stringMatching(/\(lifetime_value no number written like 1\.234,5 60\)/),
    });
  });

  test.each([
    ['1 to 12, taken for months', 12, 0.45, 365.25],
    ['1 to 90, taken for days', 90, 0.9, 90],
  ])('of a recency of %s, are said to be', async (_, most, confidence, days) => {
    const rows = Array.from({ length: 180 }, (_row, index) => `${id(index)},${(index % most) + 1}`);
    const { mappings } = await made(await csv('a.csv', ['customer_id,recency', ...rows]));
    expect(mappings.find(({ column }) => column === 'days_since_last_purchase')).toMatchObject({
      confidence,
      reason: expect.stringMatching(/no unit in the name/),
    });
    expect(Math.max(...(await given('days_since_last_purchase')).map(Number))).toBeCloseTo(days);
  });

  test('many columns of them still fit into a query', async () => {
    const names = Array.from({ length: 90 }, (_, index) => `Durchschnittlicher Umsatz ${index}`);
    await made(
      await csv('a.csv', [
        ['Kundennummer', 'recency', ...names, 'churn'].join(';'),
        ...Array.from({ length: 300 }, (_, row) =>
          [
            row,
            row % 90,
            ...names.map((_name, index) => `1.${100 + ((row * (index + 7)) % 899)},5`),
            row % 3 === 0 ? 1 : 0,
          ].join(';'),
        ),
      ]),
    );
  });
});

describe('what stands for a missing value', () => {
  const lines = (value: (index: number) => string, label: (index: number) => string) => [
    'customer_id,recency,lifetime_value,churned',
    ...Array.from({ length: 300 }, (_, index) => `${id(index)},${(index * 7) % 100},${value(index)},${label(index)}`),
  ];
  const churned = (index: number) => (((index * 7) % 100) + ((index * 7919) % 97) > 120 ? 'Yes' : 'No');

  test('is missing among numbers, whichever word it is', async () => {
    const words = MISSING_WORDS.filter((word) => !word.includes('"'));
    const value = (index: number) => (index < words.length ? (words[index] ?? '').toUpperCase() : `${index}.5`);
    const { mappings } = await made(await csv('a.csv', lines(value, churned)));
    expect(mappings.find(({ column }) => column === 'lifetime_value')?.reason).toBe('named like a lifetime value');
    const values = await given('lifetime_value');
    expect(values.filter((one) => one === null)).toHaveLength(
      words.filter((_, index) => churned(index) === 'No').length,
    );
  });

  test.each(['\\N', 'NaN', 'NA', 'None', '#N/A', ''])('is a missing label in all ways of calling: %s', async (word) => {
    const file = await csv(
      'a.csv',
      lines(String, (index) => (index % 10 === 0 ? word : churned(index))),
    );
    for (const options of [[], ['--label', 'churned'], ['--label', 'churned=Yes']]) {
      const { model, label } = await made(file, ...options);
      expect(label?.source).toBe('churned');
      const { training } = JSON.parse(await readFile(at('a-retention-risk.json'), 'utf8'));
      expect(training.rows + (model.figures['holdoutRows'] ?? 0)).toBe(270);
    }
  });

  test('in a later file is missing too, where the first had no gap', async () => {
    await made(await csv('a.csv', lines(String, churned)));
    const next = await csv(
      'b.csv',
      lines((index) => (index % 10 === 0 ? 'NA' : String(index)), churned),
    );
    expect(await run(next)).toMatchObject({ code: undefined });
    const values = await given('lifetime_value', next);
    expect(values.filter((one) => one === null).length).toBeGreaterThan(10);
  });

  test('is said of each column, with its rows, and doubted where it may be a value of its own', async () => {
    const plan = (index: number) => ['None', 'Basic', 'n/a'][index % 3] ?? '';
    const rows = lines(plan, churned).map((line) => line.replace(/,lifetime_value,/, ',plan,'));
    const { takenAsMissing, warnings } = await made(await csv('a.csv', rows));
    expect(takenAsMissing).toEqual([{ source: 'plan', words: { 'n/a': 100, None: 100 } }]);
    expect(warnings.join('\n')).toMatch(/plan says None in 100 of 300 rows looked at, which counts as missing/);
    expect(warnings.join('\n')).not.toMatch(/plan says n\/a/);
    const { stdout } = await holdfast(['init', at('a.csv'), '-o', at('text.yaml'), '--force']);
    expect(stdout).toMatch(/taken as missing\n {2}plan +None 100, n\/a 100\n/);
  });

  test('is counted of the rows looked at, and a report of a large file says how many that are', async () => {
    const rows = Array.from(
      { length: 25_000 },
      (_, index) => `C${index},${index % 50 === 0 ? 'n/a' : index % 97},${index % 90}`,
    );
    const file = await csv('large.csv', ['customer_id,lifetime_value,days_since_last_login', ...rows]);
    const { stdout } = await holdfast(['init', file, '-o', at('large.yaml')]);
    const [, looked = ''] = /^25,000 rows, of which ([\d,]+) looked at for what the columns hold$/m.exec(stdout) ?? [];
    expect(Number(looked.replace(',', ''))).toBeLessThan(20_000);
    expect(stdout).toMatch(
      new RegExp(`^taken as missing, of ${looked} rows looked at\n  lifetime_value +n/a \\d+$`, 'm'),
    );
    expect(
      (await holdfast(['init', await csv('small.csv', lines(String, churned)), '-o', at('small.yaml')])).stdout,
    ).toMatch(/^300 rows\n/);
  });

  test('leaves a row without a customer', async () => {
    const rows = lines(String, churned).map((line, index) =>
      index % 100 === 50 ? line.replace(/^[^,]+/, '\\N') : line,
    );
    await made(await csv('a.csv', rows));
    expect(await given('customer_id')).toContain(null);
    expect(await given('customer_id')).not.toContain('\\N');
  });

  test('is not what a word means that is none: its rows are named with their count', async () => {
    await made(await csv('a.csv', lines(String, churned)));
    const next = await run(
      await csv(
        'b.csv',
        lines((index) => (index % 10 === 0 ? 'call us' : '5'), churned),
      ),
    );
    expect(next).toMatchObject({
      code: 'HF_REJECTS_OVER_THRESHOLD',
      message: expect.stringMatching(/\(lifetime_value no number written like 1234\.5 \d+\)/),
    });
    const labels = await run(
      await csv(
        'c.csv',
        lines(String, (index) => (index % 2 === 0 ? 'gone' : 'No')),
      ),
    );
    expect(labels.message).toMatch(/churned neither No nor Yes 150/);
  });
});

describe('a text that the model was trained on', () => {
  const lines = (geography: (index: number) => string) => [
    'customer_id,recency,geography,churned',
    ...Array.from({ length: 300 }, (_, index) => {
      const recency = (index * 7) % 100;
      return `${id(index)},${recency},${geography(index)},${recency + ((index * 7919) % 97) > 120 ? 'Yes' : 'No'}`;
    }),
  ];
  const next = async (geography: (index: number) => string) => {
    const source = `customers=${await csv('next.csv', lines(geography))}`;
    const options = ['--now', NOW, '--dry-run', '--output', 'json', '--data', at('state')];
    const { stdout } = await holdfast(['run', at('program.yaml'), '--source', source, ...options]);
    const { warnings } = JSON.parse(stdout) as { warnings: { message: string }[] };
    return warnings.map(({ message }) => message).filter((message) => message.includes('missing'));
  };
  const zone = (index: number) => ['north', 'south', 'west'][index % 3] ?? '';

  test.each<[string, (index: number) => string, (index: number) => string]>([
    ['blank throughout next week', zone, () => ''],
    ['blank next week, with gaps before', (index) => (index % 10 === 0 ? '' : zone(index)), () => ''],
    ['in other words next week', zone, (index) => zone(index).toUpperCase()],
  ])('is told when it is %s', async (_, first, later) => {
    await made(await csv('a.csv', lines(first)));
    expect(await next(first)).toEqual([]);
    expect(await next(later)).toEqual([
      expect.stringMatching(
        /^geography_\w+, geography_\w+.*, which the model a-retention-risk reads, are missing in (\d+) of \1 rows\.$/,
      ),
    ]);
  });
});
