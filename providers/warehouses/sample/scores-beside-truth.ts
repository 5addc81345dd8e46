import { join } from 'node:path';
import { type Engine, literal } from '../../../base/duckdb/engine.ts';
import { RISK_LEVELS } from '../../../customers/columns/risk-levels.ts';

/** What the model said of one risk level, beside what happens there. */
export interface LevelComparison {
  readonly level: string;
  readonly customers: number;
  /** Mean churn risk that the model said. */
  readonly said: number;
  /** Share that cancels within 90 days without an offer. */
  readonly happened: number;
}

/**
 * How the scores of a batch compare with the truth, which only a made-up business knows. The areas under the ROC
 * curve are over every scored customer; null when all of them, or none, cancel.
 */
export interface TruthComparison {
  readonly madeUp: true;
  readonly outcome: 'cancels within 90 days without an offer';
  /** Risk levels from the highest, `below` the lowest of them included; without those that nobody has. */
  readonly levels: readonly LevelComparison[];
  readonly auc: {
    readonly model: number | null;
    /** Of the true probability: the best that any score of these customers could reach. */
    readonly oracle: number | null;
    /** Of the days since the last login, and since the last purchase, alone. */
    readonly lastLogin: number | null;
    readonly lastPurchase: number | null;
  };
}

interface SampleFiles {
  readonly warehouse: string;
  readonly truth: string;
}

/** Compares the scores that an artifact of `score` holds with the truth of the sample business they are about. */
export async function compareWithTruth(
  engine: Engine,
  scores: { readonly folder: string },
  { warehouse, truth }: SampleFiles,
): Promise<TruthComparison> {
  await engine.run(`
    ATTACH ${literal(warehouse)} AS sample (READ_ONLY);
    ATTACH ${literal(truth)} AS truth (READ_ONLY);
    CREATE TEMP TABLE outcomes AS ${outcomes(scores.folder)}`);
  const levels = await engine.rows<LevelComparison>(`
    SELECT level, count(*)::INTEGER AS customers, avg(model) AS said, avg(cancels::INTEGER) AS happened
    FROM outcomes GROUP BY level ORDER BY list_position([${LEVELS.map(literal).join(', ')}], level)`);
  return {
    madeUp: true,
    outcome: 'cancels within 90 days without an offer',
    levels,
    auc: {
      model: await areaUnderCurve(engine, 'model'),
      oracle: await areaUnderCurve(engine, 'oracle'),
      lastLogin: await areaUnderCurve(engine, 'last_login'),
      lastPurchase: await areaUnderCurve(engine, 'last_purchase'),
    },
  };
}

const LEVELS = [...RISK_LEVELS, 'below'];

/** One row per scored customer: the scores to compare, and whether the customer cancels. */
const outcomes = (folder: string) => `
  WITH scored AS (
    SELECT customer_id, risk_level AS level, risk_score AS model
    FROM read_parquet(${literal(join(folder, 'scored.parquet'))})
    UNION ALL
    SELECT customer_id, 'below', risk_score FROM read_parquet(${literal(join(folder, 'below.parquet'))})
  )
  SELECT level, model, outcome.cancels_untreated AS cancels, hazard.cancellation_probability AS oracle,
    days_since_last_login AS last_login, days_since_last_purchase AS last_purchase
  FROM scored
  JOIN truth.future_outcomes AS outcome USING (customer_id)
  JOIN truth.customer_truth AS hazard USING (customer_id)
  -- A customer may be loaded twice.
  JOIN (SELECT DISTINCT ON (customer_id) * FROM sample.customer_analytics SEMI JOIN scored USING (customer_id))
    USING (customer_id)`;

/** Mann and Whitney's statistic from mean ranks, so that customers with equal scores count half. */
async function areaUnderCurve(engine: Engine, score: string): Promise<number | null> {
  const [row] = await engine.rows<{ area: number | null }>(`
    WITH ranked AS (
      SELECT cancels, rank() OVER (ORDER BY ${score}) + (count(*) OVER (PARTITION BY ${score}) - 1) / 2 AS mean_rank
      FROM outcomes
    ), counted AS (
      SELECT sum(mean_rank) FILTER (cancels) AS ranks, count(*) FILTER (cancels)::DOUBLE AS positive,
        count(*) FILTER (NOT cancels)::DOUBLE AS negative
      FROM ranked
    )
    SELECT (ranks - positive * (positive + 1) / 2) / nullif(positive * negative, 0) AS area FROM counted`);
  return row?.area ?? null;
}
