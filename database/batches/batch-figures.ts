import type { Database } from '../client/database.ts';
import { prepared } from '../client/statement.ts';
import type { RunKey } from '../runs/runs.ts';

/** Bins of equal width that risks from 0 to 1 are counted in. */
export const RISK_BINS = 40;

/** Candidates of a run that agree in all of this. */
export interface CandidateGroup {
  readonly riskLevel: string;
  /** From 0; bin i is [i, i + 1) / RISK_BINS, the last one closed. */
  readonly bin: number;
  readonly offerKind: string | null;
  readonly offerTier: string | null;
  readonly arm: 'treatment' | 'holdout';
  readonly candidates: number;
}

/** Counts every candidate of a run, in one pass over them. */
export async function countCandidates(
  database: Database,
  { namespace, owner, run }: RunKey,
): Promise<readonly CandidateGroup[]> {
  const { rows } = await prepared<{
    readonly risk_level: string;
    readonly bin: number;
    readonly offer_kind: string | null;
    readonly offer_tier: string | null;
    readonly arm: 'treatment' | 'holdout';
    readonly candidates: string;
  }>(database, 'count the candidates', {
    sql: `SELECT risk_level, LEAST(floor(risk_score * ${RISK_BINS})::integer, ${RISK_BINS - 1}) AS bin, offer_kind, offer_tier, arm,
        count(*) AS candidates
      FROM holdfast.candidates WHERE namespace = $1 AND program = $2 AND run = $3
      GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`,
    values: [namespace, owner, run],
  });
  return rows.map(({ risk_level, bin, offer_kind, offer_tier, arm, candidates }) => ({
    riskLevel: risk_level,
    bin,
    offerKind: offer_kind,
    offerTier: offer_tier,
    arm,
    candidates: Number(candidates),
  }));
}
