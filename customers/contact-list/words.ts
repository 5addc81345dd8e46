import { NO_REASONS } from '../../contract/warning.ts';
import type { RunRecord } from '../../database/runs/runs.ts';
import type { StoredCandidate } from '../columns/stored-columns.ts';

/** Each churn signal as somebody who writes to the customer would say it. */
const SIGNALS: Readonly<Record<string, string>> = {
  competitor_research: 'looked at competitors',
  engagement_decline: 'engagement fell',
  inactivity: 'no login for long',
  low_login_frequency: 'logs in less than usual',
  no_recent_purchase: 'no purchase for long',
};

/** Such as `engagement fell; support tickets above typical`: signals, then what moved the model. */
export function reasonWords({
  churn_signals,
  risk_reasons,
}: Pick<StoredCandidate, 'churn_signals' | 'risk_reasons'>): string {
  return [...churn_signals.map((signal) => SIGNALS[signal] ?? signal), ...(risk_reasons ?? [])]
    .map((reason) => reason.replaceAll('_', ' '))
    .join('; ');
}

/** Why the list of a batch has no reasons of its model, as its run found; undefined where it has them. */
export function whyNoReasons({ warnings }: Pick<RunRecord, 'warnings'>): string | undefined {
  // A version before this one kept no codes.
  return warnings.map(({ message }) => message).find((message) => message.startsWith(NO_REASONS));
}

type Offer = Pick<
  StoredCandidate,
  'offer_tier' | 'discount' | 'duration_months' | 'include_upgrade' | 'include_personal_call'
>;

/** Such as `20 % off for 3 months, upgrade, personal call`; null where nothing is offered. */
export function offerWords(row: Offer): string | null {
  if (row.offer_tier === null) return null;
  const months = row.duration_months ?? 0;
  const lasts = months > 0 ? ` for ${months} ${months === 1 ? 'month' : 'months'}` : '';
  const parts = [
    ...((row.discount ?? 0) > 0 ? [`${row.discount} % off${lasts}`] : []),
    ...(row.include_upgrade === true ? ['upgrade'] : []),
    ...(row.include_personal_call === true ? ['personal call'] : []),
  ];
  return parts.length === 0 ? row.offer_tier : parts.join(', ');
}
