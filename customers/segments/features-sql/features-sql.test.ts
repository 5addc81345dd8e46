import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Engine, literal, openEngine } from '../../../base/duckdb/engine.ts';
import { refusal } from '../../../base/duckdb/select.ts';
import { openPostgres, type TestPostgres } from '../../../test/support/postgres.ts';
import {
  byHand,
  firstDay,
  type History,
  type Row,
  randomHistory,
  rounded,
  type SnapshotParameters,
  type Transaction,
} from '../../../test/support/segment-histories.ts';
import { FEATURES, type FeatureSource } from '../features.ts';
import { PROXY_CHURN } from '../proxy-churn.ts';
import { featuresSql } from './build.ts';
import { dayCountsSql } from './completeness-sql.ts';
import { DUCKDB, postgresDialect, type SqlDialect } from './dialect.ts';
import { type InputQuery, missingColumns, type SegmentInputs } from './inputs.ts';
import { planFeatures } from './plan.ts';

const BERLIN: SnapshotParameters = {
  date: '2026-11-01',
  timeZone: 'Europe/Berlin',
  activeWithinDays: 365,
  proxyChurn: PROXY_CHURN,
};

let duckdb: Engine;
let postgres: TestPostgres;
beforeAll(async () => {
  [duckdb, postgres] = await Promise.all([
    openEngine({ threads: 2, memoryMb: 512, scratchFolder: '/nonexistent' }),
    openPostgres(),
  ]);
});
afterAll(async () => {
  duckdb.close();
  await postgres[Symbol.asyncDispose]();
});

const ENGINES: [name: string, dialect: SqlDialect, rows: (sql: string) => Promise<Row[]>][] = [
  ['DuckDB', DUCKDB, (sql) => duckdb.rows(sql)],
  ['Postgres', postgresDialect(true), async (sql) => (await postgres.database.pool.query(sql)).rows],
];

const instant = 'TIMESTAMP WITH TIME ZONE';
const column = (name: string, type: string) => ({ name, type });

/** Rows as one SELECT, in the SQL that both understand. */
function input(rows: readonly (readonly unknown[])[], columns: InputQuery['columns']): InputQuery {
  const value = (given: unknown) =>
    typeof given === 'string' ? literal(given) : typeof given === 'number' ? String(given) : 'NULL';
  const values = rows.map((row) => `(${row.map(value).join(', ')})`);
  const nothing = `(${columns.map(() => 'NULL').join(', ')})`;
  const names = columns.map((_, place) => `c${place}`);
  const typed = columns.map(({ name, type }, place) => `CAST(c${place} AS ${type}) AS "${name}"`);
  // The comment at the end is one that a person may leave there.
  return {
    columns,
    query: `SELECT ${typed.join(', ')} FROM (VALUES ${[...values, nothing].join(', ')}) AS t (${names.join(', ')}) WHERE c0 IS NOT NULL OR c1 IS NOT NULL -- all`,
  };
}

function inputsOf({ transactions, sessions, tickets, customers }: History): SegmentInputs {
  const hasInvoices = transactions.some(({ invoice }) => invoice !== undefined);
  const hasKinds = transactions.some(({ kind }) => kind !== undefined);
  const rows: readonly Pick<Transaction, 'customer'>[] = [
    ...transactions,
    ...(sessions ?? []),
    ...(tickets ?? []),
    ...(customers ?? []),
  ];
  const idType = rows.every(({ customer }) => customer === null || /^\d+$/.test(customer)) ? 'BIGINT' : 'VARCHAR';
  const events = (rows: History['sessions']) =>
    rows &&
    input(
      rows.map(({ customer, at }) => [customer, at]),
      [column('customer_id', idType), column('at', instant)],
    );
  return Object.fromEntries(
    Object.entries({
      transactions: input(
        transactions.map(({ customer, at, amount, invoice, kind }) => [
          customer,
          at,
          amount,
          ...(hasInvoices ? [invoice] : []),
          ...(hasKinds ? [kind] : []),
        ]),
        [
          column('customer_id', idType),
          column('at', instant),
          column('amount', 'DOUBLE PRECISION'),
          ...(hasInvoices ? [column('invoice', 'VARCHAR')] : []),
          ...(hasKinds ? [column('kind', 'VARCHAR')] : []),
        ],
      ),
      sessions: events(sessions),
      tickets: events(tickets),
      customers:
        customers &&
        input(
          customers.map(({ customer, since }) => [customer, since]),
          [column('customer_id', idType), column('since', 'DATE')],
        ),
    }).filter(([, given]) => given !== undefined),
  ) as unknown as SegmentInputs;
}

async function featuresOf(
  [, dialect, rows]: (typeof ENGINES)[number],
  history: History,
  { activeWithinDays, proxyChurn, ...snapshot }: SnapshotParameters,
  firstPurchase?: string,
): Promise<Row[]> {
  const inputs = inputsOf(history);
  const { features } = planFeatures(
    new Set(Object.keys(inputs) as FeatureSource[]),
    snapshot.date,
    firstPurchase ?? firstDay(history, snapshot),
  );
  const sql = featuresSql({ inputs, snapshot, features, activeWithinDays, proxyChurn }, dialect);
  const found = await rows(`SELECT * FROM (${sql}) AS features ORDER BY customer_id`);
  return found.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, rounded(value)])));
}

describe.each(ENGINES)('in %s', (...engine) => {
  test('features of random histories are those counted by hand', async () => {
    let customers = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const history = randomHistory(seed);
      const parameters: SnapshotParameters = {
        ...BERLIN,
        timeZone: ['Europe/Berlin', 'America/New_York', 'UTC', 'Asia/Kolkata'][seed % 4] as string,
        activeWithinDays: seed % 2 === 0 ? 365 : 60,
        proxyChurn: seed % 3 === 0 ? { inactiveDays: 90, billingCycleDays: 30 } : PROXY_CHURN,
      };
      const found = await featuresOf(engine, history, parameters, '2025-01-01');
      expect({ seed, found }).toEqual({ seed, found: byHand(history, parameters, '2025-01-01') });
      customers += found.length;
    }
    expect(customers).toBeGreaterThan(300);
  });

  const one = (transactions: Partial<Transaction>[], parameters: Partial<SnapshotParameters> = {}) =>
    featuresOf(
      engine,
      { transactions: transactions.map((row) => ({ customer: 'a', at: '2026-10-30T12:00:00Z', amount: 10, ...row })) },
      { ...BERLIN, ...parameters },
      '2020-01-01',
    );

  test.each<[string, Partial<Transaction>[], Row]>([
    [
      'one purchase 700 days ago is lapsed and churned, and has no interval',
      [{ at: '2024-12-01T12:00:00Z' }],
      { recency_days: 700, frequency_90d: 0, recency_to_interval: null, group: 'lapsed', proxy_churn: true },
    ],
    [
      'one purchase yesterday has no interval either',
      [{ at: '2026-10-31T12:00:00Z' }],
      { recency_days: 1, frequency_90d: 1, recency_to_interval: null, group: 'clustered', proxy_churn: false },
    ],
    [
      'two purchases on one day have an interval of 0, which is none',
      [{ at: '2026-10-30T08:00:00Z' }, {}],
      { frequency_90d: 2, recency_to_interval: null },
    ],
    [
      'who only ever sent back has never purchased',
      [{ amount: -5 }],
      {
        recency_days: null,
        frequency_90d: 0,
        spend_90d: 0,
        refund_rate: 1,
        group: 'never-purchased',
        proxy_churn: null,
      },
    ],
    [
      'a chargeback counts as a cancellation, whatever its sign',
      [
        { kind: 'chargeback', invoice: '1' },
        { kind: 'purchase', invoice: '2' },
        { kind: 'refund', invoice: '3' },
      ],
      { refund_rate: Number((2 / 3).toFixed(9)), spend_90d: 10 },
    ],
    [
      'a kind in other letters is the same, and one that nobody knows is no transaction',
      [{ kind: ' Purchase ' }, { kind: 'REFUND' }, { kind: 'transfer' }],
      { refund_rate: 0.5, frequency_90d: 1 },
    ],
    [
      'several rows of one invoice are one purchase, rows without a number one each',
      [{ invoice: '1' }, { invoice: '1' }, { invoice: null }, { invoice: '' }],
      { frequency_90d: 3, spend_90d: 40 },
    ],
    [
      'cents add up to what they are in any order',
      Array.from({ length: 1000 }, (_, place) => ({ amount: place % 2 === 0 ? 0.1 : 0.2 })),
      { spend_90d: 150 },
    ],
    [
      'an event at midnight of the snapshot is not seen, one a second earlier is',
      [{ at: '2026-10-31T23:00:00Z' }, { at: '2026-10-31T22:59:59Z' }],
      { recency_days: 1, frequency_90d: 1 },
    ],
    [
      'the 90th day before the snapshot counts, the 91st does not',
      [{ at: '2026-08-02T22:00:00Z' }, { at: '2026-08-02T21:59:59Z' }],
      { frequency_90d: 1 },
    ],
    [
      'an amount that is none is a purchase without money',
      [{ amount: null }, { amount: 1e300 }],
      { frequency_90d: 2, spend_90d: 0 },
    ],
    [
      'ids are one by the rule of ids',
      [{ customer: '17850.0' }, { customer: ' 17850' }],
      { customer_id: '17850', frequency_90d: 2 },
    ],
  ])('%s', async (_name, transactions, expected) => {
    expect(await one(transactions)).toEqual([expect.objectContaining(expected)]);
  });

  test('365 days ago is active, 366 lapsed; 60 days are no churn, 61 are', async () => {
    const [active, lapsed] = [await one([{ at: '2025-11-01T12:00:00Z' }]), await one([{ at: '2025-10-31T12:00:00Z' }])];
    expect([active[0]?.['group'], lapsed[0]?.['group']]).toEqual(['clustered', 'lapsed']);
    const [still, churned] = [await one([{ at: '2026-09-02T12:00:00Z' }]), await one([{ at: '2026-09-01T12:00:00Z' }])];
    expect([still[0]?.['proxy_churn'], churned[0]?.['proxy_churn']]).toEqual([false, true]);
  });

  test('nobody at all is no rows', async () => {
    expect(await featuresOf(engine, { transactions: [], sessions: [], customers: [] }, BERLIN)).toEqual([]);
  });

  test('times without a zone, and days, are of the zone of the run', async () => {
    const [, dialect, rows] = engine;
    for (const [type, at] of [
      ['TIMESTAMP', '2026-10-31 23:59:59'],
      ['DATE', '2026-10-31'],
    ] as const) {
      const transactions = input(
        [
          [7, at, 1],
          [8, at.replace('10-31', '11-01'), 1],
        ],
        [column('CUSTOMER_ID', 'INTEGER'), column('At', type), column('amount', 'NUMERIC')],
      );
      const sql = featuresSql(
        { ...BERLIN, inputs: { transactions }, snapshot: BERLIN, features: ['recency_days'] },
        dialect,
      );
      expect(await rows(sql)).toEqual([{ customer_id: '7', recency_days: 1, group: 'clustered', proxy_churn: false }]);
    }
  });
});

test('a feature is absent with a reason: no input, or under 13 months of history', () => {
  const { features, absent } = planFeatures(new Set(['transactions', 'customers']), '2011-12-01', '2010-12-01');
  expect(features).toEqual(['recency_days', 'frequency_90d', 'spend_90d', 'refund_rate', 'tenure_days']);
  expect(absent).toEqual([
    { feature: 'support_tickets_90d', reason: 'there is no input of tickets' },
    { feature: 'last_login_days', reason: 'there is no input of sessions' },
    ...['season_share', 'recency_to_interval'].map((feature) => ({
      feature,
      reason:
        'it takes 13 months of history, since 2010-11-01, and transactions begin on 2010-12-01, 365 days before the snapshot',
    })),
  ]);
  expect(planFeatures(new Set(['transactions']), '2011-12-01', '2010-11-01').features).toContain('season_share');
  expect(planFeatures(new Set(['transactions']), '2011-12-01', undefined).absent.at(-1)?.reason).toContain(
    'no transactions before the snapshot',
  );
});

test('a query without a column that it needs is named', () => {
  const transactions = { query: 'SELECT 1', columns: [column('customer_id', 'VARCHAR'), column('AT', 'DATE')] };
  expect(missingColumns('transactions', transactions)).toEqual(['amount']);
  expect(() => featuresSql({ ...BERLIN, inputs: { transactions }, snapshot: BERLIN, features: [] }, DUCKDB)).toThrow(
    'the query of transactions has no amount',
  );
});

test('a warehouse takes the SQL as it takes any query of a manifest', async () => {
  const inputs = inputsOf(randomHistory(2));
  const features = FEATURES.map(({ name }) => name);
  expect(await refusal(duckdb, featuresSql({ ...BERLIN, inputs, snapshot: BERLIN, features }, DUCKDB))).toBeUndefined();
  expect(await refusal(duckdb, dayCountsSql('transactions', inputs.transactions, BERLIN, DUCKDB))).toBeUndefined();
});
