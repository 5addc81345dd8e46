import type { Migration } from './migration.ts';

/** Who set the current batch of a program by hand, when, from which run to which, and why. */
export const currentChanges: Migration = {
  version: 6,
  name: 'current-changes',
  sql: `
CREATE TABLE holdfast.current_changes (
  namespace text COLLATE "C" NOT NULL,
  program text COLLATE "C" NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  from_run text COLLATE "C",
  to_run text COLLATE "C" NOT NULL,
  -- Whether the decisions of the run that it left were taken back.
  withdrawn boolean NOT NULL,
  changed_by text NOT NULL,
  role text NOT NULL DEFAULT session_user,
  reason text NOT NULL,
  PRIMARY KEY (namespace, program, changed_at)
);
COMMENT ON TABLE holdfast.current_changes IS 'Every time that somebody set the current batch of a program by hand.';
COMMENT ON TABLE holdfast.current_batches IS 'The run whose candidates count; by itself it moves only to a greater (slot, sequence, attempt), see current_changes.';
`,
};
