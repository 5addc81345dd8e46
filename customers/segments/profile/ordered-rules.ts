import { FEATURES } from '../features.ts';
import { type GroupFigures, POSITIONS, type Position, positionOf } from './group-figures.ts';

/**
 * What a rule asks of a segment's median: where it lies among everybody's quartiles, or a number in the feature's unit.
 * The feature `proxy_churn` is the segment's share of inactive customers, which has no position.
 */
export type ProfileCondition =
  | { readonly feature: string; readonly is: 'at least' | 'under'; readonly value: number }
  | { readonly feature: string; readonly among: readonly Position[] };

/** Rules in the order in which they are tried: the first whose conditions all hold is the one. */
export interface OrderedRule {
  readonly when: readonly ProfileCondition[];
}

export const PROXY_CHURN_RATE = 'proxy_churn';

/** @throws RangeError where no rule holds, which `ruleProblems` finds beforehand */
export function firstRule<Rule extends OrderedRule>(
  rules: readonly Rule[],
  segment: GroupFigures,
  everybody: GroupFigures,
): Rule {
  const found = rules.find(({ when }) => when.every((condition) => holds(condition, segment, everybody)));
  if (found === undefined) throw new RangeError('no rule is for this profile');
  return found;
}

/** A feature that a snapshot does not have meets no condition. */
function holds(condition: ProfileCondition, segment: GroupFigures, everybody: GroupFigures): boolean {
  const { feature } = condition;
  const median =
    feature === PROXY_CHURN_RATE ? segment.churned / segment.customers : segment.quartiles[feature]?.median;
  if (median === undefined) return false;
  if (!('among' in condition))
    return condition.is === 'at least' ? median >= condition.value : median < condition.value;
  const of = everybody.quartiles[feature];
  return of !== undefined && condition.among.includes(positionOf(median, of));
}

/** Profiles that conditions tell apart: for each feature that is named, the cells that a profile may be in. */
type Box = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * What is wrong with rules, in sentences that count from 1: a rule that none can meet, one that never has its turn because
 * those before it take every profile that it would, profiles that no rule is for, and features that there are not.
 */
export function ruleProblems(rules: readonly OrderedRule[]): string[] {
  const unknown = rules.flatMap(({ when }, place) =>
    when.flatMap((condition) => conditionProblem(condition, place + 1)),
  );
  if (unknown.length > 0) return unknown;
  const cells = cellsOf(rules);
  const boxes = rules.map(({ when }) => boxOf(when, cells));
  const problems: string[] = [];
  for (const [place, box] of boxes.entries()) {
    if ([...box.values()].some(({ size }) => size === 0)) {
      problems.push(`rule ${place + 1} can be met by no profile: its conditions contradict each other`);
    } else if (isCovered(box, boxes.slice(0, place))) {
      problems.push(`rule ${place + 1} is never reached: every profile that it is for meets a rule before it`);
    }
  }
  if (!isCovered(cells, boxes))
    problems.push('there are profiles that no rule is for: end with a rule without conditions');
  return problems;
}

function conditionProblem(condition: ProfileCondition, rule: number): string[] {
  const { feature } = condition;
  if (feature === PROXY_CHURN_RATE) {
    return 'among' in condition
      ? [`rule ${rule} asks for a position of ${feature}, which has none: compare it with a share`]
      : [];
  }
  if (FEATURES.some(({ name }) => name === feature)) return [];
  return [`rule ${rule} asks for ${feature}, but the features are ${FEATURES.map(({ name }) => name).join(', ')}`];
}

/** Of each feature every position in every range between the numbers that rules compare with, and its absence. */
function cellsOf(rules: readonly OrderedRule[]): Box {
  const named = Map.groupBy(
    rules.flatMap(({ when }) => when),
    ({ feature }) => feature,
  );
  return new Map(
    [...named].map(([feature, conditions]) => {
      const numbers = conditions.flatMap((condition) => ('among' in condition ? [] : [condition.value]));
      // No feature is below 0, and no share above 1.
      const limits = [0, ...numbers.filter((value) => value > 0 && (feature !== PROXY_CHURN_RATE || value <= 1))];
      const positions = feature === PROXY_CHURN_RATE ? ['none'] : POSITIONS;
      const present = [...new Set(limits)].flatMap((from) => positions.map((position) => `${position} ${from}`));
      return [feature, new Set(feature === PROXY_CHURN_RATE ? present : [...present, 'absent'])];
    }),
  );
}

function boxOf(when: readonly ProfileCondition[], cells: Box): Box {
  return new Map(
    [...cells].map(([feature, all]) => {
      const conditions = when.filter((condition) => condition.feature === feature);
      return [feature, new Set([...all].filter((cell) => conditions.every((condition) => isIn(cell, condition))))];
    }),
  );
}

function isIn(cell: string, condition: ProfileCondition): boolean {
  if (cell === 'absent') return false;
  const [position, from] = cell.split(' ') as [Position, string];
  if ('among' in condition) return condition.among.includes(position);
  return condition.is === 'at least' ? Number(from) >= condition.value : Number(from) < condition.value;
}

/** Whether every profile in a box is in one of the others: what the first leaves of it is asked of the rest. */
function isCovered(box: Box, [first, ...rest]: readonly Box[]): boolean {
  if (first === undefined) return false;
  return without(box, first).every((piece) => isCovered(piece, rest));
}

/** The box less another, in boxes that do not overlap. */
function without(box: Box, other: Box): Box[] {
  const pieces: Box[] = [];
  let inside = box;
  for (const [feature, cells] of box) {
    const taken = other.get(feature) ?? new Set<string>();
    const outside = cells.difference(taken);
    if (outside.size > 0) pieces.push(new Map([...inside, [feature, outside]]));
    const shared = cells.intersection(taken);
    if (shared.size === 0) return [box];
    inside = new Map([...inside, [feature, shared]]);
  }
  return pieces;
}
