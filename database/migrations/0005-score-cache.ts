import type { Migration } from './migration.ts';

/**
 * What remote models answered. Unlogged: it can be asked for again, so it need not be written twice; after a crash of the
 * server it is empty. Keys say nothing of a customer to whoever does not know the row.
 */
export const scoreCache: Migration = {
  version: 5,
  name: 'score-cache',
  sql: `
CREATE UNLOGGED TABLE holdfast.score_cache (
  -- SHA-256 of model, features and row.
  key bytea PRIMARY KEY,
  -- float32 in little-endian order, and a check.
  outputs bytea NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX score_cache_by_expiry ON holdfast.score_cache (expires_at);
COMMENT ON TABLE holdfast.score_cache IS 'Outputs of remote models by what they were asked; may be emptied at any time.';
`,
};
