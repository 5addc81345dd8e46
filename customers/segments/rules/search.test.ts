import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { openEngine } from '../../../base/duckdb/engine.ts';
import { randomNumbers } from '../../../base/math/random-numbers.ts';
import { type Condition, type Rule, ruleFigures, ruleInSql, ruleInWords, worth } from './rule.ts';
import { type FeatureValues, findRules, SEARCH } from './search.ts';

const NAMES = ['recency_days', 'frequency_90d', 'spend_90d', 'refund_rate', 'tenure_days', 'season_share'];

const meets =
  (features: readonly FeatureValues[], row: number) =>
  ({ feature, is, value }: Condition) => {
    const given = features.find(({ name }) => name === feature)?.values[row] as number;
    return is === 'at least' ? given >= value : given < value;
  };

/** By the definition, one customer after the other. */
function figures(rule: Rule, features: readonly FeatureValues[], labels: Uint8Array, segment: number) {
  const rows = [...labels.keys()];
  const named = rows.filter((row) => rule.every(meets(features, row)));
  const right = named.filter((row) => labels[row] === segment);
  return ruleFigures(named.length, right.length, rows.filter((row) => labels[row] === segment).length);
}

function randomFeatures(rows: number, names: readonly string[], seed: number): FeatureValues[] {
  const random = randomNumbers(seed);
  return names.map((name) => ({
    name,
    values: Float64Array.from({ length: rows }, () => (random() < 0.05 ? Number.NaN : Math.floor(random() * 300))),
  }));
}

test('a segment that a rule made is found again, by a rule that tells it as well', () => {
  const features = randomFeatures(4000, NAMES, 3);
  const random = randomNumbers(8);
  for (let trial = 0; trial < 12; trial++) {
    const hidden: Rule = Array.from({ length: 1 + (trial % 3) }, (_, i) => ({
      feature: NAMES[(trial + 2 * i) % NAMES.length] as string,
      is: random() < 0.5 ? 'at least' : 'under',
      value: 90 + Math.floor(random() * 120),
    }));
    const labels = Uint8Array.from({ length: 4000 }, (_, row) => (hidden.every(meets(features, row)) ? 1 : 0));
    const found = findRules(features, labels, 2)[1];
    // Thresholds lie between quantiles: a customer in forty may be on the other side of each.
    expect(worth(found ?? { precision: 0, recall: 0 })).toBeGreaterThan(0.93);
    expect(found?.rule.length).toBeLessThanOrEqual(3);
  }
});

test('its figures are those of the rule, counted one by one', () => {
  const features = randomFeatures(777, NAMES.slice(0, 4), 5);
  const random = randomNumbers(2);
  const labels = Uint8Array.from({ length: 777 }, () => Math.floor(random() * 4));
  for (const [segment, found] of findRules(features, labels, 4).entries()) {
    const { rule, ...shown } = found ?? { rule: [] };
    expect(shown).toEqual(figures(rule, features, labels, segment));
  }
});

/** The best that any conjunction of at most three conditions reaches, all of them tried. */
function best(
  features: readonly FeatureValues[],
  labels: Uint8Array,
  segment: number,
  values: readonly number[],
): number {
  const conditions = features.flatMap(({ name }) =>
    values.flatMap((value): Condition[] => [
      { feature: name, is: 'at least', value },
      { feature: name, is: 'under', value },
    ]),
  );
  let most = 0;
  const extend = (rule: Rule, from: number) => {
    for (let place = from; place < conditions.length; place++) {
      const longer = [...rule, conditions[place] as Condition];
      most = Math.max(most, worth(figures(longer, features, labels, segment)));
      if (longer.length < 3) extend(longer, place + 1);
    }
  };
  extend([], 0);
  return most;
}

test('no other conjunction is better, on what is small enough to try them all', () => {
  const random = randomNumbers(21);
  for (let trial = 0; trial < 8; trial++) {
    // Four different values a feature: every threshold that tells anybody apart is tried.
    const features = NAMES.slice(0, 3).map((name) => ({
      name,
      values: Float64Array.from({ length: 60 }, () => Math.floor(random() * 4)),
    }));
    const labels = Uint8Array.from({ length: 60 }, (_, row) =>
      (features[0]?.values[row] as number) + (features[1]?.values[row] as number) + random() * 2 > 4 ? 1 : 0,
    );
    const found = findRules(features.slice(0, 2), labels, 2)[1];
    expect(worth(found ?? { precision: 0, recall: 0 })).toBeCloseTo(
      best(features.slice(0, 2), labels, 1, [0, 1, 2, 3]),
      12,
    );
  }
});

test('the same customers in another order have the same rules', () => {
  const features = randomFeatures(500, NAMES, 9);
  const random = randomNumbers(4);
  const labels = Uint8Array.from({ length: 500 }, (_, row) => ((features[0]?.values[row] as number) > 150 ? 1 : 0));
  const order = [...labels.keys()].map((row) => ({ row, by: random() })).sort((a, b) => a.by - b.by);
  const shuffled = features.map(({ name, values }) => ({
    name,
    values: Float64Array.from(order, ({ row }) => values[row] as number),
  }));
  expect(
    findRules(
      shuffled,
      Uint8Array.from(order, ({ row }) => labels[row] as number),
      2,
    ),
  ).toEqual(findRules(features, labels, 2));
});

test('where nobody is told apart, or nobody is there, there is no rule', () => {
  const same: FeatureValues[] = [{ name: 'recency_days', values: new Float64Array(10).fill(7) }];
  const labels = Uint8Array.from({ length: 10 }, (_, row) => row % 2);
  expect(findRules(same, labels, 3)).toEqual([undefined, undefined, undefined]);
  const missing: FeatureValues[] = [{ name: 'recency_days', values: new Float64Array(10).fill(Number.NaN) }];
  expect(findRules(missing, labels, 2)).toEqual([undefined, undefined]);
  expect(findRules([], new Uint8Array(0), 1)).toEqual([undefined]);
});

test('a rule has at most three conditions, and none that says nothing beside another', () => {
  const features = randomFeatures(600, NAMES, 31);
  const random = randomNumbers(6);
  const labels = Uint8Array.from({ length: 600 }, () => Math.floor(random() * 3));
  for (const found of findRules(features, labels, 3)) {
    const sides = (found?.rule ?? []).map(({ feature, is }) => `${feature} ${is}`);
    expect(new Set(sides).size).toBe(sides.length);
    expect(sides.length).toBeLessThanOrEqual(SEARCH.conditions);
  }
});

const RULE: Rule = [
  { feature: 'recency_days', is: 'at least', value: 95 },
  { feature: 'frequency_90d', is: 'under', value: 3 },
];

test.each<[Rule, string, string]>([
  [
    RULE,
    'last purchase 95 days ago or longer and under 3 purchases in 90 days',
    '"recency_days" >= 95 AND "frequency_90d" < 3',
  ],
  [
    [
      { feature: 'spend_90d', is: 'at least', value: 1200 },
      { feature: 'refund_rate', is: 'under', value: 0.07 },
      { feature: 'tenure_days', is: 'under', value: 1 },
    ],
    'spent 1,200 GBP or more in 90 days and under 7 % of invoices refunded and customer for under 1 day',
    '"spend_90d" >= 1200 AND "refund_rate" < 0.07 AND "tenure_days" < 1',
  ],
])('%j in words and in SQL', (rule, words, sql) => {
  expect(ruleInWords(rule, 'GBP')).toBe(words);
  expect(ruleInSql(rule)).toBe(sql);
});

test('SQL names whom the search counted, missing values and all', async () => {
  const features = randomFeatures(900, NAMES, 13);
  const labels = Uint8Array.from({ length: 900 }, (_, row) => ((features[2]?.values[row] as number) > 100 ? 1 : 0));
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  const list = (values: readonly (number | null)[]) =>
    `[${values.map((value) => value ?? 'NULL').join(', ')}]::DOUBLE[]`;
  const columns = features.map(
    ({ name, values }) =>
      `unnest(${list([...values].map((value) => (Number.isNaN(value) ? null : value)))}) AS "${name}"`,
  );
  await engine.run(`CREATE TABLE customers AS SELECT ${columns.join(', ')}`);
  for (const found of findRules(features, labels, 2)) {
    if (found === undefined) throw new Error('there is a rule for each');
    const [counted] = await engine.rows<{ named: number }>(
      `SELECT count(*)::INTEGER AS named FROM customers WHERE ${ruleInSql(found.rule)}`,
    );
    expect(counted?.named).toBe(found.named);
  }
});
