import { wilson } from '../../../base/math/reliability.ts';
import type { FeatureTransform } from '../transform.ts';
import type { GroupFigures, Quartiles } from './group-figures.ts';
import { NAMES, type NameRule, nameSegments, type SegmentName } from './names.ts';
import { firstRule } from './ordered-rules.ts';
import { PLAYBOOK, type Play, type PlaybookRule } from './playbook.ts';
import { type Trait, traitsOf } from './traits.ts';
import { FEWEST, type Told, toldCounts } from './withheld.ts';

/** A share of customers with its 95 % interval (Wilson 1927). */
export interface Rate {
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

/** What is told of a segment. Nothing of one under ten customers but its name; what is withheld is undefined. */
export interface SegmentProfile extends SegmentName {
  readonly segment: number;
  /** What the rules would call it by this month's figures, where that is not what they said when it was new. */
  readonly todaysRule: string | undefined;
  readonly customers: Told;
  /** Of the clustered customers. */
  readonly share: number | undefined;
  /** Undefined where it would tell the count: a share, or the width of an interval, gives away of how many it is. */
  readonly proxyChurn: Rate | undefined;
  readonly quartiles: Readonly<Record<string, Quartiles>>;
  readonly traits: readonly Trait[];
  readonly play: Play | undefined;
}

/** Everybody who is clustered: what segments are held against. */
export interface EverybodyProfile {
  readonly customers: Told;
  readonly proxyChurn: Rate | undefined;
  readonly quartiles: Readonly<Record<string, Quartiles>>;
}

export interface ProfileRequest {
  /** In the order of their ids. */
  readonly segments: readonly { readonly segment: number; readonly figures: GroupFigures }[];
  readonly everybody: GroupFigures;
  /** Of the model; the features that it has are those that tell segments apart. */
  readonly transforms: readonly FeatureTransform[];
  readonly currency?: string | undefined;
  readonly names?: readonly NameRule[] | undefined;
  readonly playbook?: readonly PlaybookRule[] | undefined;
  /** Names of the snapshot before; none where a person has changed the rules since. */
  readonly before?: ReadonlyMap<number, SegmentName> | undefined;
}

/** Profiles of a snapshot's segments, as they may leave. */
export function profilesOf(request: ProfileRequest): {
  readonly everybody: EverybodyProfile;
  readonly profiles: readonly SegmentProfile[];
} {
  const { segments, everybody, transforms, currency, names = NAMES, playbook = PLAYBOOK } = request;
  const told = toldCounts(segments.map(({ figures }) => figures.customers));
  const called = nameSegments(segments, everybody, transforms, names, request.before);
  const profiles = segments.map(({ segment, figures }, place): SegmentProfile => {
    const name = called.get(segment) as SegmentName;
    const customers = told.counts[place];
    const today = firstRule(names, figures, everybody).name;
    const isFew = figures.customers < FEWEST;
    return {
      segment,
      ...name,
      todaysRule: isFew || today === name.ruleName ? undefined : today,
      customers,
      share: customers === undefined || told.total === undefined ? undefined : customers / told.total,
      proxyChurn: customers === undefined ? undefined : rateOf(figures),
      quartiles: isFew ? {} : figures.quartiles,
      traits: isFew ? [] : traitsOf(figures, everybody, transforms, currency),
      play: isFew ? undefined : playOf(firstRule(playbook, figures, everybody)),
    };
  });
  const isFew = everybody.customers < FEWEST;
  return {
    profiles,
    everybody: {
      customers: told.total,
      proxyChurn: told.total === undefined ? undefined : rateOf(everybody),
      quartiles: isFew ? {} : everybody.quartiles,
    },
  };
}

const playOf = ({ offer, channel }: PlaybookRule): Play => ({ offer, channel });

/** @returns undefined of nobody */
function rateOf({ churned, customers }: GroupFigures): Rate | undefined {
  if (customers === 0) return undefined;
  const [low, high] = wilson(churned, customers);
  return { rate: churned / customers, low, high };
}
