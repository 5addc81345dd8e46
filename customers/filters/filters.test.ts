import { expect, test } from '@jest/globals';
import { evaluate, type Row } from './evaluate.ts';
import { explain } from './explain.ts';
import { requiredFilterColumns } from './required.ts';
import { filterFault, predicateOf, resolveFilter } from './resolve.ts';

const program = {
  marketplaces: ['US', 'DE'],
  subscriptionTiers: ['basic', 'standard', 'premium', 'premium_plus'],
};

const TRUST = { filterId: 'trust', type: 'trust', order: 1 } as const;
const CHURN = {
  filterId: 'churn-signal',
  type: 'business-rule',
  order: 2,
  parameters: {
    minEngagementDecline: 0.3,
    maxLoginFrequencyRatio: 0.5,
    minDaysSinceLastPurchase: 60,
    minSignalsRequired: 2,
  },
} as const;
const VALUE = {
  filterId: 'customer-value',
  type: 'business-rule',
  order: 3,
  parameters: { minLifetimeValue: 500, minSubscriptionTier: 'premium' },
} as const;
const ELIGIBILITY = { filterId: 'eligibility', type: 'eligibility', order: 4 } as const;
const CAP = {
  filterId: 'frequency-cap',
  type: 'business-rule',
  order: 5,
  parameters: { maxOffersPerQuarter: 1 },
} as const;
const only = (parameters: object) => ({ type: 'business-rule', parameters: { ...parameters } });

const quiet = { engagement_change: 0, login_frequency: 4, historical_avg: 4, days_since_last_purchase: 1 };
const contactable = { days_since_program_offer: null, opted_out: false, marketplace: 'US' };

test.each<[string, { type: string; parameters?: Record<string, unknown> }, Row, boolean]>([
  ['a verified customer with an active account is trusted', TRUST, { verified: true, account_status: 'active' }, true],
  ['an unverified customer is not trusted', TRUST, { verified: false, account_status: 'active' }, false],
  ['a suspended account is not trusted', TRUST, { verified: true, account_status: 'suspended' }, false],
  ['"Active" is another status than "active"', TRUST, { verified: true, account_status: 'Active' }, false],
  [
    'a customer who is not known to be verified is not trusted',
    TRUST,
    { verified: null, account_status: 'active' },
    false,
  ],

  [
    'two signals are enough where two are needed',
    CHURN,
    { ...quiet, engagement_change: -0.35, days_since_last_purchase: 75 },
    true,
  ],
  ['one signal is not enough where two are needed', CHURN, { ...quiet, engagement_change: -0.35 }, false],
  [
    'exactly at its threshold nothing is a signal yet',
    only({ minEngagementDecline: 0.3 }),
    { ...quiet, engagement_change: -0.3 },
    false,
  ],
  [
    'half the usual logins is not less than half',
    only({ maxLoginFrequencyRatio: 0.5 }),
    { ...quiet, login_frequency: 2 },
    false,
  ],
  [
    '60 days since a purchase is not more than 60',
    only({ minDaysSinceLastPurchase: 60 }),
    { ...quiet, days_since_last_purchase: 60 },
    false,
  ],
  [
    '61 days since a purchase is a signal',
    only({ minDaysSinceLastPurchase: 60 }),
    { ...quiet, days_since_last_purchase: 61 },
    true,
  ],
  [
    'a missing figure is no signal',
    CHURN,
    { ...quiet, engagement_change: null, login_frequency: 1, days_since_last_purchase: null },
    false,
  ],
  [
    'a missing figure does not hide the other signals',
    CHURN,
    { engagement_change: null, login_frequency: 1, historical_avg: 4, days_since_last_purchase: 75 },
    true,
  ],

  ['value and tier at their minimums pass', VALUE, { lifetime_value: 500, subscription_tier: 'premium' }, true],
  ['a tier above the minimum passes', VALUE, { lifetime_value: 900, subscription_tier: 'premium_plus' }, true],
  ['a value below the minimum does not pass', VALUE, { lifetime_value: 499.99, subscription_tier: 'premium' }, false],
  ['a tier below the minimum does not pass', VALUE, { lifetime_value: 900, subscription_tier: 'standard' }, false],
  ['a tier that nobody listed does not pass', VALUE, { lifetime_value: 900, subscription_tier: 'gold' }, false],
  [
    'a tier needs no value when only a tier is asked',
    only({ minSubscriptionTier: 'basic' }),
    { subscription_tier: 'basic' },
    true,
  ],

  ['someone never offered anything is eligible', ELIGIBILITY, contactable, true],
  ['an offer 89 days ago is within the cooldown', ELIGIBILITY, { ...contactable, days_since_program_offer: 89 }, false],
  ['an offer 90 days ago is past the cooldown', ELIGIBILITY, { ...contactable, days_since_program_offer: 90 }, true],
  ['someone who opted out is not eligible', ELIGIBILITY, { ...contactable, opted_out: true }, false],
  ['someone whose choice is unknown is not contacted', ELIGIBILITY, { ...contactable, opted_out: null }, false],
  ['a marketplace that is not served is not eligible', ELIGIBILITY, { ...contactable, marketplace: 'JP' }, false],
  [
    'a shorter cooldown lets an offer of last month pass',
    { type: 'eligibility', parameters: { cooldownDays: 14 } },
    { ...contactable, days_since_program_offer: 30 },
    true,
  ],

  ['a first offer is within a cap of one', CAP, { offers_rolling_quarter: 0, offers_calendar_quarter: 9 }, true],
  ['a second offer is over a cap of one', CAP, { offers_rolling_quarter: 1, offers_calendar_quarter: 0 }, false],
  [
    'a calendar cap forgets the quarter before',
    only({ maxOffersPerQuarter: 1, quarter: 'calendar' }),
    { offers_rolling_quarter: 1, offers_calendar_quarter: 0 },
    true,
  ],

  [
    "a person's own rule passes whom it describes",
    { type: 'expression', parameters: { expression: 'support_tickets < 3 && plan == "x"' } },
    { support_tickets: 1, plan: 'x' },
    true,
  ],
])('%s', (_, filter, row, passes) => {
  expect(evaluate(predicateOf(filter, program), row) === true).toBe(passes);
});

test.each<[string, { type: string; parameters?: Record<string, unknown> }, string]>([
  [
    'a misspelt parameter is named with what was meant',
    only({ minLifetimeVaule: 5 }),
    'minLifetimeVaule is not a parameter of business-rule (did you mean minLifetimeValue?)',
  ],
  [
    'parameters of two rules in one filter are refused by name',
    only({ minLifetimeValue: 5, maxOffersPerQuarter: 1 }),
    'maxOffersPerQuarter belongs to the rule frequency-cap and minLifetimeValue to customer-value',
  ],
  [
    'a rule without parameters cannot be told',
    only({}),
    'parameters are needed to tell which rule is meant: churn-signal (',
  ],
  [
    'a parameter where there are none is refused',
    { type: 'trust', parameters: { level: 3 } },
    'level is not a parameter of trust; trust takes none',
  ],
  ['a number out of range is refused', only({ minEngagementDecline: 30 }), 'minEngagementDecline must be <= 1'],
  ['a text for a number is refused', only({ minLifetimeValue: '500' }), 'minLifetimeValue must be number'],
  [
    'a word outside its list is refused with the list',
    only({ maxOffersPerQuarter: 1, quarter: 'fiscal' }),
    'quarter must be equal to one of the allowed values: rolling, calendar',
  ],
  [
    'an option without what it modifies is refused',
    only({ quarter: 'calendar' }),
    'maxOffersPerQuarter is required by the rule frequency-cap',
  ],
  [
    'more signals required than are given is refused',
    only({ minEngagementDecline: 0.3, minSignalsRequired: 2 }),
    'minSignalsRequired needs 2 of 1 signals',
  ],
  [
    'a tier that the program does not have is refused',
    only({ minSubscriptionTier: 'gold' }),
    "minSubscriptionTier is not one of the program's subscriptionTiers",
  ],
  [
    'an unknown type is named with what was meant',
    { type: 'bussiness-rule' },
    'unknown type "bussiness-rule" (did you mean business-rule?)',
  ],
  [
    'a longer cooldown than the history is refused',
    { type: 'eligibility', parameters: { cooldownDays: 365 } },
    'cooldownDays must be <= 184',
  ],
])('%s', (_, filter, message) => {
  const fault = filterFault(filter, program);
  expect(fault === undefined ? '' : `${fault.parameter} ${fault.message}`.trim()).toContain(message);
  expect(() => predicateOf({ filterId: 'mine', ...filter }, program)).toThrow(`filter mine: ${message}`);
});

test('defaults are filled in and the manifest is left as it was', () => {
  const parameters = { maxOffersPerQuarter: 2 };
  expect(resolveFilter({ type: 'business-rule', parameters }).parameters).toEqual({
    maxOffersPerQuarter: 2,
    quarter: 'rolling',
  });
  expect(parameters).toEqual({ maxOffersPerQuarter: 2 });
  expect(resolveFilter(ELIGIBILITY).parameters).toEqual({ cooldownDays: 90 });
  expect(resolveFilter(CHURN).definition.rule).toBe('churn-signal');
});

test('the columns that a program needs are known with the filters that need them, offer history left out', () => {
  const chain = [
    TRUST,
    CHURN,
    VALUE,
    ELIGIBILITY,
    CAP,
    { ...VALUE, filterId: 'again', parameters: { minLifetimeValue: 1 } },
  ];
  expect(Object.fromEntries(requiredFilterColumns({ ...program, filterChain: chain }))).toEqual({
    verified: ['trust'],
    account_status: ['trust'],
    engagement_change: ['churn-signal'],
    login_frequency: ['churn-signal'],
    historical_avg: ['churn-signal'],
    days_since_last_purchase: ['churn-signal'],
    lifetime_value: ['customer-value', 'again'],
    subscription_tier: ['customer-value'],
    opted_out: ['eligibility'],
    marketplace: ['eligibility'],
  });
});

const sentences = (filter: { type: string; parameters?: Record<string, unknown> }, row: Row) =>
  explain(predicateOf(filter, program), row).map(({ text, outcome }) => `${text}: ${outcome}`);

test.each<[string, { type: string; parameters?: Record<string, unknown> }, Row, string[]]>([
  [
    'a failing minimum reads as what was observed',
    VALUE,
    { lifetime_value: 312, subscription_tier: 'basic' },
    ['lifetime_value 312 < 500: failed', 'subscription_tier basic < premium: failed'],
  ],
  [
    'a minimum that is met reads as such',
    VALUE,
    { lifetime_value: 812.5, subscription_tier: 'premium' },
    ['lifetime_value 812.5 >= 500: passed', 'subscription_tier premium >= premium: passed'],
  ],
  [
    'a missing value says what was needed',
    VALUE,
    { subscription_tier: 'gold' },
    [
      'lifetime_value missing, needs >= 500: missing',
      'subscription_tier gold is not one of basic, standard, premium, premium_plus: missing',
    ],
  ],
  [
    'a near miss is not rounded away',
    only({ minLifetimeValue: 500 }),
    { lifetime_value: 499.99999 },
    ['lifetime_value 499.99999 < 500: failed'],
  ],
  [
    'nor is the minimum',
    only({ minLifetimeValue: 500.00001 }),
    { lifetime_value: 500 },
    ['lifetime_value 500 < 500.00001: failed'],
  ],
  [
    'signals are counted, then listed',
    CHURN,
    { engagement_change: -0.35, login_frequency: 2, historical_avg: 4, days_since_last_purchase: 20 },
    [
      '1 of 2 signals needed: failed',
      'engagement_change -0.35 < -0.3: passed',
      'login_frequency 2 >= 2 (0.5 * historical_avg): failed',
      'days_since_last_purchase 20 <= 60: failed',
    ],
  ],
  [
    'a recent offer, a refusal and a foreign marketplace are told',
    ELIGIBILITY,
    { days_since_program_offer: 30, opted_out: true, marketplace: 'JP' },
    ['days_since_program_offer 30 < 90: failed', 'opted_out true: failed', 'marketplace JP not in US, DE: failed'],
  ],
  [
    'no earlier offer is told by itself',
    ELIGIBILITY,
    contactable,
    ['days_since_program_offer missing: passed', 'opted_out false: passed', 'marketplace US in US, DE: passed'],
  ],
  [
    'a text that does not match says so',
    { type: 'expression', parameters: { expression: '!(locale.startsWith("en"))' } },
    { locale: 'en-GB' },
    ['locale en-GB starts with "en": failed'],
  ],
])('%s', (_, filter, row, expected) => {
  expect(sentences(filter, row)).toEqual(expected);
});

test.each([
  ['marketplace == "GB"', 'UK', true],
  ['marketplace in ["gb", "DE"]', 'UK', true],
  ['"GB" != marketplace', 'UK', false],
  ['!(marketplace == "EL") && marketplace == "FR"', 'FR', true],
  ['locale == "GB"', 'UK', false],
])('in a program of the UK, %s of %s is %s: UK and GB are one marketplace', (expression, marketplace, passes) => {
  const filter = { filterId: 'mine', type: 'expression', parameters: { expression } };
  const british = { ...program, marketplaces: ['US', 'UK'] };
  expect(evaluate(predicateOf(filter, british), { marketplace, locale: 'UK' })).toBe(passes);
});
