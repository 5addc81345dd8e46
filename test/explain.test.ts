import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeModel } from './support/models.ts';
import { model, node } from './support/onnx.ts';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

interface Reason {
  feature: string;
  value: unknown;
  typical: unknown;
  contribution: number;
}
interface Row {
  customer: string;
  risk: number;
  level: string;
  expected: number;
  margin: number;
  contributions: Record<string, number>;
  values: Record<string, unknown>;
}

const FEATURES = [
  'engagement_change',
  'support_tickets',
  'days_since_last_purchase',
  'discount_sensitivity',
  'engagement_score',
  'verified',
];

let shop: Workspace;
/** Options that name the state of the run with trees. */
let trees: string[];
beforeAll(async () => {
  shop = await workspace();
  // Some values are missing, and there is a boolean among the features.
  const missing = 'CASE WHEN support_tickets = 1 THEN NULL ELSE days_since_last_purchase + discount_sensitivity END';
  await shop.customers(`SELECT * REPLACE (${missing} AS days_since_last_purchase) FROM customers`);
  await shop.holdfast(['run', await shop.program(), '--now', NOW]);
  // LightGBM's own trees, of which the fixture beside them has the contributions.
  const bytes = await readFile(join(import.meta.dirname, 'fixtures/tree-shap/lightgbm.onnx'));
  const treeModel = await writeModel(shop.folder, bytes, { modelId: 'trees', features: FEATURES });
  trees = ['--data', shop.path('state-trees')];
  const program = await shop.program((spec) => {
    spec['scoringModels'] = [treeModel];
  }, 'trees.yaml');
  expect((await shop.holdfast(['run', program, '--now', NOW, ...trees])).stderr).not.toMatch(/HF_/);
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
});

const explain = (...args: string[]) => shop.holdfast(['explain', 'keep', ...args]);
async function json<Answer>(...args: string[]): Promise<Answer> {
  const { status, stdout, stderr } = await explain(...args, '--output', 'json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Answer;
}
async function lines(...args: string[]): Promise<Row[]> {
  const { stdout } = await explain(...args, '--sample', 'all', '--output', 'json');
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

describe('those whom a filter removed', () => {
  test('are counted, all of them, with what failed and what would be enough', async () => {
    const { stdout } = await explain('--filter', 'customer-value', '--sample', '4');
    expect(stdout).toMatch(/^removed 100 of the 200 customers who came to this filter$/m);
    expect(stdout).toMatch(/^ +100 +100\.0 % +lifetime_value < 500$/m);
    expect(stdout).toMatch(/^ +0 +0\.0 % +subscription_tier below premium$/m);
    expect(stdout).toMatch(/^ +0 +0\.0 % +lifetime_value >= 450$/m);
    expect(stdout.match(/^ {2}C02\d\d +lifetime_value 100 < 500$/gm)).toHaveLength(4);
  });

  test('come as one JSON object on request', async () => {
    expect(await json('--filter', 'churn-signal', '--sample', '1')).toMatchObject({
      program: 'keep',
      filterId: 'churn-signal',
      asked: 300,
      removed: 100,
      shortfalls: [
        { text: '0 of 2 signals needed', customers: 100, missing: 0 },
        { text: '1 of 2 signals needed', customers: 0 },
        { text: 'engagement_change >= -0.3', customers: 100 },
        { text: 'login_frequency >= 0.5 * historical_avg', customers: 100 },
      ],
      nearMisses: [{ text: '1 of the signals', customers: 0 }, { customers: 0 }, { customers: 0 }],
      sample: [{ customer: expect.stringMatching(/^C01/), comparisons: expect.any(Array) }],
    });
  });

  test('are drawn the same by the same seed, and others by another', async () => {
    const drawn = async (...seed: string[]) =>
      (await json<{ sample: Row[] }>('--filter', 'trust', '--sample', '10', ...seed)).sample.map(
        ({ customer }) => customer,
      );
    const usual = await drawn();
    expect(await drawn('--seed', '1')).toEqual(usual);
    expect(await drawn('--seed', "it's another")).not.toEqual(usual);
    expect(usual).not.toEqual(usual.toSorted());
  });

  test('may be nobody', async () => {
    const { status, stdout } = await explain('--filter', 'eligibility');
    expect(status).toBe(0);
    expect(stdout).toMatch(/removed 0 of the 100/);
  });
});

describe('candidates', () => {
  test('have reasons that add up to the margin of their score, every one of them', async () => {
    const all = await lines('--candidates', ...trees);
    const { stdout } = await explain('--below-threshold', '--output', 'json', ...trees);
    const below = (JSON.parse(stdout) as { customers: number }).customers;
    expect(all.length + below).toBe(100);
    for (const { risk, margin, expected, contributions } of all) {
      const sum = Object.values(contributions).reduce((total, each) => total + each, expected);
      expect(sum).toBeCloseTo(margin, 10);
      // The score is float32.
      expect(1 / (1 + Math.exp(-margin))).toBeCloseTo(risk, 6);
    }
    expect(all.map(({ risk }) => risk)).toEqual(all.map(({ risk }) => risk).toSorted((one, other) => other - one));
    expect(all.some(({ values }) => values['days_since_last_purchase'] === null)).toBe(true);
    expect(all[0]?.values['verified']).toBe(true);
  });

  test('are told in words, with what is typical and what is missing', async () => {
    const [missing] = (await lines('--candidates', ...trees)).filter(
      ({ values }) => values['days_since_last_purchase'] === null,
    );
    const { stdout } = await explain(missing?.customer ?? '', '--reasons', '6', ...trees);
    expect(stdout).toMatch(/days_since_last_purchase missing \(typical 30\.\d+\) (raises|lowers) the risk by \d/);
    expect(stdout).toMatch(/verified true \(typical true\)/);
    expect(stdout).toMatch(/TreeSHAP.*trees.*Sigmoid/);
    const group = await explain('--candidates', '--sample', '2', '--reasons', '1', ...trees);
    expect(group.stdout).toMatch(/^ {2}C03\d\d +0\.\d{3} +\w+ +(treatment|holdout) +\w+ .* the risk by \d/m);
    expect(group.stdout.match(/the risk by/g)).toHaveLength(2);
  });

  test('of a model that is no tree are explained by occlusion', async () => {
    const [first] = await lines('--candidates');
    const { engagement_score: engagement, support_tickets: tickets } = (first?.values ?? {}) as Record<string, number>;
    const score = (one: number, other: number) => 1 / (1 + Math.exp(-(3 - 4 * one + other)));
    // Medians of the hundred who were scored.
    expect(first?.contributions['engagement_score']).toBeCloseTo(
      score(engagement!, tickets!) - score(0.45, tickets!),
      5,
    );
    expect(first?.contributions['support_tickets']).toBeCloseTo(
      score(engagement!, tickets!) - score(engagement!, 1),
      5,
    );
    expect((await explain(first?.customer ?? '')).stdout).toMatch(/occlusion\), as it has no trees/);
  });

  test('of a model with one feature', async () => {
    const nodes = [node('Sigmoid', ['features'], ['scores'])];
    const single = await writeModel(shop.folder, model({ nodes, input: ['N', 1], output: ['N', 1] }), {
      modelId: 'single',
      features: ['support_tickets'],
      typical: [0],
    });
    const program = await shop.program((spec) => {
      spec['scoringModels'] = [single];
    }, 'single.yaml');
    const state = ['--data', shop.path('state-single')];
    await shop.holdfast(['run', program, '--now', NOW, ...state]);
    const { risk } = await json<{ risk: { reasons: Reason[] } }>('C0302', ...state);
    expect(risk.reasons).toEqual([
      {
        feature: 'support_tickets',
        value: 2,
        typical: 0,
        contribution: expect.closeTo(1 / (1 + Math.exp(-2)) - 0.5, 6),
      },
    ]);
  });

  test('whose model was changed since are told without reasons, and why', async () => {
    const [before] = (await explain('--candidates', ...trees)).stdout.match(/^ {2}C03\d\d +0\.\d{3}/m) ?? [];
    await copyFile(shop.path('trees.onnx'), shop.path('kept.onnx'));
    await copyFile(shop.path('risk.onnx'), shop.path('trees.onnx'));
    const one = await explain(before?.trim().slice(0, 5) ?? '', ...trees);
    expect(one).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^reasons +none: HF_MODEL_DIGEST_MISMATCH: /m),
    });
    const group = await explain('--candidates', ...trees);
    expect(group).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^reasons +none: HF_MODEL_DIGEST_MISMATCH/m),
    });
    expect(group.stdout).toContain(before);
    const all = await explain('--candidates', '--sample', 'all', '--output', 'json', ...trees);
    expect(all).toMatchObject({ status: 0, stderr: expect.stringMatching(/^warning: no reasons: HF_MODEL_DIGEST/) });
    expect(JSON.parse(all.stdout.split('\n')[0] ?? '')).not.toHaveProperty('contributions');
    await copyFile(shop.path('kept.onnx'), shop.path('trees.onnx'));
  });

  test('whose manifest is not where it was are told so, and --models helps', async () => {
    const origin = join(trees[1] ?? '', 'artifacts/default/keep/keep-20261123t020000z-1/origin.json');
    await writeFile(origin, '{}');
    expect((await explain('--candidates', ...trees)).stdout).toMatch(/^reasons +none: .*--models$/m);
    expect((await explain('--candidates', ...trees, '--models', shop.folder)).stdout).toMatch(/TreeSHAP/);
  });
});

test('an id from the warehouse cannot steer the terminal', async () => {
  await using other = await workspace();
  await other.customers(
    "SELECT * REPLACE (customer_id || chr(27) || '[2J' || chr(8238) AS customer_id) FROM customers",
  );
  await other.holdfast(['run', await other.program(), '--now', NOW]);
  for (const group of [['--filter', 'trust'], ['--candidates']]) {
    const { status, stdout } = await other.holdfast(['explain', 'keep', ...group]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/C0\d\d\d\[2J/);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});

test('whoever is below the lowest level may be near it', async () => {
  const { customers, nearMisses, sample } = await json<{
    customers: number;
    nearMisses: { text: string; customers: number }[];
    sample: Row[];
  }>('--below-threshold', '--sample', '10000');
  expect(customers).toBe(sample.length);
  expect(customers).toBeGreaterThan(0);
  expect(nearMisses).toEqual([
    { text: 'riskLevels.medium 0.36 instead of 0.4', customers: sample.filter(({ risk }) => risk >= 0.36).length },
  ]);
});

describe('holdfast explain refuses', () => {
  test.each([
    [
      'a misspelt filter, saying what was meant',
      ['--filter', 'churn-signals'],
      /keep has no filter churn-signals \(did you mean churn-signal\?\); it has trust, churn-signal/,
    ],
    ['a filter that is none', ['--filter', 'xyz'], /has no filter xyz; it has/],
    ['neither a customer nor a group', [], /name a customer, or a group/],
    [
      'a customer and a filter',
      ['C0001', '--filter', 'trust'],
      /a customer and --filter ask about different customers/,
    ],
    ['two groups', ['--candidates', '--below-threshold'], /--candidates and --below-threshold/],
    ['a sample of nobody', ['--filter', 'trust', '--sample', '0'], /--sample 0 is not a whole number from 1 to 10000/],
    ['a sample of too many', ['--filter', 'trust', '--sample', '10001'], /from 1 to 10000/],
    ['a sample in words', ['--filter', 'trust', '--sample', 'ten'], /--sample ten is not a whole number/],
    ['a sample of one customer', ['C0001', '--sample', '3'], /--sample is for a group/],
    ['a seed for one customer', ['C0001', '--seed', '3'], /--seed is for a group/],
    [
      'everyone whom a filter removed',
      ['--filter', 'trust', '--sample', 'all', '--output', 'json'],
      /--sample all is for/,
    ],
    ['all candidates as text', ['--candidates', '--sample', 'all'], /--sample all needs --output json/],
    ['reasons of a filter', ['--filter', 'trust', '--reasons', '3'], /--reasons is for scored customers/],
    ['no reasons', ['--candidates', '--reasons', '0'], /--reasons 0 is not a whole number from 1 to 256/],
  ])('%s', async (_what, args, reason) => {
    const { status, stderr } = await explain(...args);
    expect(status).toBe(78);
    expect(stderr).toMatch(/^HF_USAGE: /);
    expect(stderr).toMatch(reason);
  });

  test('a group of a run that ended before it', async () => {
    const empty = await shop.program((spec) => {
      spec['dataConnectors'][0].config.query = 'SELECT * FROM customers WHERE false';
    }, 'empty.yaml');
    const state = ['--data', shop.path('state-empty')];
    const { stdout } = await shop.holdfast(['run', empty, '--now', NOW, '--output', 'json', ...state]);
    const { run } = JSON.parse(stdout) as { run: string };
    const { status, stderr } = await explain('--candidates', '--run', run, ...state);
    expect({ status, stderr }).toEqual({
      status: 78,
      stderr: expect.stringMatching(/^HF_NOT_FOUND: run .* ended before/),
    });
  });
});
