import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { type Batch, openBatch } from '../../test/support/batch.ts';
import { defaultHoldoutKey, holdoutArm } from './holdout.ts';
import { offer as offerOfEnvironment, offerStage } from './offer.ts';

let batch: Batch;
beforeEach(async () => {
  batch = await openBatch();
});
afterEach(async () => {
  await batch[Symbol.asyncDispose]();
});

const offer = offerStage({});
const OFFER_KINDS = { offerKinds: { discount: 0, upgrade: 0, personal_call: 0 } };
const scored = () =>
  batch.input(
    'score',
    'scored.parquet',
    `SELECT * FROM (VALUES ('C1', 0.9, 'critical', 'discount'), ('C2', 0.7, 'high', 'upgrade'), ('C3', 0.5, 'medium', 'upgrade'))
     AS t(customer_id, risk_score, risk_level, offer_kind)`,
    OFFER_KINDS,
  );

type Strategy = RetentionProgramSpec['offerStrategy'];
const premium = {
  riskLevel: 'critical',
  offerType: 'premium',
  discount: 50,
  duration: 6,
  includeUpgrade: true,
  includePersonalCall: true,
} as const;
const standard = {
  riskLevel: 'high',
  offerType: 'standard',
  discount: 30,
  duration: 3,
  includeUpgrade: false,
  includePersonalCall: false,
} as const;
const strategy = (change: Partial<Strategy> = {}): Strategy => ({
  enabled: true,
  segmentedOffers: true,
  segments: [standard, premium],
  ...change,
});

const TERMS = 'customer_id, offer_kind, offer_tier, discount, duration, include_upgrade, include_personal_call';
const nothing = {
  offer_tier: null,
  discount: null,
  duration: null,
  include_upgrade: null,
  include_personal_call: null,
};

test('a risk level gets its own terms beside what the model recommends, and a level without a segment none', async () => {
  await scored();
  const result = await offer(batch.context({ offerStrategy: strategy(), holdout: { share: 0, epoch: 7 } }));
  const critical = {
    offer_tier: 'premium',
    discount: 50,
    duration: 6,
    include_upgrade: true,
    include_personal_call: true,
  };
  const high = {
    offer_tier: 'standard',
    discount: 30,
    duration: 3,
    include_upgrade: false,
    include_personal_call: false,
  };
  expect(await batch.rows(result.artifact, 'decisions.parquet', TERMS)).toEqual([
    { customer_id: 'C1', offer_kind: 'discount', ...critical },
    { customer_id: 'C2', offer_kind: 'upgrade', ...high },
    { customer_id: 'C3', offer_kind: 'upgrade', ...nothing },
  ]);
  expect(result).toMatchObject({
    rowsIn: 3,
    rowsOut: 3,
    counts: {
      tiers: { premium: 1, standard: 1 },
      kinds: { discount: 1, upgrade: 2, personal_call: 0 },
      arms: { treatment: 3, holdout: 0 },
      withoutOffer: 1,
    },
  });
  expect(await batch.rows(result.artifact, 'decisions.parquet', 'DISTINCT arm, epoch')).toEqual([
    { arm: 'treatment', epoch: 7 },
  ]);
});

test.each([
  [
    'one segment for all gives every level its terms',
    { segmentedOffers: false, segments: [standard] },
    ['standard', 'standard', 'standard'],
  ],
  ['a strategy that is off gives nobody terms', { enabled: false }, [null, null, null]],
  ['a strategy without segments gives nobody terms', { segments: [] }, [null, null, null]],
])('%s', async (_sentence, change, tiers) => {
  await scored();
  const result = await offer(batch.context({ offerStrategy: strategy(change) }));
  const rows = await batch.rows(result.artifact, 'decisions.parquet');
  expect(rows.map((row) => row['offer_tier'])).toEqual(tiers);
  expect(result.counts['withoutOffer']).toBe(tiers.filter((tier) => tier === null).length);
});

const many = (count = 5000) =>
  batch.input(
    'score',
    'scored.parquet',
    `SELECT 'C' || lpad(range::VARCHAR, 5, '0') AS customer_id, 'high' AS risk_level, 'discount' AS offer_kind FROM range(${count})`,
    OFFER_KINDS,
  );

test.each([
  ['the key of the program', undefined, defaultHoldoutKey('default', 'churn-prevention')],
  ['a secret key', 'secret', 'secret'],
])(
  'each customer is in the arm that %s says, and those held out have terms and kinds like all others',
  async (_key, holdoutKey, key) => {
    await many();
    const holdout = { share: 0.1, epoch: 3 };
    const result = await offerStage({ holdoutKey })(batch.context({ offerStrategy: strategy(), holdout }));
    const rows = await batch.rows(result.artifact, 'decisions.parquet', 'customer_id, arm, offer_tier');
    for (const { customer_id: id, arm, offer_tier: tier } of rows) {
      expect([id, arm, tier]).toEqual([id, holdoutArm(key, 3, String(id), 0.1), 'standard']);
    }
    const heldOut = rows.filter(({ arm }) => arm === 'holdout').length;
    expect(heldOut).toBeGreaterThan(400);
    expect(result.counts).toMatchObject({
      kinds: { discount: 5000 },
      arms: { treatment: 5000 - heldOut, holdout: heldOut },
    });
  },
);

test.each([
  ['another key is another draw', 'another secret', 'another secret'],
  ['an empty one is none', '', defaultHoldoutKey('default', 'churn-prevention')],
  ['without one it is the name of the program', undefined, defaultHoldoutKey('default', 'churn-prevention')],
])('who is held out follows from HOLDFAST_HOLDOUT_KEY: %s', async (_sentence, given, key) => {
  await many(200);
  const before = process.env['HOLDFAST_HOLDOUT_KEY'];
  if (given === undefined) delete process.env['HOLDFAST_HOLDOUT_KEY'];
  else process.env['HOLDFAST_HOLDOUT_KEY'] = given;
  try {
    const { artifact } = await offerOfEnvironment(batch.context({ holdout: { share: 0.5, epoch: 1 } }));
    for (const { customer_id: id, arm } of await batch.rows(artifact, 'decisions.parquet', 'customer_id, arm')) {
      expect([id, arm]).toEqual([id, holdoutArm(key, 1, String(id), 0.5)]);
    }
  } finally {
    if (before === undefined) delete process.env['HOLDFAST_HOLDOUT_KEY'];
    else process.env['HOLDFAST_HOLDOUT_KEY'] = before;
  }
});

test('a batch of no candidates is a batch', async () => {
  await many(0);
  const result = await offer(batch.context({ offerStrategy: strategy() }));
  expect(result).toMatchObject({
    rowsIn: 0,
    rowsOut: 0,
    counts: { kinds: { discount: 0 }, arms: { holdout: 0 }, withoutOffer: 0 },
  });
});

test('a column named like a decision is replaced, and a sentence says so', async () => {
  await batch.input(
    'score',
    'scored.parquet',
    "SELECT 'C1' AS customer_id, 'high' AS risk_level, 'upgrade' AS offer_kind, 9 AS Discount",
  );
  const result = await offer(batch.context({ offerStrategy: strategy() }));
  expect(await batch.rows(result.artifact, 'decisions.parquet', 'discount')).toEqual([{ discount: 30 }]);
  expect(result.warnings).toEqual([{ code: 'COLUMN_REPLACED', message: expect.stringMatching(/Discount/) }]);
});

test('the same candidates make the same bytes in another run', async () => {
  await many();
  const context = batch.context({ offerStrategy: strategy() });
  const first = await offer(context);
  const second = await offer({ ...context, identity: { ...context.identity, run: 'run-2', sequence: 2 } });
  expect(second.artifact?.digest).toBe(first.artifact?.digest);
});

test('an interruption leaves nothing', async () => {
  await many();
  const controller = new AbortController();
  const context = batch.context(
    { offerStrategy: strategy() },
    { signal: controller.signal, progress: () => controller.abort() },
  );
  await expect(offer(context)).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  await expect(context.artifacts.open({ ...context.identity, stage: 'offer' })).rejects.toMatchObject({
    code: 'HF_ARTIFACT_CORRUPT',
  });
});
