import type { Migration } from './migration.ts';

/**
 * Whom to contact leaves out those to whom the program offers nothing: a risk level without terms in a strategy that has
 * some. Where the strategy is off nobody has an offer, and everybody at risk is there. An earlier version does not say
 * (null): then nobody is left out.
 */
export const outreachOffers: Migration = {
  version: 8,
  name: 'outreach-offers',
  sql: `
ALTER TABLE holdfast.runs ADD COLUMN makes_offers boolean;
COMMENT ON COLUMN holdfast.runs.makes_offers IS 'Whether the strategy of its program has terms for any risk level; null where it is not known.';
UPDATE holdfast.runs SET makes_offers = offered.tiers <> '{}'::jsonb
FROM (
  SELECT namespace, program, run, stage -> 'counts' -> 'tiers' AS tiers
  FROM holdfast.runs CROSS JOIN LATERAL jsonb_array_elements(stages) AS stage
  WHERE stage ->> 'name' = 'offer') AS offered
WHERE (runs.namespace, runs.program, runs.run) = (offered.namespace, offered.program, offered.run)
  AND jsonb_typeof(offered.tiers) = 'object';
CREATE OR REPLACE VIEW holdfast.outreach_candidates AS
SELECT namespace, program, run, customer_id, candidates.slot, marketplace, currency, timezone, locale, subscription_tier,
  lifetime_value, churn_signals, segment, risk_score, risk_level, offer_tier, offer_kind, discount, duration_months,
  include_upgrade, include_personal_call, created_at, expires_at
FROM holdfast.candidates
JOIN holdfast.current_batches USING (namespace, program, run)
JOIN holdfast.runs USING (namespace, program, run)
WHERE candidates.arm = 'treatment' AND candidates.expires_at > now()
  AND (candidates.offer_tier IS NOT NULL OR runs.makes_offers IS NOT TRUE);
COMMENT ON VIEW holdfast.outreach_candidates IS 'Whom to contact: candidates of the current batches that have not expired, are not held out, and have an offer where their program makes any.';
COMMENT ON COLUMN holdfast.outreach_candidates.offer_tier IS 'What the risk level gets; null only where the program makes no offers.';
`,
};
