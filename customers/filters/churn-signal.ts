import { type Static, Type } from 'typebox';
import { atLeast, column, compare, times, value } from './build.ts';
import type { FilterDefinition } from './filter.ts';
import type { Predicate } from './predicate.ts';

const parameters = Type.Object({
  minEngagementDecline: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'A signal when `engagement_change` fell by more than this fraction; 0.3 is 30 %.',
    }),
  ),
  maxLoginFrequencyRatio: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 10,
      description: 'A signal when `login_frequency` is below this fraction of `historical_avg`.',
    }),
  ),
  minDaysSinceLastPurchase: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 36_525,
      description: 'A signal when `days_since_last_purchase` is more than this many days.',
    }),
  ),
  minSignalsRequired: Type.Integer({
    minimum: 1,
    maximum: 3,
    default: 1,
    description: 'How many of the signals above a customer must show.',
  }),
});

type Parameters = Static<typeof parameters>;

/**
 * Passes customers who show enough signs of leaving. Only signals whose parameter is given count, and each is
 * strict ("more than 30 %", "less than half", "more than 60 days"): a customer exactly at a threshold shows no
 * signal, and neither does one whose figures are missing.
 */
export const churnSignal: FilterDefinition<Parameters> = {
  rule: 'churn-signal',
  type: 'business-rule',
  description: 'Customers who show enough churn signals.',
  parameters,
  fault: (given) => {
    const signals = signalsOf(given).length;
    if (signals >= given.minSignalsRequired) return undefined;
    return {
      parameter: 'minSignalsRequired',
      message: `needs ${given.minSignalsRequired} of ${signals} signals, so nobody can pass; give the thresholds of more signals`,
    };
  },
  predicate: (given) => atLeast(given.minSignalsRequired, signalsOf(given)),
};

function signalsOf(given: Parameters): Predicate[] {
  const signals: Predicate[] = [];
  if (given.minEngagementDecline !== undefined) {
    signals.push(compare(column('engagement_change'), '<', value(-given.minEngagementDecline)));
  }
  if (given.maxLoginFrequencyRatio !== undefined) {
    const usual = times(value(given.maxLoginFrequencyRatio), column('historical_avg'));
    signals.push(compare(column('login_frequency'), '<', usual));
  }
  if (given.minDaysSinceLastPurchase !== undefined) {
    signals.push(compare(column('days_since_last_purchase'), '>', value(given.minDaysSinceLastPurchase)));
  }
  return signals;
}
