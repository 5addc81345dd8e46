import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Engine, literal, openEngine } from '../../base/duckdb/engine.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { customerId, customerIdInDuckdb, customerIdInPostgres, POSTGRES_KNOWS_UNICODE } from './customer-id.ts';
import { MISSING_WORDS } from './missing-words.ts';

let engine: Engine;
let postgres: TestPostgres;
beforeAll(async () => {
  engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: '/nonexistent' });
  postgres = await openPostgres();
});
afterAll(async () => {
  engine.close();
  await postgres[Symbol.asyncDispose]();
});

const code = String.fromCodePoint;

describe('an id as a text', () => {
  const rows: [string, given: string, id: string][] = [
    ['is what it is', 'A1', 'A1'],
    ['keeps its case, its leading zeros and its sign', 'a-007', 'a-007'],
    ['loses blanks at its end', 'A1 ', 'A1'],
    ['loses blanks at its beginning', ' A1', 'A1'],
    ['loses a no-break space', `A1${code(0xa0)}`, 'A1'],
    ['loses an ideographic space', `${code(0x3000)}A1`, 'A1'],
    ['loses a line break', 'A1\r\n', 'A1'],
    ['keeps a blank within, as a plain one', `A${code(0xa0)}1`, 'A 1'],
    ['loses a byte order mark', `${code(0xfeff)}A1`, 'A1'],
    ['loses a zero-width space within', `A${code(0x200b)}1`, 'A1'],
    ['loses a filler of Hangul, and a selector of a variant', `A${code(0x3164)}${code(0xe0100)}${code(0x115f)}1`, 'A1'],
    ['loses a soft hyphen', `A${code(0xad)}1`, 'A1'],
    ['loses what turns the direction', `${code(0x202e)}A1${code(0x202c)}`, 'A1'],
    ['loses control characters', `A${code(1)}1${code(0x7f)}${code(0x9f)}`, 'A1'],
    ['loses a tag', `A1${code(0xe0041)}`, 'A1'],
    ['is composed', `Jose${code(0x301)}`, 'José'],
    ['is composed across what nobody sees', `Jose${code(0x200b)}${code(0x301)}`, 'José'],
    ['keeps a letter that only looks alike', 'Α1', 'Α1'],
    ['that became a decimal is whole again', '17850.0', '17850'],
    ['of an exact decimal is whole again', '17850.00', '17850'],
    ['that became a decimal, with blanks, is whole again', ' 17850.0', '17850'],
    ['of zero is zero', '0.0', '0'],
    ['below zero is whole again', '-5.0', '-5'],
    ['with leading zeros is no number', '007.0', '007.0'],
    ['that is no whole number stays', '1.50', '1.50'],
    ['of a version stays', '1.0.0', '1.0.0'],
  ];
  test.each(rows)('%s, in JavaScript, DuckDB and Postgres alike', async (_name, given, id) => {
    expect(customerId(given)).toBe(id);
    expect(customerId(id)).toBe(id);
    expect(await inDuckdb(literal(given), 'VARCHAR')).toEqual({ id, reasons: [] });
    expect(await inPostgres(literal(given), 'other')).toBe(id);
  });

  test.each(['', ' ', code(0x200b), '\\N', 'NA', 'n/a', 'None', 'NULL', 'nan', ' - ', 'Unknown', '#N/A', '<NA>'])(
    '%j is a missing one',
    async (given) => {
      expect(customerId(given)).toBe('');
      expect(await inDuckdb(literal(given), 'VARCHAR')).toEqual({ id: null, reasons: ['customer_id missing'] });
    },
  );
});

describe('an id that needs only one look', () => {
  const isSettled = async (text: string) => {
    const [row] = await engine.rows<{ settled: boolean }>(
      `SELECT ${customerIdInDuckdb('id', 'VARCHAR').settled} AS settled FROM (SELECT ${literal(text)} AS id)`,
    );
    return row?.settled;
  };

  test.each(['C0000001', 'C0000001-1', '9b2d', '6e0f7c3a-88c1-4f0e-9f5e-4d2a1b3c5d6e', 'cus_9s6XKz', 'gid://shop/7'])(
    '%j',
    async (text) => {
      expect(await isSettled(text)).toBe(true);
    },
  );

  const others = [...MISSING_WORDS, 'Infinity', '-Infinity', '0', '-1', '7.0', 'A1.0', '1e+16', '1E+5', 'A1 ', 'é1'];
  test.each(others)('is not %j, of which the rule is asked', async (text) => {
    expect(await isSettled(text)).toBe(false);
    expect(await isSettled(text.toUpperCase())).toBe(false);
  });
});

describe('an id that is a number', () => {
  const rows: [type: string, given: string, id: string | null, ...reasons: string[]][] = [
    ['BIGINT', '9223372036854775807', '9223372036854775807'],
    ['DOUBLE', '17850', '17850'],
    ['DOUBLE', '1e15', '1000000000000000'],
    ['DOUBLE', '9007199254740991', '9007199254740991'],
    ['DOUBLE', '9007199254740994', null, 'customer_id not exact'],
    ['DOUBLE', '1e16', null, 'customer_id not exact'],
    ['DOUBLE', `'nan'`, null, 'customer_id missing'],
    ['DOUBLE', 'NULL', null, 'customer_id missing'],
    ['DOUBLE', `'-inf'`, null, 'customer_id not finite'],
    ['DOUBLE', '1.5', '1.5'],
    ['DOUBLE', `'-0.0'`, '0'],
    ['FLOAT', '16777215', '16777215'],
    ['FLOAT', '16777216', null, 'customer_id not exact'],
    ['DECIMAL(12,2)', '17850.00', '17850'],
    ['DECIMAL(38,2)', '123456789012345678.00', '123456789012345678'],
    ['VARCHAR', `'1e+16'`, null, 'customer_id not exact'],
    ['VARCHAR', `'9007199254740994.0'`, null, 'customer_id not exact'],
    ['VARCHAR', `'Infinity'`, null, 'customer_id not finite'],
  ];
  test.each(rows.map((row) => ({ row })))('$row', async ({ row: [type, given, id, ...reasons] }) => {
    expect(await inDuckdb(`CAST(${given} AS ${type})`, type)).toEqual({ id, reasons });
  });

  test.each([
    ['bigint', '9223372036854775807', 'integer', '9223372036854775807'],
    ['float8', '17850', 'double', '17850'],
    ['float8', '1e15', 'double', '1000000000000000'],
    ['float4', '10000000', 'double', '10000000'],
    ['numeric(12,2)', '17850', 'other', '17850'],
  ] as const)('is the same in Postgres: %s %s', async (type, given, kind, id) => {
    expect(await inPostgres(`CAST(${given} AS ${type})`, kind)).toBe(id);
  });
});

test('a server that knows no Unicode still leaves out what nobody sees', async () => {
  expect(await inPostgres(`E' \\x01A1\\t'`, 'other', false)).toBe('A1');
});

async function inDuckdb(given: string, type: string): Promise<{ id: string | null; reasons: string[] }> {
  const { id, faults } = customerIdInDuckdb('given', type);
  const reasons = faults.map(([when, reason]) => `CASE WHEN ${when} THEN ${literal(reason)} END`);
  const [row] = await engine.rows<{ id: string | null; reasons: (string | null)[] }>(
    `SELECT ${id} AS id, [${reasons.join(', ')}] AS reasons FROM (SELECT ${given} AS given)`,
  );
  return { id: row?.id ?? null, reasons: (row?.reasons ?? []).filter((reason) => reason !== null) };
}

async function inPostgres(given: string, kind: 'integer' | 'double' | 'other', unicode?: boolean): Promise<string> {
  const { pool } = postgres.database;
  const { rows: known } = await pool.query(`SELECT ${POSTGRES_KNOWS_UNICODE} AS unicode`);
  const id = customerIdInPostgres('given', kind, unicode ?? known[0].unicode);
  return (await pool.query(`SELECT ${id} AS id FROM (SELECT ${given} AS given) AS ids`)).rows[0].id;
}
