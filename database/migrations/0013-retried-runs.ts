import type { Migration } from './migration.ts';

/** A retry says which run it does again. No reference: prune may delete that run, and the retry stays. */
export const retriedRuns: Migration = {
  version: 13,
  name: 'retried-runs',
  sql: `
ALTER TABLE holdfast.runs ADD COLUMN retry_of text COLLATE "C";
COMMENT ON COLUMN holdfast.runs.retry_of IS 'Run of the same program that this one is a retry of; it may have been deleted since.';
`,
};
