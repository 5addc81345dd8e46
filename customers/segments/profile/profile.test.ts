import { expect, test } from '@jest/globals';
import { wilson } from '../../../base/math/reliability.ts';
import type { FeatureTransform } from '../transform.ts';
import type { GroupFigures } from './group-figures.ts';
import { type NameRule, nameSegments, type SegmentName } from './names.ts';
import { type ProfileRequest, profilesOf } from './profile.ts';
import { traitsOf } from './traits.ts';

const plain = (feature: string, scale: number): FeatureTransform => ({
  feature,
  logarithm: false,
  cap: 1e9,
  mean: 0,
  scale,
  missing: 0,
});
const TRANSFORMS = [
  plain('recency_days', 40),
  plain('frequency_90d', 2),
  { ...plain('spend_90d', 1), logarithm: true },
  plain('refund_rate', 0.2),
];

/** Figures with these medians; quartiles lie a third around them. */
function group(
  medians: readonly [days: number, purchases: number, spend: number, refunds: number],
  customers = 100,
  churned = 20,
): GroupFigures {
  const names = ['recency_days', 'frequency_90d', 'spend_90d', 'refund_rate'];
  const quartiles = medians.map(
    (median, place) => [names[place] as string, { lower: median * 0.67, median, upper: median * 1.33 }] as const,
  );
  return { customers, churned, quartiles: Object.fromEntries(quartiles) };
}

const EVERYBODY = group([40, 2, 300, 0], 1000, 300);
const REQUEST: ProfileRequest = {
  segments: [
    { segment: 1, figures: group([8, 6, 2000, 0.1], 200, 0) },
    { segment: 2, figures: group([120, 0, 0, 0], 300, 300) },
    { segment: 5, figures: group([38, 2, 310, 0], 500, 0) },
  ],
  everybody: EVERYBODY,
  transforms: TRANSFORMS,
  currency: 'GBP',
};
const named = (
  segments: ProfileRequest['segments'],
  before?: ReadonlyMap<number, SegmentName>,
  rules?: readonly NameRule[],
) => [...nameSegments(segments, EVERYBODY, TRANSFORMS, rules, before)].map(([id, { name }]) => [id, name]);
const ALIKE: readonly NameRule[] = [{ name: 'Alike', when: [] }];

test('a profile says how many, how risky, what is unlike everybody, and what to do', () => {
  const { profiles, everybody } = profilesOf(REQUEST);
  const [low, high] = wilson(0, 200);
  expect(everybody).toMatchObject({ customers: 1000, proxyChurn: { rate: 0.3 } });
  expect(profiles[0]).toEqual({
    segment: 1,
    name: 'Best customers',
    ruleName: 'Best customers',
    todaysRule: undefined,
    customers: 200,
    share: 0.2,
    proxyChurn: { rate: 0, low, high },
    quartiles: REQUEST.segments[0]?.figures.quartiles,
    traits: [
      expect.objectContaining({ feature: 'frequency_90d', is: 'more', distance: 2 }),
      expect.objectContaining({ feature: 'spend_90d', is: 'more' }),
      expect.objectContaining({ feature: 'recency_days', is: 'less' }),
    ],
    play: {
      offer: 'early access and thanks; no discount, since they buy without',
      channel: 'e-mail and account manager',
    },
  });
  expect(profiles[1]?.traits.map(({ sentence }) => sentence)).toEqual([
    'spends less: typically 0 GBP, against 300 GBP of everybody',
    'bought longer ago: typically 120 days, against 40 days of everybody',
    'buys less often: typically 0 purchases, against 2 purchases of everybody',
  ]);
});

test('what is near everybody is told with its figures, and what is the same in words is not told', () => {
  expect(traitsOf(group([38, 2, 300.4, 0]), EVERYBODY, TRANSFORMS).map(({ sentence }) => sentence)).toEqual([
    'bought more recently: typically 38 days, against 40 days of everybody',
  ]);
  // Of equals the one that stands first.
  expect(traitsOf(group([80, 4, 300, 0]), EVERYBODY, TRANSFORMS).map(({ feature }) => feature)).toEqual([
    'recency_days',
    'frequency_90d',
  ]);
  expect(traitsOf({ customers: 10, churned: 0, quartiles: {} }, EVERYBODY, TRANSFORMS)).toEqual([]);
});

test('segments of one rule are told apart by what differs most', () => {
  const figures = [group([10, 2, 300, 0]), group([10, 9, 300, 0]), group([90, 8, 300, 0])];
  const segments = figures.map((one, index) => ({ segment: index + 1, figures: one }));
  expect(named(segments.slice(0, 2), undefined, ALIKE)).toEqual([
    [1, 'Alike, buys less often'],
    [2, 'Alike, buys more often'],
  ]);
  expect(named(segments, undefined, ALIKE)).toEqual([
    [1, 'Alike, buys less often'],
    [2, 'Alike, buys more often, bought more recently'],
    [3, 'Alike, buys more often, bought longer ago'],
  ]);
  const same = segments.map(({ segment }) => ({ segment, figures: EVERYBODY }));
  expect(new Set(named(same, undefined, ALIKE).map(([, name]) => name)).size).toBe(3);
});

test('a segment that goes on keeps its name, whatever comes, and says what it would be called today', () => {
  const before = new Map([
    [5, { name: 'Best customers', ruleName: 'Best customers' }],
    [9, { name: 'Gone quiet', ruleName: 'Gone quiet' }],
  ]);
  const { profiles } = profilesOf({ ...REQUEST, before });
  expect(profiles.map(({ segment, name, todaysRule }) => [segment, name, todaysRule])).toEqual([
    [1, 'Best customers, buys more often', undefined],
    // That name was of a segment that is gone.
    [2, 'Gone quiet, segment 2', undefined],
    [5, 'Best customers', 'Active now and then'],
  ]);
});

test('two segments never have the same name, even where the rules are called like suffixes', () => {
  const rules: NameRule[] = [
    { name: 'A, spends more', when: [{ feature: 'recency_days', is: 'under', value: 20 }] },
    { name: 'A', when: [] },
  ];
  const segments = [group([10, 2, 300, 0]), group([50, 2, 100, 0]), group([50, 2, 900, 0])].map((figures, index) => ({
    segment: index + 1,
    figures,
  }));
  const names = named(segments, undefined, rules).map(([, name]) => name);
  expect(new Set(names).size).toBe(3);
});

test('nothing is told of a segment of nine, nor what it could be computed from', () => {
  const segments = [...REQUEST.segments, { segment: 6, figures: group([60, 1, 100, 0.5], 9, 4) }];
  const { profiles, everybody } = profilesOf({ ...REQUEST, segments, everybody: group([40, 2, 300, 0], 1009, 304) });
  expect(profiles[3]).toMatchObject({
    customers: undefined,
    share: undefined,
    proxyChurn: undefined,
    quartiles: {},
    traits: [],
    play: undefined,
  });
  // The smallest of the others: its count, or an interval whose width tells the count, would tell the nine.
  expect(profiles[0]).toMatchObject({ customers: undefined, share: undefined, proxyChurn: undefined });
  expect(profiles[0]?.traits).toHaveLength(3);
  expect(profiles.slice(1, 3).map(({ customers }) => customers)).toEqual([300, 500]);
  expect(everybody.customers).toBe(1009);
  const few = profilesOf({ ...REQUEST, segments: segments.slice(3), everybody: group([60, 1, 100, 0.5], 9, 4) });
  expect(few.everybody).toEqual({ customers: undefined, proxyChurn: undefined, quartiles: {} });
});
