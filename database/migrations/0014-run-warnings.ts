import type { Migration } from './migration.ts';

/** What a run warned of is kept with its code, also what is of no stage; a version before kept the sentences of stages. */
export const runWarnings: Migration = {
  version: 14,
  name: 'run-warnings',
  sql: `
ALTER TABLE holdfast.runs ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN holdfast.runs.warnings IS 'What a person should know of the run: stage (null where it is of none), code and message; see docs/errors.md.';
UPDATE holdfast.runs SET
  warnings = (
    SELECT jsonb_agg(jsonb_build_object('stage', stage -> 'name', 'code', 'EARLIER_VERSION', 'message', message)
                     ORDER BY place, position)
    FROM jsonb_array_elements(stages) WITH ORDINALITY AS done (stage, place),
      jsonb_array_elements(stage -> 'warnings') WITH ORDINALITY AS warned (message, position)),
  stages = (
    SELECT jsonb_agg(stage - 'warnings' ORDER BY place)
    FROM jsonb_array_elements(stages) WITH ORDINALITY AS done (stage, place))
WHERE jsonb_path_exists(stages, '$[*].warnings[*]');
`,
};
