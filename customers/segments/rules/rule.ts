import { featureOf, withUnit } from '../features.ts';

/** One feature beside one number. A missing value meets no condition. */
export interface Condition {
  readonly feature: string;
  readonly is: 'at least' | 'under';
  /** In the feature's unit, as a person is told it: what is printed is what is compared. */
  readonly value: number;
}

/** Who is in a segment, in raw units: everyone who meets all conditions. */
export type Rule = readonly Condition[];

/** How well a rule tells a segment: of whom it names, how many are in it, and of whom is in it, how many it names. */
export interface RuleFigures {
  readonly precision: number;
  readonly recall: number;
  /** Whom it names. */
  readonly named: number;
  /** Whom it names who are in the segment. */
  readonly right: number;
}

/** @returns both shares 0 where nobody is named, or nobody is in the segment */
export function ruleFigures(named: number, right: number, inSegment: number): RuleFigures {
  return {
    precision: named === 0 ? 0 : right / named,
    recall: inSegment === 0 ? 0 : right / inSegment,
    named,
    right,
  };
}

/** By which rules are compared: the smaller of precision and recall. */
export function worth({ precision, recall }: Pick<RuleFigures, 'precision' | 'recall'>): number {
  return Math.min(precision, recall);
}

/** A rule in a marketer's words, such as `last purchase 95 days ago or longer and under 3 purchases in 90 days`. */
export function ruleInWords(rule: Rule, currency?: string): string {
  return rule
    .map(({ feature, is, value }) => {
      const { unit, atLeast, under } = featureOf(feature);
      return (is === 'at least' ? atLeast : under)(withUnit(value, unit, currency));
    })
    .join(' and ');
}

/** A rule as a condition of SQL over the columns of the features, the same in every dialect there is. */
export function ruleInSql(rule: Rule): string {
  return rule.map(({ feature, is, value }) => `"${feature}" ${is === 'at least' ? '>=' : '<'} ${value}`).join(' AND ');
}
