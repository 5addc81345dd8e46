import { Type } from 'typebox';
import { and, column, compare, truth, value } from './build.ts';
import type { FilterDefinition } from './filter.ts';

/** Passes customers whose identity was verified and whose `account_status` is exactly `active`. */
export const trust: FilterDefinition<Record<string, never>> = {
  rule: 'trust',
  type: 'trust',
  description: 'Verified customers with an active account.',
  parameters: Type.Object({}),
  predicate: () => and(truth('verified'), compare(column('account_status'), '=', value('active'))),
};
