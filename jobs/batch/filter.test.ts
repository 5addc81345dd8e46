import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openEngine } from '../../base/duckdb/engine.ts';
import { parquetColumns, writeParquet } from '../../base/duckdb/parquet.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { Database } from '../../database/client/database.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { type Batch, openBatch } from '../../test/support/batch.ts';
import type { BatchContext } from './batch-stage.ts';
import { type CopyDecisions, filter, filterCandidates } from './filter.ts';

let batch: Batch;
beforeEach(async () => {
  batch = await openBatch();
});
afterEach(async () => {
  await batch[Symbol.asyncDispose]();
});

/** The chain of the first use case, out of order on purpose. */
const CHAIN: RetentionProgramSpec['filterChain'] = [
  { filterId: 'frequency-cap', type: 'business-rule', order: 5, parameters: { maxOffersPerQuarter: 1 } },
  { filterId: 'trust', type: 'trust', order: 1 },
  {
    filterId: 'customer-value',
    type: 'business-rule',
    order: 3,
    parameters: { minLifetimeValue: 500, minSubscriptionTier: 'premium' },
  },
  { filterId: 'eligibility', type: 'eligibility', order: 4 },
  {
    filterId: 'churn-signal',
    type: 'business-rule',
    order: 2,
    parameters: {
      minEngagementDecline: 0.3,
      maxLoginFrequencyRatio: 0.5,
      minDaysSinceLastPurchase: 60,
      minSignalsRequired: 2,
    },
  },
];

const CAP = { filterId: 'cap', type: 'business-rule', order: 1 } as const;

/** A customer who passes everything. */
const GOOD = {
  marketplace: 'US',
  account_status: 'active',
  verified: true,
  subscription_tier: 'premium',
  engagement_change: -0.4,
  login_frequency: 1,
  historical_avg: 4,
  days_since_last_purchase: 75,
  lifetime_value: 900,
  opted_out: false,
};
type Customer = Partial<{ [Column in keyof typeof GOOD]: (typeof GOOD)[Column] | null }>;

const sqlValue = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value));
const values = (rows: readonly (readonly unknown[])[]) =>
  rows.map((row) => `(${row.map(sqlValue).join(', ')})`).join(', ');

async function candidates(
  customers: Record<string, Customer>,
  offers: readonly [string, string, string][] = [],
): Promise<Record<string, ArtifactReference>> {
  const rows = Object.entries(customers).map(([customer, change]) =>
    Object.values({ customer_id: customer, ...GOOD, ...change }),
  );
  const columns = ['customer_id', ...Object.keys(GOOD)].join(', ');
  return await extracted(
    `SELECT * FROM (VALUES ${values(rows)}) AS t(${columns}) ORDER BY customer_id`,
    `SELECT customer_id, program_id, offered_at::TIMESTAMP AS offered_at
     FROM (VALUES ${values([['nobody', 'none', '2026-11-01'], ...offers])}) AS t(customer_id, program_id, offered_at)`,
  );
}

async function extracted(candidateRows: string, offerRows: string): Promise<Record<string, ArtifactReference>> {
  const { artifacts, identity, scratchFolder } = batch.context({});
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder });
  const draft = await artifacts.draft({ ...identity, stage: 'extract' });
  const parts = [];
  for (const [path, select] of [
    ['candidates.parquet', candidateRows],
    ['offers.parquet', offerRows],
  ] as const) {
    const file = join(draft.folder, path);
    parts.push({ path, rows: await writeParquet(engine, select, file), schema: await parquetColumns(engine, file) });
  }
  return { extract: await draft.commit({ rows: parts[0]?.rows ?? 0, parts, counts: {} }) };
}

async function run(
  customers: Record<string, Customer>,
  program: Partial<RetentionProgramSpec> = {},
  offers: readonly [string, string, string][] = [],
  change: Partial<BatchContext> = {},
) {
  const inputs = await candidates(customers, offers);
  const result = await filter(batch.context({ filterChain: CHAIN, ...program }, { inputs, ...change }));
  const names = async (file: string, select: string) => await batch.rows(result.artifact, file, select);
  return {
    result,
    kept: (await names('kept.parquet', 'customer_id')).map((row) => row['customer_id']),
    removed: Object.fromEntries(
      (await names('removed.parquet', 'customer_id, filter_id')).map((row) => [row['customer_id'], row['filter_id']]),
    ),
  };
}

test('each customer is removed by the first filter of the order that fails, and every filter is counted', async () => {
  const { result, kept, removed } = await run({
    C9: {},
    C1: { verified: false, lifetime_value: 1 },
    C2: { engagement_change: 0, login_frequency: 4, opted_out: true },
    C3: { subscription_tier: 'basic' },
    C4: { opted_out: true },
    C5: { marketplace: 'JP' },
    C6: { lifetime_value: null },
    C0: {},
  });
  expect(kept).toEqual(['C0', 'C9']);
  expect(removed).toEqual({
    C1: 'trust',
    C2: 'churn-signal',
    C3: 'customer-value',
    C4: 'eligibility',
    C5: 'eligibility',
    C6: 'customer-value',
  });
  expect(result).toMatchObject({ rowsIn: 8, rowsOut: 2 });
  expect(Object.entries(result.counts['removed'] ?? {})).toEqual([
    ['trust', 1],
    ['churn-signal', 1],
    ['customer-value', 2],
    ['eligibility', 2],
    ['frequency-cap', 0],
  ]);
  expect(result.artifact?.manifest).toMatchObject({
    rows: 2,
    counts: result.counts,
    parts: [{ rows: 2 }, { rows: 6 }],
  });
});

test.each<[string, [string, string], 'kept' | 'eligibility' | 'frequency-cap']>([
  ['an offer of this program 89 days ago is too recent', ['churn-prevention', '2026-08-26 02:00'], 'eligibility'],
  ['an offer of this program 90 days ago to the second is not', ['churn-prevention', '2026-08-25 02:00'], 'kept'],
  ['an offer of another program a month ago uses up the cap', ['win-back', '2026-10-23 02:00'], 'frequency-cap'],
  ['an offer of another program four months ago does not', ['win-back', '2026-07-23 02:00'], 'kept'],
  ['an offer at the slot itself or later is not history', ['churn-prevention', '2026-11-23 02:00'], 'kept'],
  ['an offer older than what is read is forgotten', ['churn-prevention', '2026-01-01 02:00'], 'kept'],
])('%s', async (_, [program, at], expected) => {
  const { kept, removed } = await run({ C1: {}, C2: {} }, {}, [['C1', program, at]]);
  expect(removed['C1'] ?? 'kept').toBe(expected);
  expect(kept).toContain('C2');
});

test.each([
  ['Berlin has entered the quarter when UTC has not', 'Europe/Berlin', 'cap'],
  ['UTC is still in the quarter before', 'UTC', 'kept'],
])('a calendar quarter is that of the zone: %s', async (_, timeZone, expected) => {
  const parameters = { maxOffersPerQuarter: 1, quarter: 'calendar' };
  const { removed } = await run({ C1: {} }, { timeZone, filterChain: [{ ...CAP, parameters }] }, [
    ['C1', 'win-back', '2026-09-30 22:30'],
  ]);
  expect(removed['C1'] ?? 'kept').toBe(expected);
});

test("Holdfast's own decisions count as offers, and one that the warehouse knows too counts once", async () => {
  const asked: unknown[] = [];
  const copyDecisions: CopyDecisions = async (_, query, file) => {
    asked.push(query);
    await writeFile(
      file,
      [
        'customer_id,program_id,offered_at',
        '"C1","churn-prevention",2026-10-26 02:00:00.000',
        '"C2","win-back",2026-11-16 02:00:00.000',
        '"C2","win-back",2026-09-14 02:00:00.000',
        '"a,""b","win-back",2026-11-16 02:00:00.000',
        // As an earlier version kept them, each in another spelling.
        '" C4","win-back",2026-11-16 02:00:00.000',
        '"C4","win-back",2026-11-16 02:00:00.000',
        '"17850.0","win-back",2026-11-16 02:00:00.000',
      ].join('\n'),
    );
    return 7;
  };
  const inputs = await candidates({ C1: {}, C2: {}, C3: {}, C4: {}, 'a,"b': {}, 17850: {} }, [
    ['C1', 'churn-prevention', '2026-10-26 09:00'],
  ]);
  const filterChain = [{ ...CAP, parameters: { maxOffersPerQuarter: 3 } }];
  const context = batch.context({ filterChain }, { inputs, database: {} as Database });
  const { artifact } = await filterCandidates(context, copyDecisions, async () => undefined);
  expect(asked).toEqual([
    {
      namespace: 'default',
      program: 'churn-prevention',
      since: new Date('2026-05-23T02:00Z'),
      slot: new Date('2026-11-23T02:00Z'),
    },
  ]);
  const history =
    'customer_id, days_since_program_offer AS days, offers_rolling_quarter AS rolling, offers_calendar_quarter AS calendar';
  expect(await batch.rows(artifact, 'kept.parquet', history)).toEqual([
    { customer_id: '17850', days: null, rolling: 1, calendar: 1 },
    { customer_id: 'C1', days: 27, rolling: 1, calendar: 1 },
    { customer_id: 'C2', days: null, rolling: 2, calendar: 1 },
    { customer_id: 'C3', days: null, rolling: 0, calendar: 0 },
    { customer_id: 'C4', days: null, rolling: 1, calendar: 1 },
    { customer_id: 'a,"b', days: null, rolling: 1, calendar: 1 },
  ]);
});

test('past offers are looked up of those alone who pass the filters before one that asks about them', async () => {
  const offer: [string, string, string] = ['', 'churn-prevention', '2026-11-01 02:00'];
  const unasked = { days: null, rolling: null };
  const offers = ['C1', 'C2', 'C3'].map((customer): typeof offer => [customer, offer[1], offer[2]]);
  const { result } = await run({ C1: { verified: false }, C2: {}, C3: { marketplace: 'JP' }, C4: {} }, {}, offers);
  const columns = 'customer_id, filter_id, days_since_program_offer AS days, offers_rolling_quarter AS rolling';
  expect(await batch.rows(result.artifact, 'removed.parquet', columns)).toEqual([
    { customer_id: 'C1', filter_id: 'trust', ...unasked },
    { customer_id: 'C2', filter_id: 'eligibility', days: 22, rolling: 1 },
    { customer_id: 'C3', filter_id: 'eligibility', days: 22, rolling: 1 },
  ]);
});

test('an expression filters by any column, also one that only this program knows', async () => {
  const inputs = await extracted(
    `SELECT 'C' || range AS customer_id, range::BIGINT AS visits, 'x' AS "days_since_program_offer" FROM range(5)`,
    `SELECT '' AS customer_id, '' AS program_id, TIMESTAMP '2026-01-01' AS offered_at WHERE FALSE`,
  );
  const expression = {
    filterId: 'visits',
    type: 'expression',
    order: 1,
    parameters: { expression: 'visits >= 3 && !has(days_since_program_offer)' },
  } as const;
  const { artifact, counts } = await filter(batch.context({ filterChain: [expression] }, { inputs }));
  expect(counts).toEqual({ removed: { visits: 3 } });
  expect(await batch.rows(artifact, 'kept.parquet', 'customer_id, visits, days_since_program_offer')).toEqual([
    { customer_id: 'C3', visits: '3', days_since_program_offer: null },
    { customer_id: 'C4', visits: '4', days_since_program_offer: null },
  ]);
});

test('without filters everyone is kept', async () => {
  const { kept, result } = await run({ C1: { verified: false } }, { filterChain: [] });
  expect(kept).toEqual(['C1']);
  expect(result.counts).toEqual({ removed: {} });
});

test('the same candidates make the same bytes, whatever the run is called and however many threads there are', async () => {
  const inputs = await extracted(
    `SELECT 'C' || hash(range) AS customer_id, range % 7 > 2 AS verified, 'active' AS account_status, random() AS noise
     FROM (SELECT setseed(0.5)), range(20000) ORDER BY customer_id`,
    `SELECT 'C' || hash(range) AS customer_id, 'p' || range % 3 AS program_id, TIMESTAMP '2026-11-01' AS offered_at FROM range(5000)`,
  );
  const context = batch.context({ filterChain: [{ filterId: 'trust', type: 'trust', order: 1 }] }, { inputs });
  const first = await filter({ ...context, resources: { threads: 1, memoryMb: 512 } });
  const second = await filter({ ...context, identity: { ...context.identity, run: 'run-2', sequence: 2 } });
  expect(first.rowsOut).toBeGreaterThan(1000);
  expect(second.artifact?.digest).toBe(first.artifact?.digest);
});

test.each<[string, RetentionProgramSpec['filterChain'][number], string, string]>([
  [
    'a missing column names itself and the filter',
    { filterId: 'mine', type: 'expression', order: 1, parameters: { expression: 'lifetime_valu > 5' } },
    'HF_COLUMN_MISSING',
    'column lifetime_valu is missing, filter mine needs it (did you mean lifetime_value?)',
  ],
  [
    'a comparison of text with a number names both',
    { filterId: 'mine', type: 'expression', order: 1, parameters: { expression: 'marketplace > 5' } },
    'HF_EXPRESSION_INVALID',
    'filter mine: column marketplace is text, 5 is number',
  ],
  [
    'parameters of two rules name both',
    { ...CAP, parameters: { maxOffersPerQuarter: 1, minLifetimeValue: 1 } },
    'HF_MANIFEST_INVALID',
    'filter cap: minLifetimeValue belongs to',
  ],
])('%s, and nothing is written', async (_, broken, code, message) => {
  const inputs = await candidates({ C1: {} });
  const context = batch.context({ filterChain: [broken] }, { inputs });
  const failure = filter(context);
  await expect(failure).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  await expect(context.artifacts.open({ ...context.identity, stage: 'filter' })).rejects.toMatchObject({
    code: 'HF_ARTIFACT_CORRUPT',
  });
});

test('an interrupted stage leaves nothing, and runs whole the next time', async () => {
  const inputs = await candidates({ C1: {} });
  const controller = new AbortController();
  const context = batch.context({ filterChain: CHAIN }, { inputs });
  const interrupted = filter({ ...context, signal: controller.signal, progress: () => controller.abort() });
  await expect(interrupted).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  await expect(context.artifacts.open({ ...context.identity, stage: 'filter' })).rejects.toMatchObject({
    code: 'HF_ARTIFACT_CORRUPT',
  });
  expect((await filter(context)).rowsOut).toBe(1);
});
