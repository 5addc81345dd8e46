import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

let shop: Workspace;
beforeAll(async () => {
  shop = await workspace();
});
afterAll(async () => await shop[Symbol.asyncDispose]());

/** Reads a column of each type in a way that needs it. */
const QUERY = `SELECT customer_id, marketplace, account_status, verified, engagement_change, login_frequency, historical_avg,
    days_since_last_purchase, lifetime_value * 1.0 AS lifetime_value, subscription_tier, engagement_score, support_tickets,
    discount_sensitivity, feature_usage, opted_out
  FROM members WHERE last_seen >= TIMESTAMP '2020-01-01' AND code <> 'x'`;

interface Case {
  readonly status: number;
  readonly says: RegExp;
}
const was = (column: string, is: string, before: string) =>
  new RegExp(
    `^HF_WAREHOUSE_UNREADABLE: Connector shop: .*; since keep-20261123t020000z-1 ${column} of members is ${is} and was ${before}: make it what it was, or cast it in the query\\.$`,
    'm',
  );
const NOTHING: Case = { status: 0, says: /^(?![\s\S]*is .* and was)/ };

describe('a query of Postgres after', () => {
  let postgres: TestPostgres;
  let program: string;
  let environment: Record<string, string>;
  const sql = (text: string) => postgres.database.pool.query(`SET search_path = crm; ${text}; RESET search_path`);
  const again = () => shop.holdfast(['run', program, '--dry-run', '--now', NOW], { environment });
  const makeTable = () =>
    sql(`DROP SCHEMA IF EXISTS crm CASCADE; CREATE SCHEMA crm; GRANT USAGE ON SCHEMA crm TO any_reader;
      CREATE TABLE members AS SELECT 'C' || to_char(n, 'FM0000') AS customer_id, 'US' AS marketplace, 'active' AS account_status,
        n >= 10 AS verified, -0.5::float8 AS engagement_change, 1.0::float8 AS login_frequency, 4.0::float8 AS historical_avg,
        30 AS days_since_last_purchase, 900::numeric(10, 2) AS lifetime_value, 'premium' AS subscription_tier,
        0.5::float8 AS engagement_score, 2.0::float8 AS support_tickets, 0.5::float8 AS discount_sensitivity,
        0.5::float8 AS feature_usage, false AS opted_out, timestamp '2026-11-01 10:00' AS last_seen, '7'::text AS code,
        1 AS unread FROM generate_series(0, 40) AS n;
      GRANT SELECT ON members TO any_reader`);
  beforeAll(async () => {
    postgres = await openPostgres();
    environment = { HOLDFAST_CONNECTION_SHOP: await postgres.reader() };
    await sql('ALTER ROLE any_reader SET search_path = crm');
    program = await shop.program((spec) => {
      spec['dataConnectors'] = [{ connectorId: 'shop', type: 'postgres', config: { query: QUERY } }];
    });
    await makeTable();
    const first = await shop.holdfast(['run', program, '--now', NOW], { environment });
    expect(first).toMatchObject({ status: 0, stderr: expect.stringMatching(NOTHING.says) });
  });
  afterAll(async () => {
    await postgres[Symbol.asyncDispose]();
    await rm(shop.data, { recursive: true, force: true });
  });

  const alter = (column: string, type: string) =>
    `ALTER TABLE members ALTER ${column} TYPE ${type} USING ${column}::${type}`;
  const CASES: Record<string, Case & { readonly change: string }> = {
    nothing: { change: 'SELECT', ...NOTHING },
    'a time that became a text': {
      change: alter('last_seen', 'text'),
      status: 78,
      says: was('last_seen', 'text', 'timestamp without time zone'),
    },
    'an amount that became a text': {
      change: alter('lifetime_value', 'text'),
      status: 78,
      says: was('lifetime_value', 'text', 'numeric\\(10,2\\)'),
    },
    'a text that became a number': {
      change: alter('code', 'integer'),
      status: 78,
      says: was('code', 'integer', 'text'),
    },
    'a time that became a day, which the query reads all the same': {
      change: alter('last_seen', 'date'),
      status: 0,
      says: /^warning: Connector shop: since keep-\S+ last_seen of members is date and was timestamp without time zone: does the query still read/m,
    },
    'a view in place of the table, with a text for the time': {
      change: `ALTER TABLE members RENAME TO kept; ALTER TABLE kept RENAME last_seen TO seen;
        CREATE VIEW members AS SELECT *, seen::text AS last_seen FROM kept;
        GRANT SELECT ON members TO any_reader`,
      status: 78,
      says: was('last_seen', 'text', 'timestamp without time zone'),
    },
    'a column that was renamed': {
      change: 'ALTER TABLE members RENAME last_seen TO last_seen_at',
      status: 78,
      says: /^HF_COLUMN_MISSING: .*a column last_seen that its source does not have \(did you mean last_seen_at\?\); the columns of members are/m,
    },
    'a table that was dropped': {
      change: 'DROP TABLE members',
      status: 78,
      says: /^HF_WAREHOUSE_UNREADABLE: Connector shop: .*relation "members" does not exist/m,
    },
    'a whole number that became a wider one': { change: alter('days_since_last_purchase', 'bigint'), ...NOTHING },
    'another type of a column that it does not read': { change: alter('unread', 'text'), ...NOTHING },
  };
  test.each(Object.entries(CASES))('%s', async (_sentence, { change, status, says }) => {
    await makeTable();
    await sql(change);
    const result = await again();
    expect(result).toMatchObject({ status, stderr: expect.stringMatching(says) });
  });

  test('a first run, of which nothing is known, says what the columns are', async () => {
    await makeTable();
    await sql(alter('last_seen', 'text'));
    const { status, stderr } = await shop.holdfast(
      ['run', program, '--dry-run', '--now', NOW, '--data', shop.path('none')],
      { environment },
    );
    expect({ status, stderr }).toEqual({
      status: 78,
      stderr: expect.stringMatching(/; of the columns that the query reads .*customer_id of members is text/),
    });
  });
});

describe('a query of a file after', () => {
  let program: string;
  const members = (change = '') =>
    shop.customers(
      `SELECT * ${change} FROM (SELECT *, TIMESTAMP '2026-11-01 10:00:00' AS last_seen, 'K7' AS code FROM customers)`,
    );
  beforeAll(async () => {
    program = await shop.program((spec) => {
      const query = QUERY.replace('members', 'customers');
      spec['dataConnectors'] = [{ connectorId: 'shop', type: 'duckdb', config: { path: 'customers.parquet', query } }];
    });
    await members();
    expect(await shop.holdfast(['run', program, '--now', NOW])).toMatchObject({ status: 0 });
  });

  const inFile = (says: RegExp) => new RegExp(says.source.replaceAll('members', 'customers'), says.flags);
  const replaced = (sql: string, column: string) => `REPLACE (${sql} AS ${column})`;
  const CASES: Record<string, Case & { readonly change: string }> = {
    nothing: { change: '', ...NOTHING },
    'a time that became a text': {
      change: replaced("'the first of May'", 'last_seen'),
      status: 78,
      says: inFile(was('last_seen', 'VARCHAR', 'TIMESTAMP')),
    },
    'an amount that became a text': {
      change: replaced("'9 hundred'", 'lifetime_value'),
      status: 78,
      says: inFile(was('lifetime_value', 'VARCHAR', 'DECIMAL\\(4,1\\)')),
    },
    'a text that became a number': {
      change: replaced('7', 'code'),
      status: 78,
      says: inFile(was('code', 'INTEGER', 'VARCHAR')),
    },
    'a time that became a day, which the query reads all the same': {
      change: replaced("DATE '2026-11-01'", 'last_seen'),
      status: 0,
      says: /^warning: Connector shop: since keep-\S+ last_seen of customers is DATE and was TIMESTAMP: does/m,
    },
    'a column that was renamed': {
      change: 'RENAME (last_seen AS last_seen_at)',
      status: 78,
      says: /^HF_COLUMN_MISSING: .*a column last_seen that its source does not have \(did you mean last_seen_at\?\)/m,
    },
    'an amount that became a list of amounts': {
      change: replaced('[900.5]', 'lifetime_value'),
      status: 78,
      says: inFile(was('lifetime_value', 'DECIMAL\\(4,1\\)\\[\\]', 'DECIMAL\\(4,1\\)')),
    },
    'an amount of another width': { change: replaced('900::DECIMAL(9, 2)', 'lifetime_value'), ...NOTHING },
  };
  test.each(Object.entries(CASES))('%s', async (_sentence, { change, status, says }) => {
    await members(change);
    const result = await shop.holdfast(['run', program, '--dry-run', '--now', NOW]);
    expect(result).toMatchObject({ status, stderr: expect.stringMatching(says) });
  });
});
