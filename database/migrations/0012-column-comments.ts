import type { Migration } from './migration.ts';

/** What each column of the views means, in the words of the table of columns, the view for outreach not left out. */
export const columnComments: Migration = {
  version: 12,
  name: 'column-comments',
  sql: `
DO $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT attrelid::regclass AS view, name, meaning
    FROM pg_attribute JOIN (VALUES
      ('namespace', 'Namespace of the program: "default" on a laptop.'),
      ('program', 'The program. Give namespace and program, and an index finds the rows. [programId]'),
      ('run', 'The run that published the batch.'),
      ('slot', 'The instant that the batch is as of.'),
      ('created_at', 'When the batch was stored.'),
      ('expires_at', 'From then on the view does not show the row.'),
      ('customer_id', 'Stable identity of the customer; unique within a batch.'),
      ('marketplace', 'Marketplace the customer buys in. [code]'),
      ('currency', 'Currency of the marketplace. [ISO 4217]'),
      ('timezone', 'The customer''s time zone. [IANA]'),
      ('locale', 'The customer''s language and region. [BCP 47]'),
      ('subscription_tier', 'Tier, in the order of \`subscriptionTiers\`. [tier]'),
      ('lifetime_value', 'Value of the customer so far. [program currency]'),
      ('churn_signals', 'Names of the churn signals that the customer shows, sorted. [set]'),
      ('segment', 'Segment in the newest published snapshot of the program''s series.'),
      ('risk_score', 'Churn risk; a probability where the model is calibrated. [0–1]'),
      ('risk_level', 'Level, by \`riskLevels\`. [critical, high, medium]'),
      ('offer_kind', 'The kind of offer that the second model recommends. [kind]'),
      ('risk_reasons', 'What raised the risk most, the strongest first: features, and which side of typical they are on. Missing where the model cannot be explained. [up to 3]'),
      ('offer_tier', 'What the risk level may get; missing where it has no terms, and nothing is offered. [offerType]'),
      ('discount', 'Discount of the offer. [per cent]'),
      ('duration_months', 'How long the offer lasts. [months]'),
      ('include_upgrade', 'Whether the offer includes a higher tier.'),
      ('include_personal_call', 'Whether the offer includes a call.'),
      ('arm', 'A held-out customer gets nothing, so that the effect can be measured. [treatment, holdout]'),
      ('epoch', 'Number of the experiment that the arm belongs to.')
    ) AS meanings (name, meaning) ON attname = name
    WHERE attrelid IN ('holdfast.current_candidates'::regclass, 'holdfast.outreach_candidates'::regclass)
  LOOP
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', one.view, one.name, one.meaning);
  END LOOP;
END $$;
`,
};
