import type { Migration } from './migration.ts';

/** Whoever contacts customers reads this view: the held-out are not in it, and nothing says that there are any. */
export const outreachView: Migration = {
  version: 7,
  name: 'outreach-view',
  sql: `
CREATE VIEW holdfast.outreach_candidates AS
SELECT namespace, program, run, customer_id, candidates.slot, marketplace, currency, timezone, locale, subscription_tier,
  lifetime_value, churn_signals, segment, risk_score, risk_level, offer_tier, offer_kind, discount, duration_months,
  include_upgrade, include_personal_call, created_at, expires_at
FROM holdfast.candidates
JOIN holdfast.current_batches USING (namespace, program, run)
WHERE candidates.arm = 'treatment' AND candidates.expires_at > now();
COMMENT ON VIEW holdfast.outreach_candidates IS 'Whom to contact: candidates of the current batches that have not expired and are not held out.';
COMMENT ON COLUMN holdfast.outreach_candidates.namespace IS 'Namespace of the program: "default" on a laptop.';
COMMENT ON COLUMN holdfast.outreach_candidates.program IS 'programId. Give namespace and program, and an index finds the rows.';
COMMENT ON COLUMN holdfast.outreach_candidates.risk_score IS 'Churn risk from 0 to 1; a probability where the model is calibrated.';
COMMENT ON COLUMN holdfast.outreach_candidates.offer_tier IS 'What the risk level may get; null where it has no terms, and nothing is offered.';
COMMENT ON COLUMN holdfast.outreach_candidates.offer_kind IS 'What works best for this customer, as the second model says.';
COMMENT ON COLUMN holdfast.outreach_candidates.discount IS 'Per cent.';
COMMENT ON COLUMN holdfast.outreach_candidates.expires_at IS 'From then on the view does not show the row.';
COMMENT ON VIEW holdfast.current_candidates IS 'Candidates of the current batches that have not expired, those held out as well: for analysis. To contact customers read outreach_candidates.';
`,
};
