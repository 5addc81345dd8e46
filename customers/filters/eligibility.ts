import { type Static, Type } from 'typebox';
import { and, column, compare, missing, not, oneOf, or, truth, value } from './build.ts';
import { type FilterDefinition, OFFER_HISTORY_COLUMNS, OFFER_HISTORY_DAYS } from './filter.ts';

const parameters = Type.Object({
  cooldownDays: Type.Integer({
    minimum: 0,
    maximum: OFFER_HISTORY_DAYS,
    default: 90,
    description: 'Days that must have passed since the last offer of this program.',
  }),
});

/**
 * Passes customers of a marketplace that the program serves, who have not opted out, and whose last offer of this
 * program is at least `cooldownDays` old. Where it is not known whether someone opted out, they are not contacted.
 */
export const eligibility: FilterDefinition<Static<typeof parameters>> = {
  rule: 'eligibility',
  type: 'eligibility',
  description: 'Customers who may be made an offer now.',
  parameters,
  predicate: ({ cooldownDays }, { marketplaces }) => {
    const days = OFFER_HISTORY_COLUMNS.daysSinceProgramOffer;
    return and(
      or(missing(days), compare(column(days), '>=', value(cooldownDays))),
      not(truth('opted_out')),
      oneOf('marketplace', marketplaces),
    );
  },
};
