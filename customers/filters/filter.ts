import type { TSchema } from 'typebox';
import type { Predicate } from './predicate.ts';

export type FilterType = 'trust' | 'business-rule' | 'eligibility' | 'expression';

/**
 * One kind of filter. Several may share a `type` (`business-rule` has three): they are told apart by the
 * names of their parameters. Adding one is a file here and a line in `index.ts`.
 */
export interface FilterDefinition<Parameters = unknown> {
  /** Name of the rule, such as `churn-signal`. */
  readonly rule: string;
  readonly type: FilterType;
  readonly description: string;
  /** Schema of its parameters, as TypeBox; defaults inside. */
  readonly parameters: TSchema;
  /** What the schema cannot say: the parameter at fault and a sentence, or undefined when all is well. */
  readonly fault?: (parameters: Parameters, program: FilterProgram) => ParameterFault | undefined;
  /** True for the customers who pass. @throws HF_EXPRESSION_INVALID */
  readonly predicate: (parameters: Parameters, program: FilterProgram) => Predicate;
}

export interface ParameterFault {
  readonly parameter: string;
  readonly message: string;
}

/** What a filter may know of its program. */
export interface FilterProgram {
  readonly marketplaces: readonly string[];
  /** From the lowest. */
  readonly subscriptionTiers: readonly string[];
}

/** How far back offers are read, in days before the slot: two quarters, and so the longest cooldown there is. */
export const OFFER_HISTORY_DAYS = 184;

/** Columns that the filter stage derives from the offer history before the chain runs. */
export const OFFER_HISTORY_COLUMNS = {
  /** Whole days from the newest offer of this program to the slot; missing when there was none. */
  daysSinceProgramOffer: 'days_since_program_offer',
  /** Retention offers of all programs in the 90 days before the slot. */
  offersRollingQuarter: 'offers_rolling_quarter',
  /** Retention offers of all programs since the calendar quarter of the slot began, in the program's zone. */
  offersCalendarQuarter: 'offers_calendar_quarter',
} as const;
