import type { Migration } from './migration.ts';

/** On a cluster a run is an object, which can be deleted and made again under its name: its uid tells them apart. */
export const runOwner: Migration = {
  version: 2,
  name: 'run-owner',
  sql: `
ALTER TABLE holdfast.runs ADD COLUMN owner text;
COMMENT ON COLUMN holdfast.runs.owner IS 'Uid of the object on a cluster that stands for the run.';
`,
};
