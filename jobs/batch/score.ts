import { join } from 'node:path';
import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { inShard } from '../../base/duckdb/shard.ts';
import { ColumnAppender } from '../../base/duckdb/vectors.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Counts } from '../../contract/counts.ts';
import { shardName } from '../../contract/run-name.ts';
import { NO_REASONS, told, type Warning, type WarningCode } from '../../contract/warning.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';
import type { NoReasons } from '../../customers/explanations/reasons.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { featureExpressions } from '../../providers/models/feature-columns.ts';
import { inputOf, type Parts, writeParts } from '../run/parts.ts';
import type { StageResult } from '../run/stage.ts';
import type { BatchContext, BatchStage, ShardedBatchStage } from './batch-stage.ts';
import { type CandidateReasons, explainCandidates } from './candidate-reasons.ts';
import { countRows, type RowByRow, replaced, rowByRow } from './row-by-row.ts';
import { SCORE_COLUMNS, scoreRows } from './score-rows.ts';
import { loadScoringModels, type ScoringModels } from './scoring-models.ts';

const ADDED_COLUMNS = ['risk_score', 'risk_level', 'offer_kind', 'offer_kind_score', 'risk_reasons'];

/**
 * Asks the models for the churn risk of every candidate that the filters kept, and for the offer that would
 * work best. Candidates under the lowest risk level are counted and dropped.
 * Those at or over it get the reasons that raised their risk most, where the model can be explained.
 * Parts: `scored.parquet`, `below.parquet`.
 * @throws HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED, HF_PROVIDER_UNAVAILABLE,
 *   HF_COLUMN_MISSING, HF_SCORE_OUT_OF_RANGE, HF_DISK_FULL, HF_INTERRUPTED
 */
export const score: BatchStage = (context) =>
  withModels(context, 'score', async (models, engines, parts) => {
    await scoreInto(engines, models, context);
    return finish(context, models, engines, parts, cacheCounts(models));
  });

/** The stage in shards. What a shard hands on is its scores alone: `scores.parquet`. */
export const shardedScore: ShardedBatchStage = {
  shard: (context, shard) =>
    withModels(context, shardName('score', shard), async (models, engines, parts) => {
      await scoreInto(engines, models, context, inShard('customer_id', shard));
      const rows = await parts.write(engines.sink, SHARD_PART, 'SELECT * FROM scores ORDER BY row_number');
      return parts.commit({ rows, counts: cacheCounts(models) });
    }),
  gather: (context, shards) =>
    withModels(context, 'score', async (models, engines, parts) => {
      const files = shards.map(({ folder }) => literal(join(folder, SHARD_PART)));
      await engines.sink.run(`CREATE TABLE scores AS SELECT * FROM read_parquet([${files.join(', ')}])`);
      const [rowsIn, rows] = [await countRows(engines.source, engines.table), await countRows(engines.sink, 'scores')];
      // A shard that is there twice can make up for one that is missing.
      const distinct = await countRows(engines.sink, '(SELECT DISTINCT row_number FROM scores)');
      if (rows !== rowsIn || distinct !== rowsIn) {
        throw new HoldfastError(
          'HF_ARTIFACT_CORRUPT',
          `${shards.length} shards of the stage score have ${rows} rows, ${distinct} of them different, and the batch has ${rowsIn}.`,
        );
      }
      const cached = cachedInShards(shards);
      const result = await finish(context, models, engines, parts, cached);
      // Processes on one machine have no connection to Postgres.
      if (cacheCounts(models)['cache'] === undefined || cached['cache'] !== undefined) return result;
      return { ...result, warnings: [...(result.warnings ?? []), ...told('SCORE_CACHE_UNUSED', [SHARDS_UNCACHED])] };
    }),
};

const SHARD_PART = 'scores.parquet';

const SHARDS_UNCACHED =
  'Shards on one machine do without the score cache: remote models were asked about every candidate.';

async function withModels<Result>(
  context: BatchContext,
  stage: string,
  work: (models: ScoringModels, engines: RowByRow, parts: Parts) => Promise<Result>,
): Promise<Result> {
  const artifact = inputOf(context, 'filter');
  await using models = await loadScoringModels(context);
  return await writeParts(context, stage, (parts) =>
    rowByRow(context, { stage: 'score', artifact, file: 'kept.parquet' }, (engines) => work(models, engines, parts)),
  );
}

/** Makes the table `scores` in the sink, of all rows or of those that a condition is true of. */
async function scoreInto(
  engines: RowByRow,
  models: ScoringModels,
  { signal, progress }: BatchContext,
  condition?: string,
): Promise<void> {
  const { source, sink, table } = engines;
  const where = condition === undefined ? '' : ` WHERE ${condition}`;
  const totalRows = await countRows(source, `${table}${where}`);
  const query = `${featureQuery(models, engines)}${where}`;
  using scores = await ColumnAppender.create(sink, 'scores', SCORE_COLUMNS);
  await scoreRows({ source, query, models, scores, totalRows, signal, progress });
}

/** Turns the table `scores` into the stage's artifact. */
async function finish(
  context: BatchContext,
  models: ScoringModels,
  engines: RowByRow,
  parts: Parts,
  cached: Counts,
): Promise<StageResult> {
  const { source, sink, table, columns } = engines;
  const rowsIn = await countRows(source, table);
  const kinds = models.offers?.model.manifest.kinds ?? [];
  await classify(sink, context.spec.riskLevels, kinds);
  const why = await explainCandidates(
    context,
    engines,
    'SELECT row_number FROM classified WHERE risk_level IS NOT NULL',
  );
  const [same] = await sink.rows<{ score: number | null }>(
    `SELECT CASE WHEN count(*) >= ${ENOUGH_TO_DIFFER} AND min(risk_score) = max(risk_score) THEN min(risk_score) END AS score FROM classified`,
  );
  const dropped = replaced(columns, ADDED_COLUMNS);
  const rowsOut = await parts.write(sink, 'scored.parquet', scoredCandidates(table, dropped, why));
  const belowThreshold = await parts.write(sink, 'below.parquet', candidatesBelow(table));
  const counts = {
    belowThreshold,
    riskLevels: await countBy(sink, 'risk_level', RISK_LEVELS),
    offerKinds: await countBy(sink, 'offer_kind', kinds),
  };
  return {
    rowsIn,
    rowsOut,
    // Of this run, and not of its artifact, which is the same whatever was known before.
    counts: { ...counts, ...cached },
    artifact: await parts.commit({ rows: rowsOut, counts }),
    warnings: [
      ...warnings(models, dropped, why),
      ...told('SCORES_ALL_ONE', typeof same?.score === 'number' ? [allOne(models, rowsIn, same.score)] : []),
    ],
  };
}

/** Customers of whom not all happen to be alike. */
const ENOUGH_TO_DIFFER = 20;

function allOne({ risk }: ScoringModels, rows: number, score: number): string {
  return `Model ${risk.model.manifest.modelId} gave all ${rows} customers one score, ${score}: does it read what the query gives?`;
}

/** What the score cache did, where there is one. */
function cacheCounts(models: ScoringModels): Counts {
  const counts = models.cacheCounts();
  return counts === undefined ? {} : { cache: { ...counts } };
}

/** The same of all shards together. */
function cachedInShards(shards: readonly ArtifactReference[]): Counts {
  const all = new Map<string, number>();
  for (const { manifest } of shards) {
    const { cache } = manifest.counts;
    if (typeof cache !== 'object') continue;
    for (const [name, count] of Object.entries(cache)) all.set(name, (all.get(name) ?? 0) + count);
  }
  return all.size === 0 ? {} : { cache: Object.fromEntries(all) };
}

function featureQuery({ risk, offers }: ScoringModels, { table, columns }: RowByRow): string {
  const features = [risk, ...(offers === undefined ? [] : [offers])].flatMap(({ model }) =>
    featureExpressions(model.manifest, columns),
  );
  return `SELECT CAST(file_row_number AS DOUBLE), ${features.join(', ')} FROM ${table}`;
}

/**
 * Turns raw outputs into what the batch says. A model's float32 becomes the shortest decimal that means it, so
 * that 0.6 reaches a level that begins at 0.6 here and in every later comparison.
 */
async function classify(
  engine: Engine,
  levels: RetentionProgramSpec['riskLevels'],
  kinds: readonly string[],
): Promise<void> {
  const whens = RISK_LEVELS.map((level) => `WHEN risk_score >= ${levels[level]}::DOUBLE THEN ${literal(level)}`);
  const names = kinds.map((kind, index) => `WHEN ${index} THEN ${literal(kind)}`);
  await engine.run(`
    CREATE TABLE classified AS
    SELECT
      row_number,
      CAST(CAST(risk AS VARCHAR) AS DOUBLE) AS risk_score,
      CASE ${whens.join(' ')} END AS risk_level,
      ${names.length === 0 ? 'CAST(NULL AS VARCHAR)' : `CASE kind ${names.join(' ')} END`} AS offer_kind,
      ${names.length === 0 ? 'CAST(NULL AS DOUBLE)' : 'CAST(CAST(effect AS VARCHAR) AS DOUBLE)'} AS offer_kind_score
    FROM scores`);
  await engine.run('DROP TABLE scores');
}

function scoredCandidates(table: string, dropped: readonly string[], why: CandidateReasons | NoReasons): string {
  const without = ['file_row_number', ...dropped].map(identifier).join(', ');
  const known =
    'sql' in why ? `CASE WHEN reasons.row_number IS NOT NULL THEN ${why.sql} END` : 'CAST(NULL AS VARCHAR[])';
  const added = ADDED_COLUMNS.map((name) => (name === 'risk_reasons' ? `${known} AS ${name}` : `classified.${name}`));
  return `
    SELECT candidate.* EXCLUDE (${without}), ${added.join(', ')}
    FROM ${table} AS candidate JOIN classified ON candidate.file_row_number = classified.row_number
    LEFT JOIN reasons ON reasons.row_number = classified.row_number
    WHERE classified.risk_level IS NOT NULL
    ORDER BY candidate.customer_id`;
}

function candidatesBelow(table: string): string {
  return `
    SELECT candidate.customer_id, classified.risk_score
    FROM ${table} AS candidate JOIN classified ON candidate.file_row_number = classified.row_number
    WHERE classified.risk_level IS NULL
    ORDER BY candidate.customer_id`;
}

/** Rows over the lowest level by a column, every known value listed. */
async function countBy(engine: Engine, column: string, values: readonly string[]): Promise<Record<string, number>> {
  const rows = await engine.rows<{ value: string; count: string }>(
    `SELECT ${column} AS value, count(*) AS count FROM classified WHERE risk_level IS NOT NULL GROUP BY ALL`,
  );
  const counts = new Map(rows.map(({ value, count }) => [value, Number(count)]));
  return Object.fromEntries(values.map((value) => [value, counts.get(value) ?? 0]));
}

function warnings(
  { risk, offers, cacheCounts }: ScoringModels,
  dropped: readonly string[],
  why: CandidateReasons | NoReasons,
): Warning[] {
  const found: Warning[] = [];
  const add = (code: WarningCode, sentence: string) => found.push({ code, message: sentence });
  if (!risk.model.manifest.calibrated) {
    add(
      'MODEL_NOT_CALIBRATED',
      `Model ${risk.model.manifest.modelId} is not calibrated: the thresholds in riskLevels do not mean probabilities.`,
    );
  }
  if ((cacheCounts()?.failures ?? 0) > 0) {
    add('SCORE_CACHE_UNUSED', 'The score cache could not be used: the models were asked about every row.');
  }
  if (offers === undefined) {
    add('NO_OFFER_MODEL', 'No model has the role offer-effectiveness: candidates get no recommended offer kind.');
  }
  if ('unavailable' in why) add('NO_REASONS', `${NO_REASONS}: ${why.unavailable}`);
  if (dropped.length > 0) {
    add(
      'COLUMN_REPLACED',
      `The query has ${dropped.join(', ')}, which the scores replace after the models have read it.`,
    );
  }
  return found;
}
