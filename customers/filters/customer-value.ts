import { type Static, Type } from 'typebox';
import { and, column, compare, value } from './build.ts';
import type { FilterDefinition } from './filter.ts';
import type { Predicate } from './predicate.ts';

const parameters = Type.Object({
  minLifetimeValue: Type.Optional(
    Type.Number({ minimum: 0, maximum: 1e12, description: 'Least `lifetime_value` that passes, in program currency.' }),
  ),
  minSubscriptionTier: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 63,
      description: 'Least `subscription_tier` that passes, in the order of `subscriptionTiers`.',
    }),
  ),
});

type Parameters = Static<typeof parameters>;

/** Passes customers worth keeping: at or above each minimum that is given. A tier that is not listed does not pass. */
export const customerValue: FilterDefinition<Parameters> = {
  rule: 'customer-value',
  type: 'business-rule',
  description: 'Customers of enough value.',
  parameters,
  fault: ({ minSubscriptionTier }, { subscriptionTiers }) => {
    if (minSubscriptionTier === undefined || subscriptionTiers.includes(minSubscriptionTier)) return undefined;
    return {
      parameter: 'minSubscriptionTier',
      message: `is not one of the program's subscriptionTiers: ${subscriptionTiers.join(', ')}`,
    };
  },
  predicate: ({ minLifetimeValue, minSubscriptionTier }, { subscriptionTiers }) => {
    const minimums: Predicate[] = [];
    if (minLifetimeValue !== undefined) minimums.push(compare(column('lifetime_value'), '>=', value(minLifetimeValue)));
    if (minSubscriptionTier !== undefined) {
      minimums.push(
        compare(
          { op: 'rank', column: 'subscription_tier', order: subscriptionTiers },
          '>=',
          value(subscriptionTiers.indexOf(minSubscriptionTier)),
        ),
      );
    }
    return and(...minimums);
  },
};
