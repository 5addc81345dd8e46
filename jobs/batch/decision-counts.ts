import type { Engine } from '../../base/duckdb/engine.ts';
import type { Counts } from '../../contract/counts.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';

interface Group {
  readonly level: string;
  readonly kind: string | null;
  readonly tier: string | null;
  readonly arm: string;
  readonly count: string;
}

/**
 * Counts a file of decisions. Held-out rows are counted like all others: they are decisions too. To contact is who is not
 * held out and has an offer, as `holdfast.outreach_candidates` has it: everybody, where the program makes none.
 * @param offers every kind and every tier of offers there is
 */
export async function countDecisions(
  engine: Engine,
  file: string,
  { kinds, tiers }: { readonly kinds: readonly string[]; readonly tiers: readonly string[] },
): Promise<Counts> {
  const rows = await engine.rows<Group>(
    `SELECT risk_level AS level, offer_kind AS kind, offer_tier AS tier, arm, count(*) AS count
     FROM read_parquet($1) GROUP BY ALL ORDER BY ALL`,
    [file],
  );
  const sum = (matches: (row: Group) => boolean) =>
    rows.filter(matches).reduce((total, { count }) => total + Number(count), 0);
  return {
    riskLevels: Object.fromEntries(RISK_LEVELS.map((level) => [level, sum((row) => row.level === level)])),
    tiers: Object.fromEntries(tiers.map((tier) => [tier, sum((row) => row.tier === tier)])),
    kinds: Object.fromEntries(kinds.map((kind) => [kind, sum((row) => row.kind === kind)])),
    arms: { treatment: sum(({ arm }) => arm === 'treatment'), holdout: sum(({ arm }) => arm === 'holdout') },
    withoutOffer: sum(({ tier }) => tier === null),
    toContact: sum(({ arm, tier }) => arm === 'treatment' && (tier !== null || tiers.length === 0)),
  };
}
