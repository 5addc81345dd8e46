import { featureOf, sayable } from '../features.ts';
import { type Bits, bitsOf, both, count, countAll, countBoth } from './bits.ts';
import { type Condition, type Rule, type RuleFigures, ruleFigures, worth } from './rule.ts';

/** A feature of the customers of a sample, in raw units; NaN where it is missing. */
export interface FeatureValues {
  readonly name: string;
  readonly values: Float64Array;
}

export interface SearchOptions {
  /** Most conditions of a rule. */
  readonly conditions: number;
  /** Thresholds of a feature, at quantiles of the sample. */
  readonly thresholds: number;
  /** Rules that are followed further, by each of two orders. */
  readonly beam: number;
}

export const SEARCH: SearchOptions = { conditions: 3, thresholds: 40, beam: 25 };

/** A rule, and how well it tells its segment on the sample. */
export interface FoundRule extends RuleFigures {
  readonly rule: Rule;
}

interface Candidate {
  readonly condition: Condition;
  readonly bits: Bits;
}

/** A conjunction under way. */
interface Conjunction extends RuleFigures {
  /** Places of its conditions among the candidates, ascending. */
  readonly places: readonly number[];
  /** Who meets all of them but the last that was added; undefined where there is no other. */
  readonly parent: Bits | undefined;
  readonly last: Bits;
}

/**
 * For each segment the rule of at most three conditions that tells it best, by the smaller of precision and recall: a beam
 * search over conjunctions, as subgroup discovery has it (Klösgen 1996; CN2, Clark and Niblett 1989). Of equals the one with
 * fewer conditions, then the one whose conditions stand first.
 * @param labels segment of each customer of the sample
 * @returns by segment; undefined for one without customers, or where no feature tells anybody apart
 */
export function findRules(
  features: readonly FeatureValues[],
  labels: Uint8Array,
  segments: number,
  options: SearchOptions = SEARCH,
): (FoundRule | undefined)[] {
  const candidates = features.flatMap((feature) => conditionsOn(feature, options.thresholds));
  return Array.from({ length: segments }, (_, segment) =>
    bestRule(
      candidates,
      bitsOf(labels.length, (row) => labels[row] === segment),
      labels.length,
      options,
    ),
  );
}

/** Both sides of each threshold that tells somebody apart. */
function conditionsOn({ name, values }: FeatureValues, thresholds: number): Candidate[] {
  return thresholdsOf(name, values, thresholds).flatMap((value) => {
    const sides: Candidate[] = [
      {
        condition: { feature: name, is: 'at least', value },
        bits: bitsOf(values.length, (row) => at(values, row) >= value),
      },
      {
        condition: { feature: name, is: 'under', value },
        bits: bitsOf(values.length, (row) => at(values, row) < value),
      },
    ];
    return sides.filter(({ bits }) => {
      const named = count(bits);
      return named > 0 && named < values.length;
    });
  });
}

const at = (values: Float64Array, row: number): number => values[row] as number;

/** Numbers that a person would say, near the quantiles and just above them: what many have is a border on both sides. */
function thresholdsOf(name: string, values: Float64Array, thresholds: number): number[] {
  const { unit } = featureOf(name);
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  if (known.length === 0) return [];
  const found = new Set<number>();
  for (let part = 0; part <= thresholds; part++) {
    const value = at(known, Math.round((part / thresholds) * (known.length - 1)));
    found.add(sayable(value, unit));
    const above = known[firstAbove(known, value)];
    if (above !== undefined) found.add(sayable(above, unit));
  }
  return [...found].sort((a, b) => a - b);
}

/** Place of the first value greater than this one, in an ascending list. */
function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(sorted, middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bestRule(
  candidates: readonly Candidate[],
  segment: Bits,
  rows: number,
  { conditions, beam }: SearchOptions,
): FoundRule | undefined {
  const inSegment = count(segment);
  if (inSegment === 0) return undefined;
  let best: Conjunction | undefined;
  let frontier: readonly (Conjunction | undefined)[] = [undefined];
  for (let length = 1; length <= conditions; length++) {
    const found = new Map<number, Conjunction>();
    for (const parent of frontier) {
      const bits = parent === undefined ? undefined : rowsOf(parent);
      for (const [place, candidate] of candidates.entries()) {
        if (parent?.places.some((other) => isAlike(candidates[other] as Candidate, candidate))) continue;
        const places = [...(parent?.places ?? []), place].sort((a, b) => a - b);
        const key = places.reduce((sum, other) => sum * candidates.length + other, 0);
        if (found.has(key)) continue;
        const extended = extend(parent, bits, places, candidate, segment, inSegment);
        if (extended === undefined) continue;
        found.set(key, extended);
        if (isBetter(extended, best)) best = extended;
      }
    }
    frontier = mostPromising([...found.values()], best, inSegment / rows, beam);
  }
  if (best === undefined) return undefined;
  const { precision, recall, named, right, places } = best;
  return { rule: places.map((place) => (candidates[place] as Candidate).condition), precision, recall, named, right };
}

/** Whether two conditions bound the same feature on the same side: one of them says nothing beside the other. */
function isAlike({ condition: one }: Candidate, { condition: other }: Candidate): boolean {
  return one.feature === other.feature && one.is === other.is;
}

const rowsOf = ({ parent, last }: Conjunction): Bits => (parent === undefined ? last : both(parent, last));

/** A conjunction with one more condition; undefined where that changes nothing, or leaves nobody of the segment. */
function extend(
  before: Conjunction | undefined,
  parent: Bits | undefined,
  places: readonly number[],
  { bits: last }: Candidate,
  segment: Bits,
  inSegment: number,
): Conjunction | undefined {
  const right = parent === undefined ? countBoth(last, segment) : countAll(parent, last, segment);
  if (right === 0) return undefined;
  const named = parent === undefined ? count(last) : countBoth(parent, last);
  if (named === before?.named) return undefined;
  return { ...ruleFigures(named, right, inSegment), places, parent, last };
}

function isBetter(one: Conjunction, other: Conjunction | undefined): boolean {
  if (other === undefined) return true;
  const difference = worth(one) - worth(other);
  if (difference !== 0) return difference > 0;
  // Those with fewer conditions were found before.
  return one.places.length === other.places.length && comparePlaces(one, other) < 0;
}

function comparePlaces(one: Conjunction, other: Conjunction): number {
  const i = one.places.findIndex((place, i) => place !== other.places[i]);
  return i === -1 ? 0 : (one.places[i] as number) - (other.places[i] as number);
}

/**
 * The conjunctions to follow further. More conditions only name fewer, so that recall bounds what may come of one; of the
 * rest, those that are best as they are, and those that set the most of the segment apart (weighted relative accuracy).
 */
function mostPromising(
  found: readonly Conjunction[],
  best: Conjunction | undefined,
  share: number,
  beam: number,
): Conjunction[] {
  const open = found.filter(({ recall }) => best === undefined || recall > worth(best));
  const first = (order: (rule: Conjunction) => number) =>
    [...open].sort((a, b) => order(b) - order(a) || comparePlaces(a, b)).slice(0, beam);
  return [...new Set([...first(worth), ...first(({ named, precision }) => named * (precision - share))])];
}
