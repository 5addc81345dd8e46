import { type Static, Type } from 'typebox';
import { column, compare, value } from './build.ts';
import { type FilterDefinition, OFFER_HISTORY_COLUMNS } from './filter.ts';

const parameters = Type.Object({
  maxOffersPerQuarter: Type.Integer({
    minimum: 1,
    maximum: 1000,
    description: 'Most retention offers of all programs that a customer may have in a quarter, this one included.',
  }),
  quarter: Type.Unsafe<'rolling' | 'calendar'>({
    type: 'string',
    enum: ['rolling', 'calendar'],
    default: 'rolling',
    description: "`rolling`: the 90 days before the slot. `calendar`: the slot's quarter in the program's time zone.",
  }),
});

/** Passes customers to whom one more retention offer, of whichever program, stays within the cap. */
export const frequencyCap: FilterDefinition<Static<typeof parameters>> = {
  rule: 'frequency-cap',
  type: 'business-rule',
  description: 'Customers with few enough retention offers in the quarter.',
  parameters,
  predicate: ({ maxOffersPerQuarter, quarter }) => {
    const { offersCalendarQuarter, offersRollingQuarter } = OFFER_HISTORY_COLUMNS;
    const offers = quarter === 'calendar' ? offersCalendarQuarter : offersRollingQuarter;
    return compare(column(offers), '<', value(maxOffersPerQuarter));
  },
};
