import type { Migration } from './migration.ts';

/**
 * Runs, the candidates they store, the batch that is current, and the decisions that outlive it.
 * Every key starts with (namespace, program), by name: a program deleted and made again keeps its history.
 * Texts that are ordered or compared sort by code point, on every server alike.
 */
export const initial: Migration = {
  version: 1,
  name: 'initial',
  sql: `
CREATE TABLE holdfast.programs (
  namespace text COLLATE "C" NOT NULL,
  program text COLLATE "C" NOT NULL,
  -- Never given out twice, whatever becomes of the run.
  last_sequence bigint NOT NULL,
  PRIMARY KEY (namespace, program)
);

CREATE TABLE holdfast.runs (
  namespace text COLLATE "C" NOT NULL,
  program text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  pipeline text NOT NULL,
  slot timestamptz NOT NULL,
  sequence bigint NOT NULL,
  attempt integer NOT NULL,
  trigger text NOT NULL CHECK (trigger IN ('schedule', 'manual', 'backfill', 'retry')),
  revision text NOT NULL,
  phase text NOT NULL CHECK (phase IN ('Running', 'Succeeded', 'Failed', 'Interrupted')),
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  -- When its batch became the current one, in the same transaction; a backfill never does.
  published_at timestamptz,
  extract_rows bigint,
  stages jsonb NOT NULL DEFAULT '[]',
  error_code text,
  error_message text,
  PRIMARY KEY (namespace, program, run),
  UNIQUE (namespace, program, sequence)
);

CREATE TABLE holdfast.candidates (
  namespace text COLLATE "C" NOT NULL,
  program text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  slot timestamptz NOT NULL,
  marketplace text,
  currency text,
  timezone text,
  locale text,
  subscription_tier text,
  lifetime_value double precision,
  churn_signals text[] NOT NULL,
  segment text,
  risk_score double precision NOT NULL CHECK (risk_score BETWEEN 0 AND 1),
  risk_level text COLLATE "C" NOT NULL,
  -- Without terms for the risk level there is no tier, and nothing is offered.
  offer_tier text COLLATE "C",
  offer_kind text COLLATE "C",
  discount double precision,
  duration_months integer,
  include_upgrade boolean,
  include_personal_call boolean,
  arm text NOT NULL CHECK (arm IN ('treatment', 'holdout')),
  epoch integer NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (namespace, program, run, customer_id)
);
CREATE INDEX candidates_by_risk ON holdfast.candidates (namespace, program, run, risk_level, risk_score DESC, customer_id);
CREATE INDEX candidates_by_offer ON holdfast.candidates (namespace, program, offer_kind, slot, customer_id);
CREATE INDEX candidates_by_expiry ON holdfast.candidates (namespace, program, expires_at);

CREATE TABLE holdfast.current_batches (
  namespace text COLLATE "C" NOT NULL,
  program text COLLATE "C" NOT NULL,
  slot timestamptz NOT NULL,
  sequence bigint NOT NULL,
  attempt integer NOT NULL,
  run text COLLATE "C" NOT NULL,
  PRIMARY KEY (namespace, program),
  FOREIGN KEY (namespace, program, run) REFERENCES holdfast.runs
);

CREATE VIEW holdfast.current_candidates AS
SELECT candidates.*
FROM holdfast.candidates
JOIN holdfast.current_batches USING (namespace, program, run)
WHERE candidates.expires_at > now();

CREATE TABLE holdfast.decisions (
  namespace text COLLATE "C" NOT NULL,
  program text COLLATE "C" NOT NULL,
  period timestamptz NOT NULL,
  run text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  arm text NOT NULL CHECK (arm IN ('treatment', 'holdout')),
  epoch integer NOT NULL,
  risk_level text NOT NULL,
  offer_tier text,
  offer_kind text,
  decided_at timestamptz NOT NULL,
  PRIMARY KEY (namespace, period, program, run, customer_id),
  FOREIGN KEY (namespace, program, run) REFERENCES holdfast.runs
);

COMMENT ON TABLE holdfast.programs IS 'The last run number given out to each program.';
COMMENT ON TABLE holdfast.runs IS 'One row per run of a program, with what each stage reported.';
COMMENT ON TABLE holdfast.candidates IS 'Customers that a run stored, with their risk and offer; read through current_candidates.';
COMMENT ON TABLE holdfast.current_batches IS 'The run whose candidates count; moves only to a greater (slot, sequence, attempt).';
COMMENT ON VIEW holdfast.current_candidates IS 'Candidates of the current batches that have not expired.';
COMMENT ON TABLE holdfast.decisions IS 'Who was given what, or held out, in which period; kept beyond the candidates.';
`,
};
