/** Churn signals, in the order in which they are reported: the alphabet's. */
export const CHURN_SIGNALS = [
  'competitor_research',
  'engagement_decline',
  'inactivity',
  'low_login_frequency',
  'no_recent_purchase',
] as const;

export type ChurnSignal = (typeof CHURN_SIGNALS)[number];
