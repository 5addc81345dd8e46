import { SERIES_PREFIX } from '../../contract/owner.ts';
import type { Database } from '../client/database.ts';
import { prepared } from '../client/statement.ts';
import { RUN_COLUMNS, type RunRecord, type RunRow, toRecord } from './runs.ts';

/** A program that has run. */
export interface ProgramRecord {
  readonly namespace: string;
  readonly program: string;
  /** The run whose batch is current. */
  readonly current: RunRecord | undefined;
  /** The run begun last, whatever became of it. */
  readonly newest: RunRecord | undefined;
}

/** One of the two runs of a program; of a program without runs, one row without a run. */
type Row = { readonly of_namespace: string; readonly of_program: string } & {
  readonly current_run: string | null;
  readonly newest_run: string | null;
} & { readonly [Column in keyof RunRow]: RunRow[Column] | null };

/** What else has run is a series. */
export const IS_PROGRAM = `NOT starts_with(program, '${SERIES_PREFIX}')`;

/** Programs by namespace and name. @param query.namespaces every one unless given */
export async function listPrograms(
  database: Database,
  { namespaces, limit }: { readonly namespaces?: readonly string[] | undefined; readonly limit: number },
): Promise<readonly ProgramRecord[]> {
  const { rows } = await prepared<Row>(database, 'read the programs', {
    sql: `WITH listed AS (
        SELECT namespace AS of_namespace, program AS of_program,
          (SELECT run FROM holdfast.current_batches AS current
           WHERE current.namespace = programs.namespace AND current.program = programs.program) AS current_run,
          (SELECT run FROM holdfast.runs
           WHERE runs.namespace = programs.namespace AND runs.program = programs.program
           ORDER BY sequence DESC LIMIT 1) AS newest_run
        FROM holdfast.programs
        WHERE ${IS_PROGRAM} AND ($1::text[] IS NULL OR namespace = ANY ($1)) ORDER BY 1, 2 LIMIT $2)
      SELECT listed.*, found.* FROM listed LEFT JOIN LATERAL (
        SELECT ${RUN_COLUMNS} FROM holdfast.runs
        WHERE namespace = of_namespace AND program = of_program AND run IN (current_run, newest_run)) AS found ON true
      ORDER BY of_namespace, of_program`,
    values: [namespaces ?? null, limit],
  });
  const programs = new Map<string, ProgramRecord>();
  for (const row of rows) {
    const { of_namespace, of_program, run } = row;
    const key = JSON.stringify([of_namespace, of_program]);
    const known = programs.get(key) ?? { current: undefined, newest: undefined };
    const record = run === null ? undefined : toRecord(row as unknown as RunRow);
    programs.set(key, {
      namespace: of_namespace,
      program: of_program,
      current: run === row.current_run ? record : known.current,
      newest: run === row.newest_run ? record : known.newest,
    });
  }
  return [...programs.values()];
}
