import type { Migration } from './migration.ts';

/** How long a run took, which its times do not say where `--now` gave them. Of one that was cut off nobody knows. */
export const runSeconds: Migration = {
  version: 10,
  name: 'run-seconds',
  sql: `
ALTER TABLE holdfast.runs ADD COLUMN seconds double precision;
UPDATE holdfast.runs SET seconds = extract(epoch FROM finished_at - started_at)
WHERE finished_at > started_at AND phase <> 'Interrupted';
COMMENT ON COLUMN holdfast.runs.seconds IS 'How long the run took, by a clock that never goes back; null where that is not known.';
`,
};
