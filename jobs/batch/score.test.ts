import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Batch, openBatch } from '../../test/support/batch.ts';
import { writeModel } from '../../test/support/models.ts';
import { identityModel, linearModel } from '../../test/support/onnx.ts';
import { score, shardedScore } from './score.ts';

let batch: Batch;
beforeEach(async () => {
  batch = await openBatch();
});
afterEach(async () => {
  await batch[Symbol.asyncDispose]();
});

const KINDS = ['discount', 'upgrade', 'personal_call'];
const EFFECTS = ['to_discount', 'to_upgrade', 'to_call'];
/** Models that give back their features, so that a row says what its scores will be. */
const riskModel = (batchSize = 1000, manifest = {}) =>
  writeModel(batch.folder, identityModel(1), { modelId: 'churn-risk', features: ['risk'], ...manifest }, batchSize);
const offerModel = (batchSize = 1000) =>
  writeModel(batch.folder, identityModel(3), { modelId: 'offers', features: EFFECTS, kinds: KINDS }, batchSize);

const kept = (...values: string[]) =>
  batch.input(
    'filter',
    'kept.parquet',
    `SELECT * FROM (VALUES ${values.join(', ')}) AS t(customer_id, risk, ${EFFECTS.join(', ')})`,
  );

test('every candidate gets its own risk, level and best offer, and those below the lowest level are set apart', async () => {
  await kept(
    "('C1', 0.95, 0.1, 0.3, 0.2)",
    "('C2', 0.8, 0.3, 0.1, 0.2)",
    "('C3', 0.79, 0.1, 0.2, 0.3)",
    "('C4', 0.6, 0.2, 0.2, 0.1)",
    "('C5', 0.4, -0.3, -0.2, -0.1)",
    "('C6', 0.39, 1, 0, 0)",
  );
  const result = await score(batch.context({ scoringModels: [await riskModel(), await offerModel()] }));
  expect(
    await batch.rows(
      result.artifact,
      'scored.parquet',
      'customer_id, risk_score, risk_level, offer_kind, offer_kind_score',
    ),
  ).toEqual([
    { customer_id: 'C1', risk_score: 0.95, risk_level: 'critical', offer_kind: 'upgrade', offer_kind_score: 0.3 },
    { customer_id: 'C2', risk_score: 0.8, risk_level: 'critical', offer_kind: 'discount', offer_kind_score: 0.3 },
    { customer_id: 'C3', risk_score: 0.79, risk_level: 'high', offer_kind: 'personal_call', offer_kind_score: 0.3 },
    { customer_id: 'C4', risk_score: 0.6, risk_level: 'high', offer_kind: 'discount', offer_kind_score: 0.2 },
    { customer_id: 'C5', risk_score: 0.4, risk_level: 'medium', offer_kind: 'personal_call', offer_kind_score: -0.1 },
  ]);
  expect(await batch.rows(result.artifact, 'below.parquet')).toEqual([{ customer_id: 'C6', risk_score: 0.39 }]);
  expect(result).toMatchObject({
    rowsIn: 6,
    rowsOut: 5,
    counts: {
      belowThreshold: 1,
      riskLevels: { critical: 2, high: 2, medium: 1 },
      offerKinds: { discount: 2, upgrade: 1, personal_call: 2 },
    },
    warnings: [],
  });
  expect(result.artifact?.manifest.counts).toEqual(result.counts);
});

test('all columns ride along, and the rows are in the order of their customers', async () => {
  await batch.input(
    'filter',
    'kept.parquet',
    `
    SELECT 'C' || (9 - range) AS customer_id, 0.5 AS risk, ['inactivity'] AS churn_signals, NULL::VARCHAR AS segment FROM range(5)`,
  );
  const result = await score(batch.context({ scoringModels: [await riskModel()] }));
  const rows = await batch.rows(result.artifact, 'scored.parquet');
  expect(rows.map((row) => row['customer_id'])).toEqual(['C5', 'C6', 'C7', 'C8', 'C9']);
  expect(rows[0]).toMatchObject({ churn_signals: ['inactivity'], segment: null, risk: '0.5' });
});

test('a batch of no candidates is a batch', async () => {
  await batch.input(
    'filter',
    'kept.parquet',
    `SELECT '' AS customer_id, 0.5 AS risk, ${EFFECTS.map((name) => `1 AS ${name}`).join(', ')} WHERE false`,
  );
  const result = await score(batch.context({ scoringModels: [await riskModel(), await offerModel()] }));
  expect(result).toMatchObject({ rowsIn: 0, rowsOut: 0, counts: { belowThreshold: 0, offerKinds: { discount: 0 } } });
  expect(await batch.rows(result.artifact, 'scored.parquet')).toEqual([]);
});

test('a candidate has what raised the risk most, in words without any value of the customer; nobody else is explained', async () => {
  const names = ['tenure', 'is_new', 'calls', 'opted_in'];
  const bytes = linearModel([-0.01, 0.1, 0.04, -0.3], -0.2);
  const risk = await writeModel(batch.folder, bytes, {
    modelId: 'churn-risk',
    features: names,
    typical: [20, 0, 1, 1],
  });
  await batch.input(
    'filter',
    'kept.parquet',
    `SELECT * FROM (VALUES
       ('C1', 7, 1.0, 1, true), ('C2', 13, 0.0, 4, false), ('C3', 31, 0.0, 3, true), ('C4', 20, 0.0, 1, false),
       ('C5', 11, 1.0, 9, false))
     AS t(customer_id, tenure, is_new, calls, opted_in)`,
  );
  const result = await score(batch.context({ scoringModels: [risk] }));
  expect(await batch.rows(result.artifact, 'scored.parquet', 'customer_id, risk_reasons')).toEqual([
    { customer_id: 'C2', risk_reasons: ['not opted_in', 'calls above typical', 'tenure below typical'] },
    { customer_id: 'C4', risk_reasons: ['not opted_in'] },
    { customer_id: 'C5', risk_reasons: ['calls above typical', 'not opted_in', 'is_new'] },
  ]);
  expect(JSON.stringify(await batch.rows(result.artifact, 'below.parquet'))).not.toContain('reasons');
});

test('a number of the candidate that is 0 or 1 in every row of a batch is no yes or no, what has no such name may be', async () => {
  const risk = await writeModel(batch.folder, linearModel([0.2, 0.1], 0.3), {
    modelId: 'churn-risk',
    features: ['support_tickets', 'streaming'],
    typical: [0, 0],
  });
  await batch.input(
    'filter',
    'kept.parquet',
    `SELECT * FROM (VALUES ('C1', 1.0, 1), ('C2', 1.0, 0), ('C3', 0.0, 1)) AS t(customer_id, support_tickets, streaming)`,
  );
  const { artifact } = await score(batch.context({ scoringModels: [risk] }));
  expect((await batch.rows(artifact, 'scored.parquet', 'risk_reasons')).map((row) => row['risk_reasons'])).toEqual([
    ['support_tickets above typical', 'streaming'],
    ['support_tickets above typical'],
    ['streaming'],
  ]);
});

test('a model that gives everybody one score is warned of; of a handful of customers that says nothing', async () => {
  const scored = async (rows: number, risk: string) => {
    await batch.input(
      'filter',
      'kept.parquet',
      `SELECT 'C' || range AS customer_id, ${risk} AS risk FROM range(${rows})`,
    );
    const { warnings = [] } = await score(batch.context({ scoringModels: [await riskModel()] }));
    return warnings.filter(({ code }) => code === 'SCORES_ALL_ONE').map(({ message }) => message);
  };
  expect(await scored(30, '0.7')).toEqual([expect.stringMatching(/churn-risk gave all 30 customers one score, 0\.7/)]);
  expect(await scored(30, '0.7 + range / 1000')).toEqual([]);
  expect(await scored(5, '0.7')).toEqual([]);
});

const MANY = `
  SELECT 'C' || lpad(range::VARCHAR, 5, '0') AS customer_id, (range % 97) / 96.0 AS risk,
    (range % 3 = 0) AS to_discount, (range % 3 = 1) AS to_upgrade, (range % 3 = 2)::INTEGER AS to_call
  FROM range(7000)`;

test.each([
  [1000, 1000],
  [1, 7000],
  [333, 4096],
  [5000, 10],
])('scores stay with their rows in batches of %d and %d', async (riskBatch, offerBatch) => {
  await batch.input('filter', 'kept.parquet', MANY);
  const done: number[] = [];
  const context = batch.context(
    { scoringModels: [await offerModel(offerBatch), await riskModel(riskBatch)] },
    { progress: (rows) => done.push(rows) },
  );
  const result = await score(context);
  const best = `CASE WHEN to_discount THEN 'discount' WHEN to_upgrade THEN 'upgrade' ELSE 'personal_call' END`;
  const wrong = `count(*) FILTER (abs(risk - risk_score) > 1e-6 OR offer_kind <> ${best})::INTEGER AS wrong`;
  expect(await batch.rows(result.artifact, 'scored.parquet', `count(*)::INTEGER AS rows, ${wrong}`)).toEqual([
    { rows: result.rowsOut, wrong: 0 },
  ]);
  expect(result.rowsOut + Number(result.counts['belowThreshold'])).toBe(7000);
  expect(done.at(-1)).toBe(7000);
});

test('the same candidates make the same bytes in another run', async () => {
  await batch.input('filter', 'kept.parquet', MANY);
  const context = batch.context({ scoringModels: [await riskModel(), await offerModel()] });
  const first = await score(context);
  const second = await score({ ...context, identity: { ...context.identity, run: 'run-2', sequence: 2, attempt: 3 } });
  expect(second.artifact?.folder).not.toBe(first.artifact?.folder);
  expect(second.artifact?.digest).toBe(first.artifact?.digest);
});

test('a missing value reaches the model as NaN, which a risk must not be', async () => {
  await kept("('C1', 0.5, 1, 1, 1)", "('C2', NULL, 1, 1, 1)", "('C3', 1.5, 1, 1, 1)", "('C4', -0.1, 1, 1, 1)");
  await expect(score(batch.context({ scoringModels: [await riskModel()] }))).rejects.toMatchObject({
    code: 'HF_SCORE_OUT_OF_RANGE',
    message: expect.stringMatching(
      /model churn-risk gave 3 of 4 rows something other than a finite number from 0 to 1/,
    ),
  });
});

test('a risk that rounding alone puts beyond a bound is the bound; what is further off is named with its extremes', async () => {
  await kept("('C1', 1.0000002, 1, 1, 1)", "('C2', -0.0000002, 1, 1, 1)");
  const result = await score(
    batch.context({ scoringModels: [await riskModel()], riskLevels: { critical: 0.8, high: 0.6, medium: 0 } }),
  );
  expect(await batch.rows(result.artifact, 'scored.parquet', 'customer_id, risk_score')).toEqual([
    { customer_id: 'C1', risk_score: 1 },
    { customer_id: 'C2', risk_score: 0 },
  ]);
  await kept("('C1', 1.0001, 1, 1, 1)", "('C2', -0.25, 1, 1, 1)", "('C3', 0.5, 1, 1, 1)");
  await expect(score(batch.context({ scoringModels: [await riskModel()] }))).rejects.toMatchObject({
    code: 'HF_SCORE_OUT_OF_RANGE',
    message: expect.stringMatching(/gave 2 of 3 rows .*: the least is -0\.25, the greatest 1\.0001/),
  });
});

test('the kinds in another order beside the same model are refused: other customers would get other offers', async () => {
  await kept("('C1', 0.9, 0.1, 0.3, 0.2)");
  const offers = await offerModel();
  const beside = await readFile(join(batch.folder, 'offers.json'));
  const pinned = { ...offers, manifestSha256: createHash('sha256').update(beside).digest('hex') };
  const scoringModels = [await riskModel(), pinned];
  expect((await score(batch.context({ scoringModels }))).counts).toMatchObject({ offerKinds: { upgrade: 1 } });
  await writeModel(batch.folder, identityModel(3), {
    modelId: 'offers',
    features: EFFECTS,
    kinds: KINDS.toReversed(),
  });
  await expect(score(batch.context({ scoringModels }))).rejects.toMatchObject({ code: 'HF_MODEL_DIGEST_MISMATCH' });
});

test('an effect must be finite', async () => {
  await kept("('C1', 0.5, 1, 1, 1)", "('C2', 0.5, NULL, 1, 1)");
  await expect(score(batch.context({ scoringModels: [await riskModel(), await offerModel()] }))).rejects.toMatchObject({
    code: 'HF_SCORE_OUT_OF_RANGE',
    message: expect.stringMatching(/model offers gave 1 of 2 rows/),
  });
});

test('without a model for offers nobody has an offer kind, and a sentence says so', async () => {
  await kept("('C1', 0.5, 1, 1, 1)");
  const result = await score(batch.context({ scoringModels: [await riskModel(1000, { calibrated: false })] }));
  expect(await batch.rows(result.artifact, 'scored.parquet', 'offer_kind, offer_kind_score')).toEqual([
    { offer_kind: null, offer_kind_score: null },
  ]);
  expect(result.warnings).toEqual([
    { code: 'MODEL_NOT_CALIBRATED', message: expect.stringMatching(/churn-risk is not calibrated/) },
    { code: 'NO_OFFER_MODEL', message: expect.stringMatching(/offer-effectiveness/) },
  ]);
});

test("a feature named like a score is read and then replaced, whatever its letters' case", async () => {
  await batch.input('filter', 'kept.parquet', "SELECT 'C1' AS customer_id, 0.7 AS Risk_Score");
  const scoringModels = [
    await writeModel(batch.folder, identityModel(1), { modelId: 'churn-risk', features: ['risk_score'] }),
  ];
  const result = await score(batch.context({ scoringModels }));
  expect(await batch.rows(result.artifact, 'scored.parquet')).toEqual([
    {
      customer_id: 'C1',
      risk_score: 0.7,
      risk_level: 'high',
      offer_kind: null,
      offer_kind_score: null,
      risk_reasons: [],
    },
  ]);
  expect(result.warnings).toContainEqual({ code: 'COLUMN_REPLACED', message: expect.stringMatching(/Risk_Score/) });
});

test('a feature that the batch does not have is named', async () => {
  await batch.input('filter', 'kept.parquet', "SELECT 'C1' AS customer_id, 0.5 AS risk, 0.5 AS to_upgrade");
  await expect(score(batch.context({ scoringModels: [await riskModel(), await offerModel()] }))).rejects.toMatchObject({
    code: 'HF_COLUMN_MISSING',
    message: expect.stringMatching(/Model offers needs to_discount, to_call/),
  });
});

test.each([['VARCHAR'], ['DATE'], ['VARCHAR[]']])('a feature of type %s is refused', async (type) => {
  await batch.input('filter', 'kept.parquet', `SELECT 'C1' AS customer_id, NULL::${type} AS risk`);
  await expect(score(batch.context({ scoringModels: [await riskModel()] }))).rejects.toMatchObject({
    code: 'HF_MODEL_REFUSED',
    message: expect.stringContaining(`risk (${type})`),
  });
});

test('exactly one model predicts the risk', async () => {
  await kept("('C1', 0.5, 1, 1, 1)");
  const other = await writeModel(batch.folder, identityModel(1), { modelId: 'other', features: ['risk'] });
  await expect(score(batch.context({ scoringModels: [await riskModel(), other] }))).rejects.toMatchObject({
    code: 'HF_MODEL_REFUSED',
    message: expect.stringMatching(/several models whose role is churn-risk: churn-risk, other/),
  });
  await expect(score(batch.context({ scoringModels: [await offerModel()] }))).rejects.toMatchObject({
    code: 'HF_MODEL_REFUSED',
  });
});

test('an interruption between two batches leaves nothing, and the stage can run again', async () => {
  await batch.input('filter', 'kept.parquet', MANY);
  const scoringModels = [await riskModel(10)];
  const controller = new AbortController();
  const interrupted = batch.context(
    { scoringModels },
    { signal: controller.signal, progress: (done) => done >= 3000 && controller.abort() },
  );
  await expect(score(interrupted)).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  const { artifacts, identity } = interrupted;
  await expect(artifacts.open({ ...identity, stage: 'score' })).rejects.toMatchObject({ code: 'HF_ARTIFACT_CORRUPT' });
  expect(await score(batch.context({ scoringModels }))).toMatchObject({ rowsIn: 7000 });
});

test('shards of which one is missing, or there twice, are no batch', async () => {
  await kept("('C1', 0.9, 0, 0, 0)", "('C2', 0.8, 0, 0, 0)", "('C3', 0.7, 0, 0, 0)", "('C4', 0.6, 0, 0, 0)");
  const context = batch.context({ scoringModels: [await riskModel()] });
  const [first, second] = [
    await shardedScore.shard(context, { index: 0, count: 2 }),
    await shardedScore.shard(context, { index: 1, count: 2 }),
  ];
  // As many rows as the batch has, and not of all its customers.
  expect([first.manifest.rows, second.manifest.rows]).toEqual([2, 2]);
  for (const shards of [[first], [second], [first, first], [first, second, second]]) {
    await expect(shardedScore.gather(context, shards)).rejects.toMatchObject({ code: 'HF_ARTIFACT_CORRUPT' });
  }
  expect(await shardedScore.gather(context, [first, second])).toMatchObject({ rowsIn: 4, rowsOut: 4 });
});
