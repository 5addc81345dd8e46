import { RISK_LEVELS } from '../../crds/retention-program.ts';
import type { Counts } from '../artifacts/artifact.ts';
import type { Engine } from '../columns/engine.ts';

interface Group {
  readonly level: string;
  readonly kind: string | null;
  readonly arm: string;
  readonly offered: boolean;
  readonly count: string;
}

/**
 * Counts a file of decisions. Held-out rows are counted like all others: they are decisions too.
 * @param kinds every offer kind there is
 */
export async function countDecisions(engine: Engine, file: string, kinds: readonly string[]): Promise<Counts> {
  const rows = await engine.rows<Group>(
    `SELECT risk_level AS level, offer_kind AS kind, arm, offer_tier IS NOT NULL AS offered, count(*) AS count
     FROM read_parquet($1) GROUP BY ALL ORDER BY ALL`,
    [file],
  );
  const sum = (matches: (row: Group) => boolean) =>
    rows.filter(matches).reduce((total, { count }) => total + Number(count), 0);
  return {
    riskLevels: Object.fromEntries(RISK_LEVELS.map((level) => [level, sum((row) => row.level === level)])),
    kinds: Object.fromEntries(kinds.map((kind) => [kind, sum((row) => row.kind === kind)])),
    arms: { treatment: sum(({ arm }) => arm === 'treatment'), holdout: sum(({ arm }) => arm === 'holdout') },
    withoutOffer: sum(({ offered }) => !offered),
  };
}
