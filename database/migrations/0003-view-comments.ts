import type { Migration } from './migration.ts';

/** Who looks at the view with a client of their own reads there what each column means. */
export const viewComments: Migration = {
  version: 3,
  name: 'view-comments',
  sql: `
COMMENT ON COLUMN holdfast.current_candidates.namespace IS 'Namespace of the program: "default" on a laptop.';
COMMENT ON COLUMN holdfast.current_candidates.program IS 'programId. Give namespace and program, and an index finds the rows.';
COMMENT ON COLUMN holdfast.current_candidates.run IS 'The run that published the batch.';
COMMENT ON COLUMN holdfast.current_candidates.customer_id IS 'Identity of the customer, as the warehouse has it.';
COMMENT ON COLUMN holdfast.current_candidates.slot IS 'The instant that the batch is as of.';
COMMENT ON COLUMN holdfast.current_candidates.marketplace IS 'Two letters.';
COMMENT ON COLUMN holdfast.current_candidates.currency IS 'ISO 4217.';
COMMENT ON COLUMN holdfast.current_candidates.timezone IS 'IANA name of the customer''s time zone.';
COMMENT ON COLUMN holdfast.current_candidates.locale IS 'BCP 47.';
COMMENT ON COLUMN holdfast.current_candidates.subscription_tier IS 'Tier, in the order of the program''s subscriptionTiers.';
COMMENT ON COLUMN holdfast.current_candidates.lifetime_value IS 'Value of the customer so far, in the program''s currency.';
COMMENT ON COLUMN holdfast.current_candidates.churn_signals IS 'Names of the churn signals that the customer shows, sorted.';
COMMENT ON COLUMN holdfast.current_candidates.segment IS 'Segment in the newest published snapshot of the program''s series.';
COMMENT ON COLUMN holdfast.current_candidates.risk_score IS 'Churn risk from 0 to 1; a probability where the model is calibrated.';
COMMENT ON COLUMN holdfast.current_candidates.risk_level IS 'critical, high or medium, by the program''s riskLevels.';
COMMENT ON COLUMN holdfast.current_candidates.offer_tier IS 'What the risk level may get; null where it has no terms, and nothing is offered.';
COMMENT ON COLUMN holdfast.current_candidates.offer_kind IS 'What works best for this customer, as the second model says.';
COMMENT ON COLUMN holdfast.current_candidates.discount IS 'Per cent.';
COMMENT ON COLUMN holdfast.current_candidates.duration_months IS 'Months that the offer lasts.';
COMMENT ON COLUMN holdfast.current_candidates.include_upgrade IS 'Whether the offer includes a higher tier.';
COMMENT ON COLUMN holdfast.current_candidates.include_personal_call IS 'Whether the offer includes a call.';
COMMENT ON COLUMN holdfast.current_candidates.arm IS 'treatment, or holdout: gets nothing, so that the effect can be measured.';
COMMENT ON COLUMN holdfast.current_candidates.epoch IS 'Number of the experiment that the arm belongs to.';
COMMENT ON COLUMN holdfast.current_candidates.created_at IS 'When the batch was stored.';
COMMENT ON COLUMN holdfast.current_candidates.expires_at IS 'From then on the view does not show the row.';
`,
};
