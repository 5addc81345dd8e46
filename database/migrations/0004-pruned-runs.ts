import type { Migration } from './migration.ts';

/** A run outlives its artifacts where decisions refer to it: then it says that they were pruned, and when. */
export const prunedRuns: Migration = {
  version: 4,
  name: 'pruned-runs',
  sql: `
ALTER TABLE holdfast.runs ADD COLUMN pruned_at timestamptz;
COMMENT ON COLUMN holdfast.runs.pruned_at IS 'When the artifacts of the run were pruned; a new attempt of the run makes new ones.';
`,
};
