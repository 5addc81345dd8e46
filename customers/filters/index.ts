import { churnSignal } from './churn-signal.ts';
import { customerValue } from './customer-value.ts';
import { eligibility } from './eligibility.ts';
import { expression } from './expression.ts';
import type { FilterDefinition } from './filter.ts';
import { frequencyCap } from './frequency-cap.ts';
import { trust } from './trust.ts';

/** Every kind of filter, in the order in which the documentation lists them. */
export const FILTERS = [
  trust,
  churnSignal,
  customerValue,
  frequencyCap,
  eligibility,
  expression,
] as const as readonly FilterDefinition[];
