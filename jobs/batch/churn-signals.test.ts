import { expect, test } from '@jest/globals';
import { signalThresholds } from './churn-signals.ts';

const chain = (parameters: Record<string, number>) => ({
  filterChain: [{ filterId: 'signals', type: 'business-rule', order: 1, parameters }] as const,
});
const USUAL = { engagementDecline: 0.3, loginFrequencyRatio: 0.5, daysSinceLastPurchase: 60, daysSinceLastLogin: 30 };

test('without a filter of its own a program has the usual thresholds', () => {
  expect(signalThresholds({ filterChain: [] })).toEqual(USUAL);
  expect(signalThresholds({ filterChain: [{ filterId: 'trust', type: 'trust', order: 1 }] })).toEqual(USUAL);
});

test.each([
  ['minEngagementDecline', 0.45, 'engagementDecline'],
  ['maxLoginFrequencyRatio', 0.25, 'loginFrequencyRatio'],
  ['minDaysSinceLastPurchase', 120, 'daysSinceLastPurchase'],
])("a program's own %s is where the signal of its customers begins", (parameter, value, threshold) => {
  const { filterChain } = chain({ minSignalsRequired: 1, [parameter]: value });
  expect(signalThresholds({ filterChain: [...filterChain] })).toEqual({ ...USUAL, [threshold]: value });
});
