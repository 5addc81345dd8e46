import type { Migration } from './migration.ts';

/** A batch that was never sent, and that somebody therefore discarded: what it decided is no offer. */
export const discardedRuns: Migration = {
  version: 9,
  name: 'discarded-runs',
  sql: `
ALTER TABLE holdfast.runs ADD COLUMN discarded_at timestamptz;
COMMENT ON COLUMN holdfast.runs.discarded_at IS 'When somebody discarded its batch: its decisions count for no cap, and it cannot be current; see discards.';
CREATE TABLE holdfast.discards (
  namespace text COLLATE "C" NOT NULL,
  program text COLLATE "C" NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  run text COLLATE "C" NOT NULL,
  -- Whether the discard was taken back.
  undone boolean NOT NULL,
  -- The current batch afterwards, where it was the one that was discarded.
  current_run text COLLATE "C",
  changed_by text NOT NULL,
  role text NOT NULL DEFAULT session_user,
  reason text NOT NULL,
  PRIMARY KEY (namespace, program, changed_at)
);
COMMENT ON TABLE holdfast.discards IS 'Every time that somebody discarded a batch that was never sent, or took that back.';
`,
};
