import { featureOf } from '../features.ts';
import type { FeatureTransform } from '../transform.ts';
import type { GroupFigures } from './group-figures.ts';
import { firstRule, type OrderedRule } from './ordered-rules.ts';
import { transformed } from './traits.ts';

export interface NameRule extends OrderedRule {
  readonly name: string;
}

/** How segments are called where the manifest says nothing else. */
export const NAMES: readonly NameRule[] = [
  { name: 'Needs help', when: [{ feature: 'support_tickets_90d', among: ['highest'] }] },
  {
    name: 'Returned much and gone quiet',
    when: [
      { feature: 'refund_rate', among: ['highest'] },
      { feature: 'refund_rate', is: 'at least', value: 0.25 },
      { feature: 'recency_days', among: ['highest'] },
    ],
  },
  {
    name: 'Returns much',
    when: [
      { feature: 'refund_rate', among: ['highest'] },
      { feature: 'refund_rate', is: 'at least', value: 0.25 },
    ],
  },
  {
    name: 'Best customers',
    when: [
      { feature: 'recency_days', among: ['lowest', 'low'] },
      { feature: 'frequency_90d', among: ['highest'] },
      { feature: 'frequency_90d', is: 'at least', value: 5 },
      { feature: 'spend_90d', among: ['highest'] },
    ],
  },
  {
    name: 'Regulars',
    when: [
      { feature: 'recency_days', among: ['lowest', 'low'] },
      { feature: 'frequency_90d', among: ['high', 'highest'] },
    ],
  },
  {
    name: 'Newcomers',
    when: [
      { feature: 'recency_days', among: ['lowest', 'low'] },
      { feature: 'tenure_days', among: ['lowest'] },
    ],
  },
  {
    name: 'Long-standing customers',
    when: [
      { feature: 'recency_days', among: ['lowest', 'low'] },
      { feature: 'tenure_days', among: ['high', 'highest'] },
    ],
  },
  { name: 'Active now and then', when: [{ feature: 'recency_days', among: ['lowest', 'low', 'middle'] }] },
  {
    name: 'Good customers slipping away',
    when: [
      { feature: 'recency_days', among: ['high', 'highest'] },
      { feature: 'spend_90d', among: ['high', 'highest'] },
    ],
  },
  { name: 'Gone quiet', when: [{ feature: 'recency_days', among: ['highest'] }] },
  { name: 'Slipping away', when: [{ feature: 'recency_days', among: ['high'] }] },
  { name: 'Others', when: [] },
];

export interface SegmentName {
  /** Unlike every other segment's. */
  readonly name: string;
  /** What the rules said when the segment was new. */
  readonly ruleName: string;
}

/** A segment to be named. */
export interface Unnamed {
  readonly segment: number;
  readonly figures: GroupFigures;
}

/**
 * Names segments: one that goes on keeps its name, a new one is called as the first rule says that holds for it, and where
 * that is taken, with what tells it from the others of that name.
 * @param before names of the snapshot before, by segment; none where a person has changed the rules since, so that it shows
 */
export function nameSegments(
  segments: readonly Unnamed[],
  everybody: GroupFigures,
  transforms: readonly FeatureTransform[],
  rules: readonly NameRule[] = NAMES,
  before: ReadonlyMap<number, SegmentName> = new Map(),
): Map<number, SegmentName> {
  const named = new Map<number, SegmentName>();
  for (const { segment } of segments) {
    const kept = before.get(segment);
    if (kept !== undefined) named.set(segment, kept);
  }
  const taken = new Set([...before.values()].map(({ name }) => name));
  const fresh = segments.filter(({ segment }) => !named.has(segment));
  const ruled = Map.groupBy(fresh, ({ figures }) => firstRule(rules, figures, everybody).name);
  for (const [rule, alike] of ruled) {
    const kept = segments.filter(({ segment }) => named.get(segment)?.ruleName === rule);
    for (const [segment, suffixes] of suffixesOf([...kept, ...alike], transforms)) {
      if (named.has(segment)) continue;
      let name = [rule, ...suffixes].join(', ');
      while (taken.has(name)) name += `, segment ${segment}`;
      taken.add(name);
      named.set(segment, { name, ruleName: rule });
    }
  }
  return new Map(segments.map(({ segment }) => [segment, named.get(segment) as SegmentName]));
}

/** Splits a group in two at the widest gap between medians, and each part again, until each is alone. */
function suffixesOf(
  group: readonly Unnamed[],
  transforms: readonly FeatureTransform[],
): ReadonlyMap<number, readonly string[]> {
  if (group.length < 2) return new Map(group.map(({ segment }) => [segment, []] as const));
  let widest = { gap: 0, feature: '', below: 0, sorted: group };
  for (const transform of transforms) {
    const { feature } = transform;
    const at = ({ figures }: Unnamed) => transformed(transform, figures.quartiles[feature]?.median ?? Number.NaN);
    const sorted = group.toSorted((one, other) => at(one) - at(other) || one.segment - other.segment);
    for (let below = 1; below < sorted.length; below++) {
      const gap = at(sorted[below] as Unnamed) - at(sorted[below - 1] as Unnamed);
      if (gap > widest.gap) widest = { gap, feature, below, sorted };
    }
  }
  if (widest.gap === 0) return new Map(group.map(({ segment }) => [segment, [`segment ${segment}`]] as const));
  const { less, more } = featureOf(widest.feature);
  const part = (of: readonly Unnamed[], words: string) =>
    [...suffixesOf(of, transforms)].map(([segment, rest]) => [segment, [words, ...rest]] as const);
  return new Map([
    ...part(widest.sorted.slice(0, widest.below), less),
    ...part(widest.sorted.slice(widest.below), more),
  ]);
}
