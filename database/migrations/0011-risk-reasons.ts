import type { Migration } from './migration.ts';

/** Why the model gave a candidate its risk, in words that have no value of the customer in them. */
export const riskReasons: Migration = {
  version: 11,
  name: 'risk-reasons',
  sql: `
ALTER TABLE holdfast.candidates ADD COLUMN risk_reasons text[];
COMMENT ON COLUMN holdfast.candidates.risk_reasons IS 'Features that raised the risk most, the strongest first, and which side of typical they are on; null where the model cannot be explained, or an earlier version did not.';
CREATE OR REPLACE VIEW holdfast.current_candidates AS
SELECT namespace, program, run, customer_id, candidates.slot, marketplace, currency, timezone, locale, subscription_tier,
  lifetime_value, churn_signals, segment, risk_score, risk_level, offer_tier, offer_kind, discount, duration_months,
  include_upgrade, include_personal_call, arm, epoch, created_at, expires_at, risk_reasons
FROM holdfast.candidates
JOIN holdfast.current_batches USING (namespace, program, run)
WHERE candidates.expires_at > now();
COMMENT ON COLUMN holdfast.current_candidates.risk_reasons IS 'Features that raised the risk most, the strongest first; null where the model cannot be explained.';
CREATE OR REPLACE VIEW holdfast.outreach_candidates AS
SELECT namespace, program, run, customer_id, candidates.slot, marketplace, currency, timezone, locale, subscription_tier,
  lifetime_value, churn_signals, segment, risk_score, risk_level, offer_tier, offer_kind, discount, duration_months,
  include_upgrade, include_personal_call, created_at, expires_at, risk_reasons
FROM holdfast.candidates
JOIN holdfast.current_batches USING (namespace, program, run)
JOIN holdfast.runs USING (namespace, program, run)
WHERE candidates.arm = 'treatment' AND candidates.expires_at > now()
  AND (candidates.offer_tier IS NOT NULL OR runs.makes_offers IS NOT TRUE);
COMMENT ON COLUMN holdfast.outreach_candidates.risk_reasons IS 'Features that raised the risk most, the strongest first; null where the model cannot be explained.';
`,
};
