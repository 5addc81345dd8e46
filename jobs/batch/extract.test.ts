import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { literal, openEngine } from '../../base/duckdb/engine.ts';
import type { Counts } from '../../contract/counts.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { MISSING_WORDS } from '../../customers/columns/missing-words.ts';
import { type Batch, openBatch } from '../../test/support/batch.ts';
import type { BatchContext } from './batch-stage.ts';
import { extract, extractCandidates } from './extract.ts';

let batch: Batch;
beforeEach(async () => {
  batch = await openBatch();
});
afterEach(() => batch[Symbol.asyncDispose]() as Promise<void>);

const LENIENT = { maxRejectedShare: 1, minRowsVersusLastRun: 0.5 };

/** Makes a database of tables, each given by a SELECT, and a context whose one connector asks it the query. */
async function shop(
  tables: Readonly<Record<string, string>>,
  program: Partial<RetentionProgramSpec> = {},
  change: Partial<BatchContext> = {},
  query = 'SELECT * FROM customers',
): Promise<BatchContext> {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: batch.folder });
  await engine.run(`ATTACH ${literal(join(batch.folder, 'shop.duckdb'))} AS shop`);
  for (const [name, select] of Object.entries(tables)) await engine.run(`CREATE TABLE shop.${name} AS ${select}`);
  const dataConnectors = [{ connectorId: 'shop', type: 'duckdb', config: { path: 'shop.duckdb', query } }] as const;
  return batch.context({ quality: LENIENT, ...program, dataConnectors: [...dataConnectors] }, change);
}

const values = (columns: string, ...rows: string[]) => `SELECT * FROM (VALUES ${rows.join(', ')}) AS t(${columns})`;

test('the columns of a candidate get their own types, whatever types the source has', async () => {
  const customers = `SELECT 7 AS Customer_ID, '0.5' AS engagement_score, 1 AS verified, 'no' AS opted_out,
    12::DECIMAL(5, 2) AS subscription_tenure, DATE '2026-01-02' AS birthday, 'x' AS Shoe_Size`;
  const { artifact } = await extract(await shop({ customers }));
  expect(artifact?.manifest.parts[0]).toMatchObject({
    path: 'candidates.parquet',
    rows: 1,
    schema: [
      { name: 'customer_id', type: 'VARCHAR' },
      { name: 'verified', type: 'BOOLEAN' },
      { name: 'subscription_tenure', type: 'DOUBLE' },
      { name: 'engagement_score', type: 'DOUBLE' },
      { name: 'opted_out', type: 'BOOLEAN' },
      { name: 'birthday', type: 'DATE' },
      { name: 'Shoe_Size', type: 'VARCHAR' },
      { name: 'churn_signals', type: 'VARCHAR[]' },
      { name: 'segment', type: 'VARCHAR' },
      { name: 'segment_risk', type: 'DOUBLE' },
      { name: 'source', type: 'VARCHAR' },
      { name: 'extracted_at', type: 'TIMESTAMP' },
    ],
  });
  expect(await batch.rows(artifact, 'candidates.parquet')).toEqual([
    {
      customer_id: '7',
      verified: true,
      subscription_tenure: 12,
      engagement_score: 0.5,
      opted_out: false,
      birthday: '2026-01-02',
      Shoe_Size: 'x',
      churn_signals: [],
      segment: null,
      segment_risk: null,
      source: 'shop',
      extracted_at: '2026-11-23 02:00:00',
    },
  ]);
});

test('columns called like our own words ride along, and the reasons of a bad row are its own', async () => {
  const customers = `SELECT 'C' || i AS customer_id, 'late delivery' AS reasons, 'old' AS reason, i AS row, 1 AS bad,
    CASE WHEN i = 2 THEN 7 ELSE 0.5 END AS engagement_score FROM range(3) AS numbers (i)`;
  const { artifact } = await extract(await shop({ customers }));
  expect(await batch.rows(artifact, 'candidates.parquet', 'customer_id, reasons, reason, "row", bad')).toEqual([
    { customer_id: 'C0', reasons: 'late delivery', reason: 'old', row: '0', bad: 1 },
    { customer_id: 'C1', reasons: 'late delivery', reason: 'old', row: '1', bad: 1 },
  ]);
  expect(await batch.rows(artifact, 'rejects.parquet', 'customer_id, reasons')).toEqual([
    { customer_id: 'C2', reasons: ['engagement_score out of range'] },
  ]);
});

test.each([
  ['a score that is not a number', "'C1'", "'high'", ['engagement_score not a number']],
  ['NaN', "'C1'", "'NaN'::DOUBLE", ['engagement_score not finite']],
  ['an infinite score', "'C1'", "'-Infinity'::DOUBLE", ['engagement_score not finite']],
  ['a score above its scale', "'C1'", '1.5', ['engagement_score out of range']],
  ['no customer_id', 'NULL::VARCHAR', '0.5', ['customer_id missing']],
  ['a blank customer_id', "'  '", '0.5', ['customer_id missing']],
  ['a NUL character', "'C' || chr(0)", '0.5', ['customer_id NUL character']],
  ['an endless customer_id', "repeat('C', 257)", '0.5', ['customer_id longer than 256 characters']],
  ['two faults', 'NULL::VARCHAR', '-0.1', ['customer_id missing', 'engagement_score out of range']],
])('a row with %s is set apart with its reasons, and the others go on', async (_name, id, score, reasons) => {
  const customers = `SELECT ${id} AS customer_id, ${score} AS engagement_score UNION ALL SELECT 'good', ${score.startsWith("'h") ? "'1'" : '1'}`;
  const result = await extract(await shop({ customers }));
  expect(result).toMatchObject({ rowsIn: 2, rowsOut: 1 });
  expect(result.counts).toEqual({
    rejected: 1,
    reasons: Object.fromEntries(reasons.map((reason) => [reason, 1])),
    fingerprint: expect.any(Number),
  });
  expect(await batch.rows(result.artifact, 'candidates.parquet', 'customer_id')).toEqual([{ customer_id: 'good' }]);
  expect(await batch.rows(result.artifact, 'rejects.parquet', 'source, reasons')).toEqual([
    { source: 'shop', reasons },
  ]);
});

test.each([
  ['days since a time to come', 'days_since_last_login', '-1', 'days_since_last_login impossible date'],
  ['days since before the century', 'days_since_last_purchase', '40000', 'days_since_last_purchase impossible date'],
  ['a truth that is neither', 'opted_out', "'perhaps'", 'opted_out not true or false'],
  ['a truth of 2', 'opted_out', '2', 'opted_out not true or false'],
  ['a NUL character in a column of its own', 'shoe', "'4' || chr(0)", 'shoe NUL character'],
])('%s is a reason to reject', async (_name, column, value, reason) => {
  const context = await shop({ customers: `SELECT 'C1' AS customer_id, ${value} AS ${column}` }, {}, { dryRun: true });
  await expect(extract(context)).rejects.toMatchObject({ code: 'HF_EXTRACT_EMPTY' });
  const kept = await extract(await withGoodRow(context)).then(({ counts }) => counts);
  expect(kept).toEqual({ rejected: 1, reasons: { [reason]: 1 }, fingerprint: expect.any(Number) });
});

async function withGoodRow(context: BatchContext): Promise<BatchContext> {
  const [connector] = context.spec.dataConnectors;
  if (connector === undefined) throw new Error('no connector');
  const query = `${connector.config.query} UNION ALL BY NAME SELECT 'good' AS customer_id`;
  return {
    ...context,
    spec: { ...context.spec, dataConnectors: [{ ...connector, config: { ...connector.config, query } }] },
  };
}

test('a missing value is not a bad one', async () => {
  const customers =
    "SELECT 'C1' AS customer_id, NULL AS engagement_score, NULL::BOOLEAN AS verified, NULL AS marketplace";
  expect(await extract(await shop({ customers }))).toMatchObject({ rowsOut: 1, counts: { rejected: 0, reasons: {} } });
});

test('where a number or a truth is due, a text that stands for a missing value is one', async () => {
  const rows = MISSING_WORDS.map((word, index) => `('C${index}', ${literal(` ${word.toUpperCase()} `)})`);
  const customers = `SELECT id AS customer_id, word AS engagement_score, word AS opted_out FROM (VALUES ${rows.join(', ')}) AS t(id, word)`;
  const { artifact, counts } = await extract(await shop({ customers }));
  expect(counts).toEqual({ rejected: 0, reasons: {}, fingerprint: expect.any(Number) });
  expect(await batch.rows(artifact, 'candidates.parquet', 'DISTINCT engagement_score, opted_out')).toEqual([
    { engagement_score: null, opted_out: null },
  ]);
});

test('of a customer who comes several times the first good row stays, whatever the order', async () => {
  const rows = ["('C1', -1.0)", "('C1', 0.7)", "('C1', 0.6)", "('C2', 0.1)"];
  for (const [index, order] of [rows, rows.toReversed()].entries()) {
    const context = await shop(
      { [`t${index}`]: values('customer_id, engagement_score', ...order) },
      {},
      {},
      `FROM t${index}`,
    );
    const { artifact, counts } = await extract(context);
    expect(counts).toMatchObject({
      rejected: 2,
      reasons: { 'customer_id duplicate': 2, 'engagement_score out of range': 1 },
    });
    expect(await batch.rows(artifact, 'candidates.parquet', 'customer_id, engagement_score')).toEqual([
      { customer_id: 'C1', engagement_score: 0.6 },
      { customer_id: 'C2', engagement_score: 0.1 },
    ]);
  }
});

test('one customer under several spellings is one, and the others are duplicates', async () => {
  const customers = values(
    'customer_id',
    `('A1')`,
    `(' A1')`,
    `('A1 ')`,
    `('A' || chr(8203) || '1')`,
    `('Jose' || chr(769))`,
    `('José')`,
  );
  const { artifact, counts } = await extract(await shop({ customers }));
  expect(counts).toMatchObject({ rejected: 4, reasons: { 'customer_id duplicate': 4 } });
  expect(await batch.rows(artifact, 'candidates.parquet', 'customer_id')).toEqual([
    { customer_id: 'A1' },
    { customer_id: 'José' },
  ]);
});

test('rows that share an id of zero or minus one have none, and a single customer may be the zeroth', async () => {
  const customers = values('customer_id', '(0)', '(1)', '(-1)', '(-1)', '(-1)');
  const { artifact, counts } = await extract(await shop({ customers }));
  expect(counts).toMatchObject({ rejected: 3, reasons: { 'customer_id missing': 3 } });
  expect(await batch.rows(artifact, 'candidates.parquet', 'customer_id')).toEqual([
    { customer_id: '0' },
    { customer_id: '1' },
  ]);
});

test.each([
  ['whole numbers', 'BIGINT'],
  ['exact decimals', 'DECIMAL(12, 2)'],
  ['texts with a fraction', 'VARCHAR'],
])('ids that became decimals find their features and past offers under %s', async (_name, type) => {
  const id = (number: number) => (type === 'VARCHAR' ? `'${number}.0'` : `${number}::${type}`);
  const features = values('customer_id, lifetime_value', `(${id(17850)}, 900.0)`, `(${id(13047)}, 300.0)`);
  const past_offers = values(
    'customer_id, program_id, offered_at',
    `(${id(17850)}, 'win-back', TIMESTAMP '2026-11-01')`,
  );
  const context = await shop(
    { customers: values('customer_id', `(17850.0::DOUBLE)`, `(13047.0)`, `(NULL)`), features, past_offers },
    {
      featureStore: { type: 'warehouse', connectorId: 'shop', table: 'features' },
      offerHistory: { connectorId: 'shop', table: 'past_offers' },
      filterChain: [{ filterId: 'value', type: 'business-rule', order: 1, parameters: { minLifetimeValue: 1 } }],
    },
  );
  const { artifact } = await extract(context);
  expect(await batch.rows(artifact, 'candidates.parquet', 'customer_id, lifetime_value')).toEqual([
    { customer_id: '13047', lifetime_value: 300 },
    { customer_id: '17850', lifetime_value: 900 },
  ]);
  expect(await batch.rows(artifact, 'offers.parquet', 'customer_id, program_id')).toEqual([
    { customer_id: '17850', program_id: 'win-back' },
  ]);
});

test('the rejects show the row as it came, as JSON', async () => {
  const customers = `SELECT 'C"1' AS customer_id, 'NaN'::DOUBLE AS engagement_score, NULL AS marketplace
    UNION ALL SELECT 'C2', 1, 'US'`;
  const { artifact } = await extract(await shop({ customers }));
  const [reject] = await batch.rows(artifact, 'rejects.parquet');
  expect(reject?.['customer_id']).toBe('C"1');
  expect(JSON.parse(reject?.['row'] as string)).toEqual({
    customer_id: 'C"1',
    engagement_score: 'nan',
    marketplace: null,
  });
});

const CHURN_SIGNAL = {
  filterId: 'signals',
  type: 'business-rule',
  order: 1,
  parameters: { minEngagementDecline: 0.5, minDaysSinceLastPurchase: 90 },
} as const;

test.each([
  ['none at its thresholds exactly', [], '-0.3, 2.0, 4.0, 60, 30, false', []],
  [
    'every one beyond them, sorted',
    [],
    '-0.31, 1.9, 4.0, 61, 31, true',
    ['competitor_research', 'engagement_decline', 'inactivity', 'low_login_frequency', 'no_recent_purchase'],
  ],
  ['none from figures that are missing', [], 'NULL, NULL, 4.0, NULL, NULL, NULL', []],
  [
    'those of its own filter, where it has thresholds',
    [CHURN_SIGNAL],
    '-0.4, 1.9, 4.0, 80, 10, false',
    ['low_login_frequency'],
  ],
])('a customer shows of the churn signals %s', async (_name, filterChain, figures, expected) => {
  const columns =
    'customer_id, engagement_change, login_frequency, historical_avg, days_since_last_purchase, days_since_last_login, competitor_research';
  const context = await shop({ customers: values(columns, `('C1', ${figures})`) }, { filterChain: [...filterChain] });
  const { artifact } = await extract(context);
  expect(await batch.rows(artifact, 'candidates.parquet', 'churn_signals')).toEqual([{ churn_signals: expected }]);
});

test('a signal whose columns nobody gives is not shown', async () => {
  const { artifact } = await extract(await shop({ customers: "SELECT 'C1' AS customer_id, 1 AS login_frequency" }));
  expect(await batch.rows(artifact, 'candidates.parquet', 'churn_signals')).toEqual([{ churn_signals: [] }]);
});

test('segments that a query brings are kept', async () => {
  const customers = "SELECT 'C1' AS customer_id, 'loyal' AS segment, 0.25 AS segment_risk";
  const { artifact } = await extract(await shop({ customers }));
  expect(await batch.rows(artifact, 'candidates.parquet', 'segment, segment_risk')).toEqual([
    { segment: 'loyal', segment_risk: 0.25 },
  ]);
});

const MODEL = { modelId: 'risk', endpoint: 'onnx://risk.onnx', batchSize: 10 };
const FEATURES = { type: 'warehouse', connectorId: 'shop', table: 'features' } as const;

test('the feature store completes what the query does not select, and adds what it knows of the candidate', async () => {
  const tables = {
    customers: "SELECT 'C1' AS customer_id, 0.5 AS engagement_score",
    features: "SELECT 'C1' AS customer_id, 0.9 AS engagement_score, 'DE' AS marketplace, 3 AS pets, 4 AS shoes",
  };
  const program = { featureStore: FEATURES, scoringModels: [{ ...MODEL, features: ['engagement_score', 'pets'] }] };
  const { artifact } = await extract(await shop(tables, program));
  const [row] = await batch.rows(
    artifact,
    'candidates.parquet',
    '* EXCLUDE (churn_signals, segment, segment_risk, source, extracted_at)',
  );
  expect(row).toEqual({ customer_id: 'C1', marketplace: 'DE', engagement_score: 0.5, pets: 3 });
});

test('columns that are missing are all named, with who needs them and what was probably meant', async () => {
  const filterChain = [{ filterId: 'trusted', type: 'trust', order: 1 } as const];
  const program = { filterChain, scoringModels: [{ ...MODEL, features: ['engagement_score', 'pets'] }] };
  const customers = "SELECT 'C1' AS customer_id, true AS verified, 'active' AS acount_status, 1 AS pets";
  const error = (await extract(await shop({ customers }, program)).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ code: 'HF_COLUMN_MISSING' });
  expect(error.message).toMatch(/account_status \(needed by filter trusted; did you mean acount_status\?\)/);
  expect(error.message).toMatch(/engagement_score \(needed by model risk\)/);
  expect(error.message).not.toMatch(/pets/);
});

test('customers come from the query: a customer_id in the feature store alone is not enough', async () => {
  const tables = { customers: 'SELECT 1 AS id', features: "SELECT 'C1' AS customer_id" };
  await expect(extract(await shop(tables, { featureStore: FEATURES }))).rejects.toMatchObject({
    code: 'HF_COLUMN_MISSING',
  });
});

test.each(['churn_signals', 'source', 'risk_score', 'Duration', 'days_since_program_offer'])(
  'a query that gives %s, which a stage adds, is refused',
  async (column) => {
    const customers = `SELECT 'C1' AS customer_id, 1 AS ${column}`;
    await expect(extract(await shop({ customers }))).rejects.toMatchObject({
      code: 'HF_QUERY_REFUSED',
      message: expect.stringContaining(column),
    });
  },
);

test('past offers to the customers of the batch within 184 days before the slot are handed on', async () => {
  const tables = {
    customers: values('customer_id', "('C1')", "('C2')"),
    past_offers: values(
      'customer_id, program_id, offered_at',
      "('C1', 'winback', TIMESTAMP '2026-11-23 01:59:59')",
      "('C1', 'winback', TIMESTAMP '2026-11-23 02:00:00')",
      "('C2', 'upsell', TIMESTAMP '2026-05-23 02:00:00')",
      "('C2', 'upsell', TIMESTAMP '2026-05-23 01:59:59')",
      "('C3', 'upsell', TIMESTAMP '2026-11-01 00:00:00')",
    ),
  };
  const { artifact } = await extract(
    await shop(tables, { offerHistory: { connectorId: 'shop', table: 'past_offers' } }),
  );
  expect(await batch.rows(artifact, 'offers.parquet')).toEqual([
    { customer_id: 'C1', program_id: 'winback', offered_at: '2026-11-23 01:59:59' },
    { customer_id: 'C2', program_id: 'upsell', offered_at: '2026-05-23 02:00:00' },
  ]);
});

test('without a table of past offers there are none, in the same columns', async () => {
  const { artifact } = await extract(await shop({ customers: "SELECT 'C1' AS customer_id" }));
  expect(artifact?.manifest.parts[2]).toMatchObject({
    path: 'offers.parquet',
    rows: 0,
    schema: [
      { name: 'customer_id', type: 'VARCHAR' },
      { name: 'program_id', type: 'VARCHAR' },
      { name: 'offered_at', type: 'TIMESTAMP' },
    ],
  });
});

test("a marketplace is written as the program writes it: UK, GB and gb are one, others stay the warehouse's", async () => {
  const customers = values(
    'customer_id, marketplace',
    "('1', 'GB')",
    "('2', 'UK')",
    "('3', ' gb')",
    "('4', 'de')",
    "('5', 'Narnia')",
    "('6', NULL)",
    "('7', 'EL')",
  );
  const { artifact } = await extract(await shop({ customers }, { marketplaces: ['UK', 'DE', 'GR'] }));
  const rows = await batch.rows(artifact, 'candidates.parquet', 'marketplace');
  expect(rows.map(({ marketplace }) => marketplace)).toEqual(['UK', 'UK', 'UK', 'DE', 'Narnia', null, 'GR']);
});

test('customers of several connectors come together, and a customer of two comes once', async () => {
  const context = await shop({ customers: values('customer_id, engagement_score', "('C1', 0.1)", "('C2', 0.2)") });
  const [first] = context.spec.dataConnectors;
  if (first === undefined) throw new Error('no connector');
  const query = "SELECT 'C2' AS customer_id, 'DE' AS marketplace UNION ALL SELECT 'C3', 'FR'";
  const second = { ...first, connectorId: 'partner', config: { ...first.config, query } };
  const { artifact } = await extract({ ...context, spec: { ...context.spec, dataConnectors: [first, second] } });
  expect(
    await batch.rows(artifact, 'candidates.parquet', 'customer_id, marketplace, engagement_score, source'),
  ).toEqual([
    { customer_id: 'C1', marketplace: null, engagement_score: 0.1, source: 'shop' },
    { customer_id: 'C2', marketplace: null, engagement_score: 0.2, source: 'shop' },
    { customer_id: 'C3', marketplace: 'FR', engagement_score: null, source: 'partner' },
  ]);
});

test('more bad rows than allowed fail the run, and the rejects can be read', async () => {
  const customers = 'SELECT CASE WHEN range < 2 THEN NULL ELSE range END AS customer_id FROM range(100)';
  const context = await shop({ customers }, { quality: { ...LENIENT, maxRejectedShare: 0.01 } });
  const error = (await extract(context).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({
    code: 'HF_REJECTS_OVER_THRESHOLD',
    message: expect.stringMatching(/2 of 100 .* 1 % \(customer_id missing 2\)/),
  });
  const file = /(\/\S+rejects\.parquet)/.exec(error.message)?.[1] ?? '';
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: batch.folder });
  expect(await engine.rows('SELECT reasons FROM read_parquet($1)', [file])).toEqual([
    { reasons: ['customer_id missing'] },
    { reasons: ['customer_id missing'] },
  ]);
  const { namespace, owner, run, attempt } = context.identity;
  const key = { namespace, owner, run, stage: 'extract', attempt };
  await expect(context.artifacts.open(key)).rejects.toMatchObject({ code: 'HF_ARTIFACT_CORRUPT' });
});

test('as many bad rows as allowed do not', async () => {
  const customers = 'SELECT CASE WHEN range < 1 THEN NULL ELSE range END AS customer_id FROM range(100)';
  const context = await shop({ customers }, { quality: { ...LENIENT, maxRejectedShare: 0.01 } });
  expect(await extract(context)).toMatchObject({ rowsIn: 100, rowsOut: 99 });
});

test('a query that returns nothing is an empty extract', async () => {
  const context = await shop({ customers: "SELECT 'C1' AS customer_id WHERE false" });
  await expect(extract(context)).rejects.toMatchObject({ code: 'HF_EXTRACT_EMPTY' });
});

test.each([
  ['fewer than half the rows of the last batch are a collapse', 21, 'HF_EXTRACT_COLLAPSED'],
  ['half of them are not', 20, undefined],
  ['a first batch has nothing to fall below', undefined, undefined],
])('%s', async (_name, last, code) => {
  const context = await shop({ customers: 'SELECT range AS customer_id FROM range(10)' });
  const extracting = extractCandidates(context, async () =>
    last === undefined ? undefined : { rows: last, run: 'earlier', slot: new Date(0) },
  );
  if (code === undefined) await expect(extracting).resolves.toMatchObject({ rowsOut: 10 });
  else await expect(extracting).rejects.toMatchObject({ code, message: expect.stringMatching(/10 rows .* 21/) });
});

describe('rows that did not change since the current batch', () => {
  const customers = "SELECT 'C' || range AS customer_id, range % 7 AS days_since_last_login FROM range(100)";
  const fingerprintOf = (counts: Counts | undefined) => Number(counts?.['fingerprint']);
  let tables = 0;
  const reading = (select: string) => {
    const table = `customers_${tables++}`;
    return shop({ [table]: select }, {}, {}, `SELECT * FROM ${table}`);
  };
  const warned = async (query: string, earlier: number, weeks = 1) => {
    const context = await reading(query);
    const slot = new Date(context.identity.slot.getTime() - weeks * 7 * 86_400_000);
    const last = { rows: 100, fingerprint: earlier, run: 'run-0', slot };
    return (await extractCandidates(context, async () => last)).warnings ?? [];
  };
  test('are said, whatever their order', async () => {
    const { counts } = await extract(await reading(customers));
    const same = await warned(`${customers} ORDER BY range DESC`, fingerprintOf(counts));
    expect(same).toEqual([
      {
        code: 'SOURCE_UNCHANGED',
        message: expect.stringMatching(/^Every customer reads as in the batch of 2026-.* \(run-0\): has the source/),
      },
    ]);
    expect(await warned(customers.replace('% 7', '% 7 + (range = 3)::INT'), fingerprintOf(counts))).toEqual([]);
  });
  test('are expected of another run of the same slot', async () => {
    const { counts } = await extract(await reading(customers));
    expect(await warned(customers, fingerprintOf(counts), 0)).toEqual([]);
  });
});

describe('rows that are as of now', () => {
  const customers = "SELECT 'C' || range AS customer_id FROM range(10)";
  const [slot, next] = ['2026-11-23T02:00:00Z', '2026-11-30T02:00:00Z'];
  const warned = async (now: string, change: Partial<BatchContext>) => {
    const context = await shop({ customers }, {}, { ...change, now: () => new Date(now) });
    const { warnings = [] } = await extract(context);
    return warnings.filter(({ code }) => code === 'SOURCE_AS_OF_NOW').map(({ message }) => message);
  };
  const begunBy = (trigger: BatchContext['identity']['trigger']) => ({
    identity: { ...batch.context({}).identity, trigger },
  });
  const sentence = `Connector shop: its rows are as of now, and the slot of this run is ${slot}, before the newest, ${next}.`;
  test.each(['schedule', 'manual', 'backfill', 'retry'] as const)(
    'are said of an old slot, begun by %s',
    async (by) => {
      expect(await warned(next, begunBy(by))).toEqual([sentence]);
    },
  );
  test('are what a run of the newest slot is about, however late and begun by whom', async () => {
    expect(await warned('2026-11-30T01:59:59Z', begunBy('retry'))).toEqual([]);
  });
  test('are said of a file that was given, but for the export of the slot', async () => {
    const sources = { shop: join(batch.folder, 'shop.duckdb') };
    expect(await warned(next, { connectors: { sources } })).toEqual([sentence]);
    await rm(sources.shop);
    expect(await warned(next, { connectors: { sources, ofSlot: ['shop'] } })).toEqual([]);
  });
});

test('an interrupted extract leaves no artifact', async () => {
  const controller = new AbortController();
  controller.abort();
  const context = await shop({ customers: "SELECT 'C1' AS customer_id" }, {}, { signal: controller.signal });
  await expect(extract(context)).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  expect(existsSync(join(batch.folder, 'artifacts/default/churn-prevention/run-1/extract/1'))).toBe(false);
});

test('the same rows in another order, with other threads, make the same artifact', async () => {
  const columns = `md5(range::VARCHAR) AS customer_id, range % 90 AS days_since_last_login,
    CASE WHEN range % 1000 = 7 THEN 'NaN'::DOUBLE ELSE (range % 100) / 100 END AS engagement_score,
    'winback' AS program_id, TIMESTAMP '2026-11-01' AS offered_at`;
  const digests = [];
  for (const [index, order] of ['ASC', 'DESC'].entries()) {
    const table = `t${index}`;
    const program = { offerHistory: { connectorId: 'shop', table } };
    const resources = { threads: index + 1, memoryMb: 512 };
    const select = `SELECT ${columns} FROM range(150_000) ORDER BY range ${order}`;
    const query = `SELECT * EXCLUDE (program_id, offered_at) FROM ${table}`;
    const context = await shop({ [table]: select }, program, { resources }, query);
    const { artifact } = await extract({ ...context, identity: { ...context.identity, run: `run-${index}` } });
    digests.push(artifact?.digest);
  }
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(digests[1]).toBe(digests[0]);
});

test('a manifest holds nothing of the machine or the run', async () => {
  const context = await shop({ customers: "SELECT 'C1' AS customer_id" });
  const { artifact } = await extract(context);
  const manifest = JSON.stringify(artifact?.manifest);
  for (const word of [batch.folder, context.identity.run]) expect(manifest).not.toContain(word);
});
