import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Engine, literal, openEngine } from '../../../base/duckdb/engine.ts';
import { openPostgres, type TestPostgres } from '../../../test/support/postgres.ts';
import type { FeatureSource } from '../features.ts';
import { PROXY_CHURN, type ProxyChurn } from '../proxy-churn.ts';
import { featuresSql } from './build.ts';
import { daysBetween, daysLater, yearBefore } from './calendar.ts';
import { DUCKDB, postgresDialect, type SqlDialect } from './dialect.ts';
import { type InputQuery, missingColumns, type SegmentInputs, type Snapshot } from './inputs.ts';
import { planFeatures } from './plan.ts';

interface Transaction {
  readonly customer: string | null;
  readonly at: string;
  readonly amount: number | null;
  readonly invoice?: string | null;
  readonly kind?: string | null;
}
interface History {
  readonly transactions: readonly Transaction[];
  readonly sessions?: readonly Pick<Transaction, 'customer' | 'at'>[];
  readonly tickets?: readonly Pick<Transaction, 'customer' | 'at'>[];
  readonly customers?: readonly { readonly customer: string | null; readonly since: string | null }[];
}
interface Parameters extends Snapshot {
  readonly activeWithinDays: number;
  readonly proxyChurn: ProxyChurn;
}
type Row = Record<string, unknown>;

const BERLIN: Parameters = {
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
  const events = (rows: History['sessions']) =>
    rows &&
    input(
      rows.map(({ customer, at }) => [customer, at]),
      [column('customer_id', 'VARCHAR'), column('at', instant)],
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
          column('customer_id', 'VARCHAR'),
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
          [column('customer_id', 'VARCHAR'), column('since', 'DATE')],
        ),
    }).filter(([, given]) => given !== undefined),
  ) as unknown as SegmentInputs;
}

async function featuresOf(
  [, dialect, rows]: (typeof ENGINES)[number],
  history: History,
  { activeWithinDays, proxyChurn, ...snapshot }: Parameters,
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

/** The same by hand: one customer after the other, one event after the other. */
function byHand(history: History, { date, timeZone, activeWithinDays, proxyChurn }: Parameters, first?: string): Row[] {
  const snapshot = { date, timeZone };
  const dayOf = localDay(timeZone);
  const { features } = planFeatures(
    new Set(Object.keys(history) as FeatureSource[]),
    date,
    first ?? firstDay(history, snapshot),
  );
  const before = <Event extends { readonly at: string }>(events: readonly Event[] = []) =>
    events.map((event) => ({ ...event, day: dayOf(event.at) })).filter(({ day }) => day < date);
  const ofAll = before(history.transactions)
    .map((event, place) => ({
      ...event,
      key: event.invoice || `row ${place}`,
      isRefund: event.kind ? event.kind !== 'purchase' : (event.amount ?? 0) < 0,
    }))
    .filter(({ kind }) => kind == null || ['purchase', 'refund', 'chargeback'].includes(kind));
  const known = (history.customers ?? []).filter(({ since }) => since === null || since < date);
  const ids = new Set([...ofAll, ...known].map(({ customer }) => customer).filter((id) => id !== null));
  return [...ids].sort().map((customer) => {
    const own = ofAll.filter((event) => event.customer === customer);
    const purchases = own.filter(({ isRefund }) => !isRefund);
    const last = latest(purchases.map(({ day }) => day));
    const recency = last === undefined ? null : daysBetween(last, date);
    const within = purchases.filter(({ day }) => daysBetween(day, date) <= 90);
    const login = latest(
      before(history.sessions)
        .filter((one) => one.customer === customer)
        .map(({ day }) => day),
    );
    const loginDays = login === undefined ? null : daysBetween(login, date);
    const since = known
      .filter((one) => one.customer === customer && one.since !== null)
      .map((one) => one.since as string);
    const ago = yearBefore(date);
    const year = purchases.filter(({ day }) => day >= daysLater(ago, -30) && day < daysLater(date, -30));
    const season = year.filter(({ day }) => Math.abs(daysBetween(day, ago) - 0.5) <= 30);
    const days = [...new Set(purchases.map(({ day, key }) => `${day} ${key}`))].map((text) => text.slice(0, 10)).sort();
    const gaps = days.slice(1).map((day, place) => daysBetween(days[place] as string, day));
    const median = medianOf(gaps);
    const values: Row = {
      recency_days: recency,
      frequency_90d: keys(within),
      spend_90d: within.reduce((sum, { amount }) => sum + (amount ?? 0), 0),
      support_tickets_90d: before(history.tickets).filter(
        (one) => one.customer === customer && daysBetween(one.day, date) <= 90,
      ).length,
      refund_rate: own.length === 0 ? 0 : keys(own.filter(({ isRefund }) => isRefund)) / keys(own),
      tenure_days: since.length === 0 ? null : daysBetween(since.sort()[0] as string, date),
      last_login_days: loginDays,
      season_share: year.length === 0 ? null : keys(season) / keys(year),
      recency_to_interval: recency === null || !median ? null : recency / median,
    };
    const active = Math.min(recency ?? 0, loginDays ?? Number.POSITIVE_INFINITY);
    const cycles =
      proxyChurn.billingCycleDays === undefined ? Number.POSITIVE_INFINITY : 2 * proxyChurn.billingCycleDays;
    return {
      customer_id: customer,
      ...Object.fromEntries(features.map((name) => [name, rounded(values[name])])),
      group: recency === null ? 'never-purchased' : recency > activeWithinDays ? 'lapsed' : 'clustered',
      proxy_churn: recency === null ? null : active > proxyChurn.inactiveDays || recency > cycles,
    };
  });
}

const rounded = (value: unknown) => (typeof value === 'number' ? Number(value.toFixed(9)) : value);
const keys = (events: readonly { readonly key: string }[]) => new Set(events.map(({ key }) => key)).size;
const latest = (days: readonly string[]) => [...days].sort().at(-1);
function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
function localDay(timeZone: string): (at: string) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  return (at) => format.format(new Date(at));
}
function firstDay({ transactions }: History, { timeZone, date }: Snapshot): string | undefined {
  return transactions
    .map(({ at }) => localDay(timeZone)(at))
    .filter((day) => day < date)
    .sort()[0];
}

/** A linear congruential generator of Numerical Recipes. */
function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Up to 500 days before and 20 after the snapshot; half of the events are near midnight or a change of the clocks. */
function randomHistory(seed: number): History {
  const draw = draws(seed);
  const customer = () => (draw(25) === 0 ? null : `C${draw(12)}`);
  const near = ['2026-10-24T22:30:00Z', '2026-10-25T00:30:00Z', '2026-10-31T22:59:59Z', '2026-10-31T23:00:00Z'];
  near.push('2026-03-29T00:59:00Z', '2026-03-28T23:30:00Z', '2025-11-01T12:00:00Z', '2026-08-02T22:30:00Z');
  near.push('2026-08-03T21:59:00Z', '2026-08-02T21:59:00Z');
  const at = () =>
    draw(3) === 0
      ? (near[draw(near.length)] as string)
      : new Date(Date.parse('2026-11-21T00:00:00Z') - draw(520 * 24) * 3_600_000).toISOString();
  const times = <Item>(count: number, one: () => Item) => Array.from({ length: count }, one);
  const hasInvoices = seed % 3 !== 0;
  const hasKinds = seed % 2 === 0;
  return {
    transactions: times(draw(90), () => ({
      customer: customer(),
      at: at(),
      amount: draw(20) === 0 ? null : (draw(20_000) - (draw(3) === 0 ? 15_000 : 0)) / 100,
      ...(hasInvoices ? { invoice: draw(9) === 0 ? null : `I${draw(30)}` } : {}),
      ...(hasKinds
        ? { kind: [null, 'purchase', 'purchase', 'refund', 'chargeback', 'transfer'][draw(6)] as string }
        : {}),
    })),
    ...(seed % 5 === 0 ? {} : { sessions: times(draw(40), () => ({ customer: customer(), at: at() })) }),
    ...(seed % 7 === 0 ? {} : { tickets: times(draw(20), () => ({ customer: customer(), at: at() })) }),
    ...(seed % 4 === 0
      ? {}
      : {
          customers: times(draw(20), () => ({
            customer: customer(),
            since: draw(6) === 0 ? null : daysLater('2026-11-05', -draw(900)),
          })),
        }),
  };
}

describe.each(ENGINES)('in %s', (...engine) => {
  test('features of random histories are those counted by hand', async () => {
    let customers = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const history = randomHistory(seed);
      const parameters: Parameters = {
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

  const one = (transactions: Partial<Transaction>[], parameters: Partial<Parameters> = {}) =>
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
