/** What a feature is computed from; where there is no such input the feature is left out. */
export type FeatureSource = 'transactions' | 'sessions' | 'tickets' | 'customers';

/** What its numbers are, which says how precise a threshold may be that a person is told. */
export type FeatureUnit = 'days' | 'purchases' | 'tickets' | 'money' | 'share' | 'ratio';

/** A feature by which customers are clustered. */
export interface SegmentFeature {
  /** In tables, artifacts and exports. */
  readonly name: string;
  readonly source: FeatureSource;
  readonly unit: FeatureUnit;
  readonly meaning: string;
  /** Whether it goes into clustering as log1p: what people spend differs by factors. */
  readonly logarithm?: true;
  /** What a customer counts as who has no value: one for whom it is longest ago, or as an average one. */
  readonly missing: 'never' | 'average';
  /** Months of history that it takes; with less it is absent. */
  readonly months?: number;
  /** A condition in a marketer's words; the value has its unit. */
  readonly atLeast: (value: string) => string;
  readonly under: (value: string) => string;
  /** As a column of a table is headed, or a picture is labelled. */
  readonly label: string;
  /** How people differ from others who have more of it, or less. */
  readonly more: string;
  readonly less: string;
}

/** The features that there are, in the order in which tables and models have them. */
export const FEATURES: readonly SegmentFeature[] = [
  {
    name: 'recency_days',
    source: 'transactions',
    unit: 'days',
    missing: 'never',
    meaning: 'days from the last purchase to the snapshot',
    atLeast: (value) => `last purchase ${value} ago or longer`,
    under: (value) => `last purchase under ${value} ago`,
    label: 'Days since last purchase',
    more: 'bought longer ago',
    less: 'bought more recently',
  },
  {
    name: 'frequency_90d',
    source: 'transactions',
    unit: 'purchases',
    missing: 'average',
    meaning: 'distinct invoices of purchases in the 90 days before the snapshot',
    atLeast: (value) => `${value} or more in 90 days`,
    under: (value) => `under ${value} in 90 days`,
    label: 'Purchases in 90 days',
    more: 'buys more often',
    less: 'buys less often',
  },
  {
    name: 'spend_90d',
    source: 'transactions',
    unit: 'money',
    missing: 'average',
    meaning: 'money of the purchases in the 90 days before the snapshot',
    logarithm: true,
    atLeast: (value) => `spent ${value} or more in 90 days`,
    under: (value) => `spent under ${value} in 90 days`,
    label: 'Spend in 90 days',
    more: 'spends more',
    less: 'spends less',
  },
  {
    name: 'support_tickets_90d',
    source: 'tickets',
    unit: 'tickets',
    missing: 'average',
    meaning: 'support tickets opened in the 90 days before the snapshot',
    atLeast: (value) => `${value} or more in 90 days`,
    under: (value) => `under ${value} in 90 days`,
    label: 'Support tickets in 90 days',
    more: 'asks for support more often',
    less: 'asks for support less often',
  },
  {
    name: 'refund_rate',
    source: 'transactions',
    unit: 'share',
    missing: 'average',
    meaning: 'share of all invoices up to the snapshot that are cancellations, refunds or chargebacks',
    atLeast: (value) => `${value} or more of invoices refunded`,
    under: (value) => `under ${value} of invoices refunded`,
    label: 'Share of invoices refunded',
    more: 'has more refunded',
    less: 'has less refunded',
  },
  {
    name: 'tenure_days',
    source: 'customers',
    unit: 'days',
    missing: 'average',
    meaning: 'days from the beginning as a customer to the snapshot',
    atLeast: (value) => `customer for ${value} or longer`,
    under: (value) => `customer for under ${value}`,
    label: 'Days as a customer',
    more: 'has been a customer for longer',
    less: 'has been a customer for less time',
  },
  {
    name: 'last_login_days',
    source: 'sessions',
    unit: 'days',
    missing: 'never',
    meaning: 'days from the last session to the snapshot',
    atLeast: (value) => `last visit ${value} ago or longer`,
    under: (value) => `last visit under ${value} ago`,
    label: 'Days since last visit',
    more: 'visited longer ago',
    less: 'visited more recently',
  },
  {
    name: 'season_share',
    source: 'transactions',
    unit: 'share',
    missing: 'average',
    meaning:
      "share of last year's purchases that were made in this season, 30 days around the snapshot's day of the year",
    months: 13,
    atLeast: (value) => `${value} or more of last year's purchases in this season`,
    under: (value) => `under ${value} of last year's purchases in this season`,
    label: "Share of last year's purchases in this season",
    more: 'buys more in this season',
    less: 'buys less in this season',
  },
  {
    name: 'recency_to_interval',
    source: 'transactions',
    unit: 'ratio',
    missing: 'average',
    meaning: "days since the last purchase over the customer's own median days between purchases",
    months: 13,
    atLeast: (value) => `${value} of the own usual interval or more since the last purchase`,
    under: (value) => `under ${value} of the own usual interval since the last purchase`,
    label: 'Time since last purchase, in usual intervals',
    more: 'is later than usual',
    less: 'is earlier than usual',
  },
];

const BY_NAME = new Map(FEATURES.map((feature) => [feature.name, feature]));

/** @throws RangeError for a name that no feature has */
export function featureOf(name: string): SegmentFeature {
  const feature = BY_NAME.get(name);
  if (feature === undefined) throw new RangeError(`no feature is called ${name}`);
  return feature;
}

/** The number nearest to a value that a person would say in this unit. */
export function sayable(value: number, unit: FeatureUnit): number {
  switch (unit) {
    case 'days':
    case 'purchases':
    case 'tickets':
      return Math.round(value);
    case 'share':
      return Number(value.toFixed(2));
    case 'ratio':
      return Number(value.toFixed(1));
    case 'money':
      // Two digits that count, and no fractions of one.
      return Math.abs(value) < 10 ? Math.round(value) : Number(value.toPrecision(2));
  }
}

/** A value with its unit, such as `95 days` or `12 %`; money without its currency, which the run knows. */
export function withUnit(value: number, unit: FeatureUnit, currency?: string): string {
  const number = value.toLocaleString('en-GB', { maximumFractionDigits: 10 });
  switch (unit) {
    case 'days':
      return value === 1 ? '1 day' : `${number} days`;
    case 'purchases':
      return value === 1 ? '1 purchase' : `${number} purchases`;
    case 'tickets':
      return value === 1 ? '1 support ticket' : `${number} support tickets`;
    case 'money':
      return currency === undefined ? number : `${number} ${currency}`;
    case 'share':
      return `${Number((value * 100).toFixed(8)).toLocaleString('en-GB')} %`;
    case 'ratio':
      return `${number} times`;
  }
}
