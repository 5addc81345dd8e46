/** The type a candidate column has in every Parquet file between stages, in DuckDB's words. */
export type ColumnType = 'VARCHAR' | 'BOOLEAN' | 'DOUBLE' | 'INTEGER' | 'TIMESTAMP' | 'VARCHAR[]';

export interface ColumnDefinition {
  readonly name: string;
  readonly type: ColumnType;
  /** Unit or vocabulary, for people. */
  readonly unit: string;
  readonly description: string;
  /** Inclusive bounds of a number; outside them the row is rejected. */
  readonly minimum?: number;
  readonly maximum?: number;
}

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
  },
  { name: 'marketplace', type: 'VARCHAR', unit: 'code', description: 'Marketplace the customer buys in.' },
  { name: 'currency', type: 'VARCHAR', unit: 'ISO 4217', description: 'Currency of the marketplace.' },
  { name: 'timezone', type: 'VARCHAR', unit: 'IANA', description: "The customer's time zone." },
  { name: 'locale', type: 'VARCHAR', unit: 'BCP 47', description: "The customer's language and region." },
  { name: 'account_status', type: 'VARCHAR', unit: 'text', description: '`active`, or why the account is not.' },
  { name: 'verified', type: 'BOOLEAN', unit: '', description: 'Whether the identity of the customer was verified.' },
  { name: 'subscription_status', type: 'VARCHAR', unit: 'text', description: 'State of the subscription.' },
  {
    name: 'subscription_tier',
    type: 'VARCHAR',
    unit: 'tier',
    description: 'Tier, in the order of `subscriptionTiers`.',
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
  { name: 'lifetime_value', type: 'DOUBLE', unit: 'program currency', description: 'Value of the customer so far.' },
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

/** Columns that `extract` adds to each candidate. */
export const DERIVED_COLUMNS = [
  {
    name: 'churn_signals',
    type: 'VARCHAR[]',
    unit: 'set',
    description: 'Names of the churn signals that the customer shows, sorted.',
  },
  {
    name: 'segment',
    type: 'VARCHAR',
    unit: '',
    description: "Segment in the newest published snapshot of the program's series.",
  },
  {
    name: 'segment_risk',
    type: 'DOUBLE',
    unit: '0–1',
    description: 'Proxy churn rate of that segment.',
    minimum: 0,
    maximum: 1,
  },
  { name: 'source', type: 'VARCHAR', unit: 'connectorId', description: 'The connector that the row came from.' },
  {
    name: 'extracted_at',
    type: 'TIMESTAMP',
    unit: 'UTC',
    description: 'The instant that the batch is as of: its slot.',
  },
] as const satisfies readonly ColumnDefinition[];

/** Churn signals, in the order in which they are reported: the alphabet's. */
export const CHURN_SIGNALS = [
  'competitor_research',
  'engagement_decline',
  'inactivity',
  'low_login_frequency',
  'no_recent_purchase',
] as const;

export type ChurnSignal = (typeof CHURN_SIGNALS)[number];

/**
 * Columns that later stages add. A query may not give them: one of its own under such a name would be replaced
 * without a word.
 */
export const LATER_COLUMNS = [
  'days_since_program_offer',
  'offers_rolling_quarter',
  'offers_calendar_quarter',
  'filter_id',
  'risk_score',
  'risk_level',
  'offer_kind',
  'offer_kind_score',
  'risk_reasons',
  'offer_tier',
  'discount',
  'duration',
  'include_upgrade',
  'include_personal_call',
  'arm',
  'epoch',
] as const;

/** What those columns are, for people; units and types as they lie in the Parquet files. */
export const LATER_COLUMN_MEANINGS: Readonly<
  Record<(typeof LATER_COLUMNS)[number], Pick<ColumnDefinition, 'type' | 'unit' | 'description'>>
> = {
  days_since_program_offer: {
    type: 'INTEGER',
    unit: 'days',
    description: 'Whole days from the newest offer of this program to the slot; missing when there was none.',
  },
  offers_rolling_quarter: {
    type: 'INTEGER',
    unit: 'offers',
    description: 'Retention offers of all programs in the 90 days before the slot.',
  },
  offers_calendar_quarter: {
    type: 'INTEGER',
    unit: 'offers',
    description: "Retention offers of all programs since the calendar quarter began, in the program's zone.",
  },
  filter_id: { type: 'VARCHAR', unit: 'filterId', description: 'The filter that removed the customer.' },
  risk_score: {
    type: 'DOUBLE',
    unit: '0–1',
    description: 'Churn risk; a probability where the model is calibrated.',
  },
  risk_level: { type: 'VARCHAR', unit: 'critical, high, medium', description: 'Level, by `riskLevels`.' },
  offer_kind: { type: 'VARCHAR', unit: 'kind', description: 'The kind of offer that the second model recommends.' },
  offer_kind_score: { type: 'DOUBLE', unit: 'of the model', description: 'What that model says the kind would add.' },
  risk_reasons: {
    type: 'VARCHAR[]',
    unit: 'up to 3',
    description:
      'What raised the risk most, the strongest first: features, and which side of typical they are on. Missing where the model cannot be explained.',
  },
  offer_tier: {
    type: 'VARCHAR',
    unit: 'offerType',
    description: 'What the risk level may get; missing where it has no terms, and nothing is offered.',
  },
  discount: { type: 'DOUBLE', unit: 'per cent', description: 'Discount of the offer.' },
  duration: { type: 'INTEGER', unit: 'months', description: 'How long the offer lasts.' },
  include_upgrade: { type: 'BOOLEAN', unit: '', description: 'Whether the offer includes a higher tier.' },
  include_personal_call: { type: 'BOOLEAN', unit: '', description: 'Whether the offer includes a call.' },
  arm: {
    type: 'VARCHAR',
    unit: 'treatment, holdout',
    description: 'A held-out customer gets nothing, so that the effect can be measured.',
  },
  epoch: { type: 'INTEGER', unit: '', description: 'Number of the experiment that the arm belongs to.' },
};
