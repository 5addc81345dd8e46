import { expect, test } from '@jest/globals';
import { alerts, GATES, type GateName, type GateResult, judge, rejections, type SnapshotFigures } from './gates.ts';
import { shareInWords } from './words.ts';

/** A snapshot that passes every gate. */
const GOOD: SnapshotFigures = {
  segments: [
    { id: 1, share: 0.5, proxyChurn: 0.1, rule: { precision: 0.9, recall: 0.9 } },
    { id: 2, share: 0.3, proxyChurn: 0.2, rule: { precision: 0.8, recall: 0.95 } },
    { id: 3, share: 0.2, proxyChurn: 0.7, rule: { precision: 0.85, recall: 0.82 } },
  ],
  proxyChurn: 0.25,
  silhouette: 0.45,
  missing: [{ feature: 'recency_days', share: 0 }],
  before: { silhouette: 0.46, modelAgreement: 0.9, labelAgreement: 0.8 },
  forward: { oddsRatio: 2.4, rankCorrelation: 0.9 },
};

const resultOf = (gate: GateName, figures: SnapshotFigures): GateResult => {
  const result = judge(figures).find((one) => one.gate === gate);
  if (result === undefined) throw new Error(gate);
  return result;
};

const segment = (change: Partial<SnapshotFigures['segments'][number]>): SnapshotFigures => ({
  ...GOOD,
  segments: [...GOOD.segments.slice(0, 2), { ...(GOOD.segments[2] as SnapshotFigures['segments'][number]), ...change }],
});

test('a good snapshot passes every gate', () => {
  const results = judge(GOOD);
  expect(results.map(({ gate }) => gate)).toEqual(Object.keys(GATES));
  expect(results.filter(({ outcome }) => outcome !== 'Passed')).toEqual([]);
  expect(rejections(results)).toEqual([]);
  expect(alerts(results)).toEqual([]);
});

test.each<[string, SnapshotFigures, GateName, GateResult['outcome'], 'rejected' | 'alerted' | 'neither']>([
  ['a segment of 2.9 %', segment({ share: 0.029 }), 'smallestSegment', 'Failed', 'rejected'],
  ['a segment of exactly 3 %', segment({ share: 0.03 }), 'smallestSegment', 'Passed', 'neither'],
  ['a riskiest segment at exactly twice the average', segment({ proxyChurn: 0.5 }), 'lift', 'Failed', 'rejected'],
  ['more than half inactive', { ...GOOD, proxyChurn: 0.51 }, 'lift', 'NotJudgeable', 'rejected'],
  ['nobody inactive', { ...GOOD, proxyChurn: 0 }, 'lift', 'NotJudgeable', 'rejected'],
  [
    'a model that agrees at exactly 0.7',
    { ...GOOD, before: { silhouette: 0.4, modelAgreement: 0.7, labelAgreement: 0.9 } },
    'modelAgreement',
    'Failed',
    'rejected',
  ],
  ['the first snapshot', { ...GOOD, before: undefined }, 'modelAgreement', 'NotApplicable', 'neither'],
  ['a rule of recall 0.74', segment({ rule: { precision: 1, recall: 0.74 } }), 'interpretable', 'Failed', 'rejected'],
  [
    'a rule of precision 0.74',
    segment({ rule: { precision: 0.74, recall: 1 } }),
    'interpretable',
    'Failed',
    'rejected',
  ],
  ['a segment without a rule', segment({ rule: undefined }), 'interpretable', 'Failed', 'rejected'],
  ['a segment of 51 %', segment({ share: 0.51 }), 'largestSegment', 'Failed', 'alerted'],
  [
    '6 % missing',
    { ...GOOD, missing: [...GOOD.missing, { feature: 'last_login_days', share: 0.06 }] },
    'missing',
    'Failed',
    'alerted',
  ],
  ['a silhouette that fell by 0.12', { ...GOOD, silhouette: 0.34 }, 'silhouetteDrop', 'Failed', 'alerted'],
  ['no silhouette any more', { ...GOOD, silhouette: undefined }, 'silhouetteDrop', 'NotJudgeable', 'alerted'],
  [
    'labels that agree at 0.5',
    { ...GOOD, before: { silhouette: 0.4, modelAgreement: 0.9, labelAgreement: 0.5 } },
    'labelAgreement',
    'Failed',
    'neither',
  ],
  ['odds of 1.9', { ...GOOD, forward: { oddsRatio: 1.9, rankCorrelation: 0.9 } }, 'forwardOdds', 'Failed', 'alerted'],
  ['no snapshot old enough', { ...GOOD, forward: undefined }, 'forwardOdds', 'NotApplicable', 'neither'],
  [
    'an order without a rank',
    { ...GOOD, forward: { oddsRatio: 3, rankCorrelation: undefined } },
    'forwardRank',
    'NotJudgeable',
    'alerted',
  ],
])('%s', (_, figures, gate, outcome, consequence) => {
  const results = judge(figures);
  expect(resultOf(gate, figures).outcome).toBe(outcome);
  const names = (of: readonly GateResult[]) => of.map((result) => result.gate);
  expect(names(rejections(results)).includes(gate)).toBe(consequence === 'rejected');
  expect(names(alerts(results)).includes(gate)).toBe(consequence === 'alerted');
});

test('a rejection says what was found and what to try', () => {
  expect(rejections(judge(segment({ share: 0.012 })))).toEqual([
    {
      gate: 'smallestSegment',
      outcome: 'Failed',
      fails: 'reject',
      waived: false,
      limit: 0.03,
      value: 0.012,
      sentence: 'the smallest segment, 3, has 1.2 % of the customers',
      advice: 'try fewer segments, or a population of customers who were active more recently',
    },
  ]);
});

test('a gate that is waived does not reject, and is told', () => {
  const results = judge(segment({ share: 0.01 }), { smallestSegment: { waived: true } });
  expect(rejections(results)).toEqual([]);
  expect(alerts(results).map(({ gate, waived }) => [gate, waived])).toEqual([['smallestSegment', true]]);
});

test('a manifest may set another limit, or have an alert reject', () => {
  const settings = { largestSegment: { fails: 'reject', limit: 0.4 }, smallestSegment: { limit: 0.1 } } as const;
  expect(rejections(judge(GOOD, settings)).map(({ gate }) => gate)).toEqual(['largestSegment']);
});

test('nobody at all is nothing to judge by', () => {
  const nobody: SnapshotFigures = {
    segments: [],
    proxyChurn: 0,
    silhouette: undefined,
    missing: [],
    before: undefined,
    forward: undefined,
  };
  expect(new Set(judge(nobody).map(({ outcome }) => outcome))).toEqual(new Set(['NotApplicable']));
});

test.each([
  [0, '0 %'],
  [0.00001, 'under 0.01 %'],
  [0.0049, '0.49 %'],
  [0.1234, '12.3 %'],
  [0.99999, 'over 99.9 %'],
  [1, '100 %'],
])('%d is %s', (share, words) => {
  expect(shareInWords(share)).toBe(words);
});
