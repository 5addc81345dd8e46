import { CANDIDATE_COLUMNS } from '../../customers/columns/candidate.ts';

export interface MissingColumn {
  readonly column: string;
  readonly unit: string;
  /** What would read it. */
  readonly neededBy: string;
}

const NEEDED_BY: Readonly<Record<string, string>> = {
  marketplace: 'the filter eligibility; one marketplace is assumed for everybody',
  currency: 'amounts in messages',
  timezone: "messages at a customer's own time",
  locale: "messages in a customer's own language",
  account_status: 'the filter trust',
  verified: 'the filter trust',
  subscription_status: 'rules of your own',
  subscription_tier: 'the filter customer-value (minSubscriptionTier)',
  subscription_tenure: 'models of offers',
  engagement_score: 'the scorecard, models',
  engagement_trend: 'rules of your own',
  engagement_change: 'the filter churn-signal (minEngagementDecline)',
  login_frequency: 'the filter churn-signal (maxLoginFrequencyRatio)',
  historical_avg: 'the filter churn-signal (maxLoginFrequencyRatio)',
  days_since_last_login: 'the churn signal inactivity, the scorecard',
  days_since_last_purchase: 'the filter churn-signal (minDaysSinceLastPurchase)',
  purchase_frequency: 'the scorecard, models',
  support_tickets: 'the scorecard, models',
  feature_usage: 'the scorecard, models',
  lifetime_value: 'the filter customer-value (minLifetimeValue)',
  discount_sensitivity: 'models of offers',
  competitor_research: 'the churn signal competitor_research',
  opted_out: 'the filter eligibility, which is left out: whoever refused offers may be contacted',
};

/** Columns of the candidate that were not found, and what would read them. */
export function missingColumns(found: readonly string[]): MissingColumn[] {
  return CANDIDATE_COLUMNS.filter(({ name }) => name !== 'customer_id' && !found.includes(name)).map(
    ({ name, unit }) => ({ column: name, unit, neededBy: neededBy(name) }),
  );
}

/** What reads a column of the candidate. */
export function neededBy(column: string): string {
  return NEEDED_BY[column] ?? 'rules of your own';
}
