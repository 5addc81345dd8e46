import type { ColumnDefinition } from './column.ts';

/** Days since something can be at most a century: more is an impossible date. */
const CENTURY_OF_DAYS = 36_525;

/**
 * The unified candidate: what a connector's query maps to, by column name.
 * Columns that are not listed here ride along unchanged as features.
 */
export const CANDIDATE_COLUMNS = [
  {
    name: 'customer_id',
    type: 'VARCHAR',
    unit: '',
    description: 'Stable identity of the customer; unique within a batch.',
    stored: {
      required: true,
      api: { name: 'customerId', meaning: 'Id of the customer in the warehouse.' },
      list: { meaning: 'Who; joins with the table that the program reads.' },
    },
  },
  {
    name: 'marketplace',
    type: 'VARCHAR',
    unit: 'code',
    description: 'Marketplace the customer buys in.',
    stored: { api: { name: 'marketplace', meaning: 'Such as `US`.' }, list: { meaning: 'Two letters.' } },
  },
  {
    name: 'currency',
    type: 'VARCHAR',
    unit: 'ISO 4217',
    description: 'Currency of the marketplace.',
    stored: { api: { name: 'currency', meaning: 'ISO 4217.' }, list: { meaning: 'ISO 4217.' } },
  },
  {
    name: 'timezone',
    type: 'VARCHAR',
    unit: 'IANA',
    description: "The customer's time zone.",
    stored: {
      api: { name: 'timezone', meaning: 'IANA.' },
      list: { meaning: 'Time zone of the customer (IANA), for the hour of a message.' },
    },
  },
  {
    name: 'locale',
    type: 'VARCHAR',
    unit: 'BCP 47',
    description: "The customer's language and region.",
    stored: {
      api: { name: 'locale', meaning: 'Such as `en-US`.' },
      list: { meaning: 'Language of a message, as in `en-US`.' },
    },
  },
  { name: 'account_status', type: 'VARCHAR', unit: 'text', description: '`active`, or why the account is not.' },
  { name: 'verified', type: 'BOOLEAN', unit: '', description: 'Whether the identity of the customer was verified.' },
  { name: 'subscription_status', type: 'VARCHAR', unit: 'text', description: 'State of the subscription.' },
  {
    name: 'subscription_tier',
    type: 'VARCHAR',
    unit: 'tier',
    description: 'Tier, in the order of `subscriptionTiers`.',
    stored: {
      api: { name: 'subscriptionTier', meaning: 'Such as `premium`.' },
      list: { meaning: 'Such as `premium`.' },
    },
  },
  {
    name: 'subscription_tenure',
    type: 'DOUBLE',
    unit: 'months',
    description: 'Months since the subscription began.',
    minimum: 0,
    maximum: 1_200,
  },
  {
    name: 'engagement_score',
    type: 'DOUBLE',
    unit: '0–1',
    description: 'How engaged the customer is now.',
    minimum: 0,
    maximum: 1,
  },
  {
    name: 'engagement_trend',
    type: 'VARCHAR',
    unit: 'declining, stable, rising',
    description: 'Direction of the engagement.',
  },
  {
    name: 'engagement_change',
    type: 'DOUBLE',
    unit: 'fraction',
    description: 'Change of engagement; −0.35 is down 35 %.',
    minimum: -1,
  },
  { name: 'login_frequency', type: 'DOUBLE', unit: 'per week', description: 'Recent logins a week.', minimum: 0 },
  {
    name: 'historical_avg',
    type: 'DOUBLE',
    unit: 'per week',
    description: 'Logins a week over the long run.',
    minimum: 0,
  },
  {
    name: 'days_since_last_login',
    type: 'DOUBLE',
    unit: 'days',
    description: 'Days since the last login.',
    minimum: 0,
    maximum: CENTURY_OF_DAYS,
  },
  {
    name: 'days_since_last_purchase',
    type: 'DOUBLE',
    unit: 'days',
    description: 'Days since the last purchase.',
    minimum: 0,
    maximum: CENTURY_OF_DAYS,
  },
  { name: 'purchase_frequency', type: 'DOUBLE', unit: 'per month', description: 'Purchases a month.', minimum: 0 },
  { name: 'support_tickets', type: 'DOUBLE', unit: 'last 90 days', description: 'Support tickets opened.', minimum: 0 },
  {
    name: 'feature_usage',
    type: 'DOUBLE',
    unit: '0–1',
    description: 'Share of the product that the customer uses.',
    minimum: 0,
    maximum: 1,
  },
  {
    name: 'lifetime_value',
    type: 'DOUBLE',
    unit: 'program currency',
    description: 'Value of the customer so far.',
    stored: { api: { name: 'lifetimeValue', meaning: 'In the currency of the program.' }, list: {} },
  },
  {
    name: 'discount_sensitivity',
    type: 'DOUBLE',
    unit: '0–1',
    description: 'How strongly past purchases followed discounts.',
    minimum: 0,
    maximum: 1,
  },
  { name: 'competitor_research', type: 'BOOLEAN', unit: '', description: 'Whether research of competitors was seen.' },
  { name: 'opted_out', type: 'BOOLEAN', unit: '', description: 'Whether the customer refuses retention offers.' },
] as const satisfies readonly ColumnDefinition[];

/**
 * A text by which a query itself sets a row apart: reasons with `; ` between them, no value of the row among them. An
 * empty or missing one lets the row pass. The column goes no further.
 */
export const REJECTED_BECAUSE = 'rejected_because';

/** The same of what is odd in the whole source, or in a row that passes: the run warns of it, with its rows. */
export const WARNED_BECAUSE = 'warned_because';
