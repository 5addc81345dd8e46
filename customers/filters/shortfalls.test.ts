import { expect, test } from '@jest/globals';
import { evaluate } from './evaluate.ts';
import type { Predicate } from './predicate.ts';
import { predicateOf } from './resolve.ts';
import { shortfalls } from './shortfalls.ts';

const PROGRAM = { marketplaces: ['US'], subscriptionTiers: ['basic', 'standard', 'premium'] };
const wholes = (column: string) => column.startsWith('offers_') || column === 'visits';
const rule = (expression: string): Predicate =>
  predicateOf({ type: 'expression', parameters: { expression } }, PROGRAM);
const SIGNALS = predicateOf(
  {
    type: 'business-rule',
    parameters: { minEngagementDecline: 0.3, minDaysSinceLastPurchase: 60, minSignalsRequired: 2 },
  },
  PROGRAM,
);
const VALUE = predicateOf(
  { type: 'business-rule', parameters: { minLifetimeValue: 500, minSubscriptionTier: 'premium' } },
  PROGRAM,
);
const CAP = predicateOf({ type: 'business-rule', parameters: { maxOffersPerQuarter: 1 } }, PROGRAM);
const ELIGIBLE = predicateOf({ type: 'eligibility' }, PROGRAM);

/** What a row falls short of, what it lacks, and which easing would let it pass. */
function fallsShort(predicate: Predicate, row: Record<string, unknown>) {
  const ways = shortfalls(predicate, wholes);
  const holds = (part: Predicate | undefined) => part !== undefined && evaluate(part, row) === true;
  return {
    unmet: ways.filter(({ unmet }) => holds(unmet)).map(({ text }) => text),
    missing: ways.filter(({ missing }) => holds(missing)).map(({ text }) => text),
    eased: ways.flatMap(({ eased }) => (eased !== undefined && holds(eased.predicate) ? [eased.text] : [])),
  };
}

test.each([
  [
    'too little value, but not by much',
    VALUE,
    { lifetime_value: 460, subscription_tier: 'premium' },
    { unmet: ['lifetime_value < 500'], missing: [], eased: ['lifetime_value >= 450'] },
  ],
  [
    'a tier below',
    VALUE,
    { lifetime_value: 900, subscription_tier: 'standard' },
    { unmet: ['subscription_tier below premium'], missing: [], eased: ['subscription_tier at least standard'] },
  ],
  [
    'both, so that neither easing is enough',
    VALUE,
    { lifetime_value: 460, subscription_tier: 'standard' },
    { unmet: ['lifetime_value < 500', 'subscription_tier below premium'], missing: [], eased: [] },
  ],
  [
    'a tier that the program does not list, which cannot be ranked',
    VALUE,
    { lifetime_value: 900, subscription_tier: 'gold' },
    { unmet: [], missing: ['subscription_tier below premium'], eased: [] },
  ],
  [
    'a value that is missing',
    VALUE,
    { lifetime_value: null, subscription_tier: 'premium' },
    { unmet: [], missing: ['lifetime_value < 500'], eased: [] },
  ],
  [
    'one signal of two, the other missed by little',
    SIGNALS,
    { engagement_change: -0.28, days_since_last_purchase: 90 },
    {
      unmet: ['1 of 2 signals needed', 'engagement_change >= -0.3'],
      missing: [],
      eased: ['1 of the signals', 'engagement_change < -0.27'],
    },
  ],
  [
    'no signal',
    SIGNALS,
    { engagement_change: 0.1, days_since_last_purchase: 10 },
    {
      unmet: ['0 of 2 signals needed', 'engagement_change >= -0.3', 'days_since_last_purchase <= 60'],
      missing: [],
      eased: [],
    },
  ],
  [
    'a whole number, whose threshold moves by one at least',
    CAP,
    { offers_rolling_quarter: 1 },
    { unmet: ['offers_rolling_quarter >= 1'], missing: [], eased: ['offers_rolling_quarter < 2'] },
  ],
  [
    'an offer that is too new',
    ELIGIBLE,
    { days_since_program_offer: 85, opted_out: false, marketplace: 'US' },
    { unmet: ['days_since_program_offer < 90'], missing: [], eased: ['days_since_program_offer >= 81'] },
  ],
  [
    'no offer yet, which an alternative makes irrelevant',
    ELIGIBLE,
    { days_since_program_offer: null, opted_out: true, marketplace: 'US' },
    { unmet: ['opted_out true'], missing: [], eased: [] },
  ],
  [
    'a negated comparison',
    rule('!(support_tickets > 10.0)'),
    { support_tickets: 10.5 },
    { unmet: ['support_tickets > 10'], missing: [], eased: ['support_tickets <= 11'] },
  ],
  [
    'a threshold on the left',
    rule('100.0 <= lifetime_value'),
    { lifetime_value: 95 },
    { unmet: ['100 > lifetime_value'], missing: [], eased: ['90 <= lifetime_value'] },
  ],
  [
    'a threshold of zero, which ten per cent do not move',
    rule('engagement_change > 0.0'),
    { engagement_change: -0.01 },
    { unmet: ['engagement_change <= 0'], missing: [], eased: [] },
  ],
  [
    'two alternatives',
    rule('visits >= 5.0 || support_tickets < 1.0'),
    { visits: 4, support_tickets: 3 },
    { unmet: ['visits < 5', 'support_tickets >= 1'], missing: [], eased: ['visits >= 4'] },
  ],
] as const)('%s', (_what, predicate, row, expected) => {
  expect(fallsShort(predicate, row)).toEqual(expected);
});

test('who passes falls short of nothing', () => {
  const nothing = { unmet: [], missing: [] };
  expect(fallsShort(SIGNALS, { engagement_change: -0.5, days_since_last_purchase: 90 })).toMatchObject(nothing);
  expect(
    fallsShort(rule('visits >= 5.0 || support_tickets < 1.0'), { visits: 9, support_tickets: null }),
  ).toMatchObject(nothing);
});
