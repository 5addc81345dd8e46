import type { CANDIDATE_COLUMNS } from '../../customers/columns/candidate.ts';

export type CandidateName = (typeof CANDIDATE_COLUMNS)[number]['name'];

/** How a column of a file becomes one of the candidate. */
export type Reading =
  | { readonly as: 'id' | 'text' | 'truth' | 'country' | 'tier' | 'status' }
  /** Days, or months, from a date to the day that the file is of. */
  | { readonly as: 'days-since' | 'months-since' }
  /** A number, times a factor that brings it to the candidate's unit. */
  | { readonly as: 'number'; readonly factor?: number }
  /** A share, written from 0 to 1 or in percent. */
  | { readonly as: 'share' }
  /** A change, written as a fraction or in percent. */
  | { readonly as: 'change' }
  /** A tenure, or a time since something, without a unit in its name. */
  | { readonly as: 'tenure' | 'recency' };

export interface NamingRule {
  readonly column: CandidateName;
  /** Against the name as lower-case words. */
  readonly pattern: RegExp;
  readonly reading: Reading;
  /** From 0 to 1: how sure the name makes us. */
  readonly confidence: number;
  /** What the name says, for people: "named like …". */
  readonly like: string;
}

const DAYS_PER_MONTH = 365.25 / 12;

const rule = (
  column: CandidateName,
  pattern: RegExp,
  reading: Reading,
  confidence: number,
  like: string,
): NamingRule => ({
  column,
  pattern,
  reading,
  confidence,
  like,
});

const number = (factor = 1): Reading => ({ as: 'number', factor });

const WHO = '(?:customer|cust|client|user|usr|account|acct|member|subscriber|subs|contact|kunden?|household)';
const WHEN = '(?: ?(?:date|day|time|at|on|ts|timestamp|dt))?';

/** What columns are called elsewhere. Of the rules that a name fits, the surest counts; a column serves one of them. */
export const NAMING_RULES: readonly NamingRule[] = [
  rule(
    'customer_id',
    new RegExp(`^${WHO} ?(?:id|key|no|num|nr|number|nummer|code|uuid|guid|ref)$`),
    { as: 'id' },
    0.97,
    "a customer's id",
  ),
  rule('customer_id', /^(?:id|uid|uuid|guid|msno)$/, { as: 'id' }, 0.9, 'an id'),
  rule('customer_id', /(?:^| )(?:id|uuid|guid)$/, { as: 'id' }, 0.6, 'an id'),

  rule('marketplace', /^(?:marketplace|market|store country|country ?code)$/, { as: 'country' }, 0.95, 'a marketplace'),
  rule(
    'marketplace',
    /^(?:(?:customer|user|home|address|customer address|billing address|billing|bill to|ship(?:ping)?|ship to|residence) )?country(?: (?:name|code|iso|iso ?[23]|of residence))?$/,
    { as: 'country' },
    0.8,
    'a country',
  ),
  rule('marketplace', /^(?:geography|nation|land|region)$/, { as: 'country' }, 0.7, 'a country'),
  rule('currency', /^(?:currency|currency ?code|waehrung)$/, { as: 'text' }, 0.95, 'a currency'),
  rule('timezone', /^(?:time ?zone|tz)$/, { as: 'text' }, 0.95, 'a time zone'),
  rule('locale', /^(?:locale|language ?code)$/, { as: 'text' }, 0.9, 'a locale'),

  rule(
    'account_status',
    /^(?:account|customer|user|member) ?(?:status|state)$/,
    { as: 'status' },
    0.9,
    'the state of an account',
  ),
  rule('account_status', /^status$/, { as: 'status' }, 0.6, 'a state'),
  rule(
    'verified',
    /^(?:is )?(?:verified|kyc|kyc ?(?:passed|verified|done)|(?:identity|email|account|phone|user) verified)(?: flag)?$/,
    { as: 'truth' },
    0.95,
    'a verification',
  ),
  rule(
    'subscription_status',
    /^(?:subscription|sub|plan|membership|contract) ?(?:status|state)$/,
    { as: 'text' },
    0.95,
    'the state of a subscription',
  ),
  rule(
    'subscription_tier',
    /^(?:subscription|sub|plan|membership|product|service|package)? ?(?:tier|plan|level|package)(?: ?(?:name|type))?$/,
    { as: 'tier' },
    0.9,
    'a tier',
  ),
  rule('subscription_tier', /^(?:subscription|plan|membership) ?type$/, { as: 'tier' }, 0.85, 'a tier'),

  rule(
    'subscription_tenure',
    /^(?:(?:subscription|customer|account|membership) )?(?:tenure|age) ?(?:in )?months?$|^months? (?:in service|as (?:customer|member)|on book|active|since (?:signup|start)|subscribed)$|^subscription tenure$/,
    number(),
    0.95,
    'a tenure in months',
  ),
  rule(
    'subscription_tenure',
    /^(?:(?:subscription|customer|account|membership) )?(?:tenure|age) ?(?:in )?days?$|^days (?:since (?:signup|start|registration|joined)|as (?:customer|member))$/,
    number(1 / DAYS_PER_MONTH),
    0.95,
    'a tenure in days',
  ),
  rule(
    'subscription_tenure',
    /^(?:(?:subscription|customer|account|membership) )?tenure ?(?:in )?years?$|^years (?:as (?:customer|member)|with (?:us|company|bank))$/,
    number(12),
    0.95,
    'a tenure in years',
  ),
  rule(
    'subscription_tenure',
    /^(?:(?:subscription|customer|account|membership) )?tenure$/,
    { as: 'tenure' },
    0.8,
    'a tenure',
  ),
  rule(
    'subscription_tenure',
    new RegExp(
      `^(?:sign ?up|signed up|registration|registration init|registered|join|joined|joining|created|activation|enrol+ment|subscription start|subscribed|start|first (?:purchase|order)|member since|customer since)${WHEN}$`,
    ),
    { as: 'months-since' },
    0.85,
    'the day on which it began',
  ),

  rule(
    'engagement_score',
    /^(?:(?:user|customer|product) )?(?:engagement|activity|health|usage) ?(?:score|index|rate)$/,
    { as: 'share' },
    0.95,
    'a score of engagement',
  ),
  rule(
    'engagement_score',
    /^(?:is )?active(?: ?(?:member|user|customer))?$/,
    { as: 'truth' },
    0.5,
    'a flag of activity',
  ),
  rule('engagement_trend', /^(?:engagement|usage|activity) ?trend$/, { as: 'text' }, 0.95, 'a trend'),
  rule(
    'engagement_change',
    /^(?:engagement|usage|activity|minutes|sessions?) ?(?:change|delta|growth)(?: (?:percent|pct|ratio|rate))?$|^(?:percent|pct|perc|relative) ?(?:change|delta) ?(?:in )?(?:engagement|usage|activity|minutes|sessions?)$/,
    { as: 'change' },
    0.85,
    'a change of engagement',
  ),

  rule(
    'login_frequency',
    /^(?:(?:logins?|sessions?|visits?) ?(?:per|a|each) ?week|weekly ?(?:logins?|sessions?|visits?)|login ?frequency|(?:logins?|sessions?|visits?) (?:last |past )?7 ?(?:d|days?))$/,
    number(),
    0.95,
    'logins a week',
  ),
  rule(
    'login_frequency',
    /^(?:(?:logins?|sessions?|visits?) ?(?:per|a) ?month|monthly ?(?:logins?|sessions?|visits?)|(?:logins?|sessions?|visits?) (?:in )?(?:last |past )?(?:30|28) ?(?:d|days?))$/,
    number(7 / 30),
    0.9,
    'logins in a month',
  ),
  rule(
    'historical_avg',
    /^(?:historical ?(?:avg|average|mean)(?: (?:logins?|sessions?))?|(?:avg|average|mean|usual|typical) ?(?:weekly )?(?:logins?|sessions?|visits?)(?: ?per ?week)?)$/,
    number(),
    0.85,
    'the usual logins a week',
  ),

  rule(
    'days_since_last_login',
    /^(?:days? (?:since|from) (?:the )?last (?:login|log in|visit|session|activity|active|seen|use)|days? (?:inactive|of inactivity|since login)|last (?:login|activity|visit) days?(?: ago)?|inactive days)$/,
    number(),
    0.95,
    'days since the last login',
  ),
  rule(
    'days_since_last_login',
    new RegExp(`^(?:last (?:login|log in|log on|visit|visited|session|activity|active|seen|access|use|used))${WHEN}$`),
    { as: 'days-since' },
    0.95,
    'the day of the last login',
  ),
  rule(
    'days_since_last_purchase',
    /^(?:days? (?:since|from) (?:the )?(?:last |prior )?(?:purchase|order|transaction|payment)|last (?:purchase|order) days?(?: ago)?|recency (?:in )?days)$/,
    number(),
    0.9,
    'days since the last purchase',
  ),
  rule(
    'days_since_last_purchase',
    /^(?:months? since (?:the )?last (?:purchase|order)|recency (?:in )?months)$/,
    number(DAYS_PER_MONTH),
    0.9,
    'months since the last purchase',
  ),
  rule('days_since_last_purchase', /^recency (?:in )?weeks$/, number(7), 0.9, 'weeks since the last purchase'),
  rule('days_since_last_purchase', /^recency$/, { as: 'recency' }, 0.9, 'the time since the last purchase'),
  rule(
    'days_since_last_purchase',
    new RegExp(
      `^(?:last|latest|most recent) (?:purchase|order|transaction|payment|invoice|buy|bought)(?:ed|d)?${WHEN}$`,
    ),
    { as: 'days-since' },
    0.95,
    'the day of the last purchase',
  ),
  rule(
    'purchase_frequency',
    /^(?:(?:purchases?|orders?|transactions?) ?(?:per|a) ?month|monthly ?(?:purchases?|orders?|transactions?)|purchase ?frequency)$/,
    number(),
    0.9,
    'purchases a month',
  ),
  rule(
    'purchase_frequency',
    /^(?:purchases?|orders?|transactions?) (?:in )?(?:last |past )?90 ?(?:d|days?)$/,
    number(1 / 3),
    0.9,
    'purchases in 90 days',
  ),
  rule(
    'purchase_frequency',
    /^(?:purchases?|orders?|transactions?) (?:in )?(?:last )?(?:12 ?(?:m|months?)|year)$/,
    number(1 / 12),
    0.85,
    'purchases in a year',
  ),
  rule(
    'purchase_frequency',
    /^(?:purchases?|orders?|transactions?) (?:in )?(?:last |past )?30 ?(?:d|days?)$/,
    number(),
    0.9,
    'purchases in a month',
  ),

  rule(
    'support_tickets',
    /^(?:(?:num|number|nr|no|count|total)(?: of)? )?(?:(?:customer )?(?:support|service|care)|cust(?:omer)? ?serv(?:ice)?|help ?desk|tech)? ?(?:tickets?|calls|cases|contacts|complaints?)(?: (?:count|opened|90d|(?:last )?90 days?))?$/,
    number(),
    0.75,
    'contacts with support',
  ),
  rule(
    'feature_usage',
    /^feature ?(?:usage|adoption|use)(?: (?:rate|share|score|percent|pct))?$/,
    { as: 'share' },
    0.95,
    'the share of features in use',
  ),

  rule(
    'lifetime_value',
    /^(?:(?:customer )?life ?time ?value|clv|ltv|cltv)(?: (?:usd|eur|gbp))?$/,
    number(),
    0.95,
    'a lifetime value',
  ),
  rule(
    'lifetime_value',
    /^(?:total|lifetime|cumulative|sum) ?(?:of )?(?:charges?|spend(?:ing)?|spent|revenue|amount|amount spent|purchases? amount|sales|value|billed|paid)(?: (?:usd|eur|gbp))?$|^monetary(?: value)?$|^revenue$/,
    number(),
    0.85,
    'money paid so far',
  ),
  rule(
    'discount_sensitivity',
    /^(?:discount|price|promo(?:tion)?) ?(?:sensitivity|affinity|elasticity)$/,
    { as: 'share' },
    0.9,
    'a sensitivity to discounts',
  ),
  rule(
    'competitor_research',
    /^(?:competitor ?(?:research|visit|interest)|(?:looked|looking) at competitors?)$/,
    { as: 'truth' },
    0.9,
    'research of competitors',
  ),
  rule(
    'opted_out',
    /^(?:is |has )?(?:opt(?:ed)? ?out(?: (?:mailings?|e ?mails?|marketing|flag))?|unsubscribed|do not (?:contact|mail|call|disturb)|no ?(?:marketing|contact))$/,
    { as: 'truth' },
    0.9,
    'a refusal of offers',
  ),
];

/** Whether a column of this name may hold days as eight figures, which could as well be a number. */
export function isDayName(words: string): boolean {
  return (
    /date|time|day|init|expire| (?:at|on)$/.test(words) ||
    NAMING_RULES.some(
      ({ reading: { as }, pattern }) => (as === 'days-since' || as === 'months-since') && pattern.test(words),
    )
  );
}

/** Whether a column of this name holds days even where its values are numbers, as a count of days since some first one. */
export function isCountedDayName(words: string): boolean {
  const rules = NAMING_RULES.filter(({ pattern }) => pattern.test(words));
  if (rules.length > 0) return rules.every(({ reading: { as } }) => as === 'days-since' || as === 'months-since');
  return /(?:^| )(?:date|datum|datetime|timestamp|dt|ts)(?: |$)| (?:at|on|am|le|since|seit)$/.test(words);
}

const REFUSAL_DAY = / (?:date|day|time|at|on|ts|timestamp|dt)$/;

/** Whether a column of this name says who refuses offers, or since when. */
export function isRefusalName(words: string): boolean {
  const name = words.replace(REFUSAL_DAY, '');
  return NAMING_RULES.some(({ column, pattern }) => column === 'opted_out' && pattern.test(name));
}
