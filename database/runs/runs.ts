import { pipelineOf } from '../../contract/pipelines.ts';
import type { RunTrigger } from '../../contract/trigger.ts';
import type { Warning } from '../../contract/warning.ts';
import type { Database } from '../client/database.ts';
import { prepared, statement } from '../client/statement.ts';
import { keptWarnings, type RunWarning } from './run-warnings.ts';

export interface OwnerKey {
  readonly namespace: string;
  readonly owner: string;
}

export interface RunKey extends OwnerKey {
  readonly run: string;
}

type RunPhase = 'Running' | 'Succeeded' | 'Failed' | 'Interrupted';

/** Types of the columns that the queries of a run read, by connector, table and column. */
export type SourceTypes = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;

/** What a stage reported, as it is kept with its run. */
export interface StageReport {
  readonly name: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly seconds: number;
  readonly counts: Readonly<Record<string, unknown>>;
  /** Of the stage that reads the sources. */
  readonly sources?: SourceTypes;
  /** Digest of the artifact that it committed, if it makes one. */
  readonly artifact?: string;
  /** The run that did it, where a retry did not do it again. */
  readonly reusedFrom?: string;
}

export interface RunRecord extends RunKey {
  readonly pipeline: string;
  readonly slot: Date;
  readonly sequence: number;
  readonly attempt: number;
  readonly trigger: RunTrigger;
  /** Name of the run that this one is a retry of. */
  readonly retryOf: string | undefined;
  /** SHA-256 of the program that the run is pinned to. */
  readonly revision: string;
  /** Uid of the object on a cluster that stands for the run. */
  readonly runUid: string | undefined;
  readonly phase: RunPhase;
  readonly startedAt: Date;
  readonly finishedAt: Date | undefined;
  /** How long it took; undefined while it runs, and of one that was cut off. */
  readonly seconds: number | undefined;
  /** When its batch became the current one. */
  readonly publishedAt: Date | undefined;
  /** When somebody discarded its batch, which was never sent. */
  readonly discardedAt: Date | undefined;
  /** When its artifacts were pruned. */
  readonly prunedAt: Date | undefined;
  readonly stages: readonly StageReport[];
  /** In the order in which they came. */
  readonly warnings: readonly RunWarning[];
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

/** Which try of a run: what an earlier one still writes is ignored or refused. */
export interface RunAttempt extends RunKey {
  readonly attempt: number;
}

export interface RunEnd {
  readonly phase: Exclude<RunPhase, 'Running'>;
  readonly finishedAt: Date;
  /** By a clock that never goes back; the time between its beginning and its end unless given. */
  readonly seconds?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** By name: what is prepared fails for good once `*` means another list of columns. */
export const RUN_COLUMNS = `namespace, program, run, pipeline, slot, sequence, attempt, trigger, retry_of, revision, owner, phase,
  started_at, finished_at, seconds, published_at, discarded_at, pruned_at, stages, warnings, error_code, error_message`;

/** jsonb sorts the keys of an object its own way, and the order of the filters is part of what is counted. */
interface RecordedReport extends StageReport {
  readonly order?: Readonly<Record<string, readonly string[]>>;
}

function orderOf(counts: StageReport['counts']): Readonly<Record<string, readonly string[]>> {
  const nested = Object.entries(counts).filter(([, count]) => typeof count === 'object' && count !== null);
  return Object.fromEntries(nested.map(([name, count]) => [name, Object.keys(count as object)]));
}

function inOrder({ order = {}, ...report }: RecordedReport): StageReport {
  const counts = Object.entries(report.counts).map(([name, count]) => {
    const keys = order[name];
    if (keys === undefined) return [name, count];
    return [name, Object.fromEntries(keys.map((key) => [key, (count as Record<string, unknown>)[key]]))];
  });
  return { ...report, counts: Object.fromEntries(counts) };
}

/** Records what a stage reported and warned of; a repeated stage replaces that. */
export async function recordStage(
  database: Database,
  run: RunAttempt,
  report: StageReport,
  warnings: readonly Warning[] = [],
): Promise<void> {
  const recorded: RecordedReport = { ...report, order: orderOf(report.counts) };
  await statement(
    database,
    `record the stage ${report.name}`,
    `UPDATE holdfast.runs
     SET stages = COALESCE(
           (SELECT jsonb_agg(report ORDER BY position)
            FROM jsonb_array_elements(stages) WITH ORDINALITY AS kept (report, position)
            WHERE report ->> 'name' <> $5), '[]') || jsonb_build_array($6::jsonb),
         warnings = COALESCE(
           (SELECT jsonb_agg(warning ORDER BY position)
            FROM jsonb_array_elements(warnings) WITH ORDINALITY AS kept (warning, position)
            WHERE warning ->> 'stage' IS DISTINCT FROM $5), '[]') || $7::jsonb
     WHERE namespace = $1 AND program = $2 AND run = $3 AND attempt = $4 AND phase = 'Running'`,
    [
      run.namespace,
      run.owner,
      run.run,
      run.attempt,
      report.name,
      JSON.stringify(recorded),
      keptWarnings(report.name, warnings),
    ],
  );
}

/** Keeps warnings of a run that are of no stage; those that are kept already are not repeated. */
export async function recordWarnings(database: Database, run: RunAttempt, warnings: readonly Warning[]): Promise<void> {
  if (warnings.length === 0) return;
  await statement(
    database,
    `record warnings of ${run.run}`,
    `UPDATE holdfast.runs SET warnings = warnings || COALESCE(
       (SELECT jsonb_agg(warning ORDER BY position) FROM jsonb_array_elements($5::jsonb) WITH ORDINALITY AS told (warning, position)
        WHERE NOT warnings @> jsonb_build_array(warning)), '[]')
     WHERE namespace = $1 AND program = $2 AND run = $3 AND attempt = $4`,
    [run.namespace, run.owner, run.run, run.attempt, keptWarnings(null, warnings)],
  );
}

/** Records how a run ended. One that another process has since marked Interrupted, or begun again, is left alone. */
export async function finishRun(database: Database, run: RunAttempt, end: RunEnd): Promise<void> {
  await statement(
    database,
    `record the end of ${run.run}`,
    `UPDATE holdfast.runs SET phase = $5, finished_at = $6, error_code = $7, error_message = $8,
       seconds = COALESCE($9, GREATEST(0, extract(epoch FROM $6::timestamptz - started_at)))
     WHERE namespace = $1 AND program = $2 AND run = $3 AND attempt = $4 AND phase = 'Running'`,
    [
      run.namespace,
      run.owner,
      run.run,
      run.attempt,
      end.phase,
      end.finishedAt,
      end.error?.code,
      end.error?.message,
      end.seconds,
    ],
  );
}

/**
 * The run whose batch is the program's current one; undefined before the first. A batch that somebody set back from, since
 * it was wrong, is no measure for the next.
 */
export async function currentRun(database: Database, { namespace, owner }: OwnerKey): Promise<RunRecord | undefined> {
  const { rows } = await statement<RunRow>(
    database,
    `read the current run of ${owner}`,
    `SELECT ${RUN_COLUMNS} FROM holdfast.runs
     WHERE (namespace, program, run) = (
       SELECT namespace, program, run FROM holdfast.current_batches WHERE namespace = $1 AND program = $2)`,
    [namespace, owner],
  );
  return rows[0] && toRecord(rows[0]);
}

export async function findRun(database: Database, { namespace, owner, run }: RunKey): Promise<RunRecord | undefined> {
  const { rows } = await statement<RunRow>(
    database,
    `read the run ${run}`,
    `SELECT ${RUN_COLUMNS} FROM holdfast.runs WHERE namespace = $1 AND program = $2 AND run = $3`,
    [namespace, owner, run],
  );
  return rows[0] && toRecord(rows[0]);
}

/** Runs of a program, newest first. @param query.before sequence of the last run of the page before */
export async function listRuns(
  database: Database,
  {
    namespace,
    owner,
    before,
    limit,
    pipeline,
  }: OwnerKey & { readonly before?: number | undefined; readonly limit: number; readonly pipeline?: string },
): Promise<readonly RunRecord[]> {
  const { rows } = await prepared<RunRow>(database, 'read runs', {
    sql: `SELECT ${RUN_COLUMNS} FROM holdfast.runs
      WHERE namespace = $1 AND program = $2 AND sequence < $3 AND ($5::text IS NULL OR pipeline = $5)
      ORDER BY sequence DESC LIMIT $4`,
    values: [namespace, owner, before ?? Number.MAX_SAFE_INTEGER, limit, pipeline ?? null],
  });
  return rows.map(toRecord);
}

/** Whether a run of the program was ever begun. */
export async function hasProgram(database: Database, { namespace, owner }: OwnerKey): Promise<boolean> {
  const sql = 'SELECT FROM holdfast.programs WHERE namespace = $1 AND program = $2';
  return (await prepared(database, 'read the programs', { sql, values: [namespace, owner] })).rows.length > 0;
}

export interface RunRow {
  readonly namespace: string;
  readonly program: string;
  readonly run: string;
  readonly pipeline: string;
  readonly slot: Date;
  /** bigint, which node-postgres hands over as text. */
  readonly sequence: string;
  readonly attempt: number;
  readonly trigger: RunTrigger;
  readonly retry_of: string | null;
  readonly revision: string;
  /** Uid of the object of the run. */
  readonly owner: string | null;
  readonly phase: RunPhase;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly seconds: number | null;
  readonly published_at: Date | null;
  readonly discarded_at: Date | null;
  readonly pruned_at: Date | null;
  readonly stages: readonly RecordedReport[];
  readonly warnings: readonly RunWarning[];
  readonly error_code: string | null;
  readonly error_message: string | null;
}

/** Where columns and fields have other names: whose a run is, `program`; the uid of its object, `owner`. */
export function toRecord(row: RunRow): RunRecord {
  const { namespace, program, run, pipeline, slot, attempt, trigger, revision, phase, stages, warnings } = row;
  return {
    namespace,
    owner: program,
    run,
    pipeline,
    slot,
    sequence: Number(row.sequence),
    attempt,
    trigger,
    retryOf: row.retry_of ?? undefined,
    revision,
    runUid: row.owner ?? undefined,
    phase,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    seconds: row.seconds ?? undefined,
    publishedAt: row.published_at ?? undefined,
    discardedAt: row.discarded_at ?? undefined,
    prunedAt: row.pruned_at ?? undefined,
    stages: stages.map(inOrder),
    warnings: warnings.map(({ stage, code, message }) => ({ stage, code, message })),
    error: row.error_code === null ? undefined : { code: row.error_code, message: row.error_message ?? '' },
  };
}

/**
 * What a run counted of the candidates that it stored, such as `arms`; undefined where no stage did. The last stage that
 * counts has the last word: caps take some out only when they are stored.
 */
export function storedCounts(
  { pipeline, stages }: RunRecord,
  of: string,
): Readonly<Record<string, number>> | undefined {
  const ended = pipelineOf(pipeline)?.stages.map((stage) => stages.find(({ name }) => name === stage.name)?.counts[of]);
  return ended?.findLast((counts) => typeof counts === 'object' && counts !== null) as
    | Record<string, number>
    | undefined;
}
