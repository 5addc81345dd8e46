import { join } from 'node:path';
import { type Engine, literal } from '../../base/duckdb/engine.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { EASED_BY } from '../filters/shortfalls.ts';
import { drawnBy } from './explain-filter.ts';
import { type NoReasons, type Reasoner, type RiskReasons, reasonedBlocks, type ScoredCustomer } from './reasons.ts';

/** The customers whom the models scored, and the candidates did, or did not, become. */
export type ScoredGroupName = 'candidates' | 'below-threshold';

/** A group of scored customers: what there are of, why they got their scores, and some of them. */
export interface ScoredGroup {
  readonly group: ScoredGroupName;
  readonly customers: number;
  /** How many have each risk level, and are in each arm; empty below the lowest level. */
  readonly levels: Readonly<Record<string, number>>;
  readonly arms: Readonly<Record<string, number>>;
  /** Of those below: how many would be candidates if the lowest level began a little lower. */
  readonly nearMisses: readonly { readonly text: string; readonly customers: number }[];
  /** How often each feature is among the strongest reasons, over the whole group; the most frequent first. */
  readonly features: readonly FeatureTally[];
  readonly sample: readonly (ScoredCustomer & Partial<RiskReasons>)[];
}

export interface FeatureTally {
  readonly feature: string;
  readonly raises: number;
  readonly lowers: number;
  /** Mean size of its contributions, whichever their sign. */
  readonly meanSize: number;
}

export interface ScoredArtifacts {
  readonly filter: ArtifactReference;
  readonly score: ArtifactReference;
  /** That with `decisions.parquet`. */
  readonly decisions: ArtifactReference;
}

export interface ScoredOptions {
  readonly size: number;
  /** Draws the sample by a hash; without it the riskiest are shown. */
  readonly seed: string | undefined;
  /** Reasons of a customer that count as the strongest. */
  readonly top: number;
  readonly signal: AbortSignal;
  readonly progress: (done: number) => void;
}

/** Explains the candidates of a run, or those whom it scored and dropped. */
export async function explainScoredGroup(
  engine: Engine,
  program: Pick<RetentionProgramSpec, 'riskLevels'>,
  artifacts: ScoredArtifacts,
  group: ScoredGroupName,
  reasoner: Reasoner | NoReasons,
  { size, seed, top, signal, progress }: ScoredOptions,
): Promise<ScoredGroup> {
  const scored = scoredCustomers(artifacts, group, seed);
  const sample: (ScoredCustomer & Partial<RiskReasons>)[] = [];
  const tally = new Map<string, { raises: number; lowers: number; size: number }>();
  let rows = 0;
  if ('explain' in reasoner) {
    for (const feature of reasoner.features) tally.set(feature, { raises: 0, lowers: 0, size: 0 });
    for await (const { customers, reasons } of reasonedBlocks(engine, reasoner, artifacts.filter, scored)) {
      signal.throwIfAborted();
      rows += customers.length;
      progress(rows);
      for (const [index, customer] of customers.entries()) {
        const why = reasons[index];
        if (why === undefined) continue;
        countReasons(tally, why, top);
        if (sample.length < size) sample.push({ ...customer, ...why, reasons: why.reasons.slice(0, top) });
      }
    }
  } else {
    sample.push(...(await firstScored(engine, scored, size)));
  }
  const levels = await countsBy(engine, scored, 'risk_level');
  return {
    group,
    customers: await countOf(engine, scored),
    levels,
    arms: await countsBy(engine, scored, 'arm'),
    nearMisses: group === 'candidates' ? [] : await nearlyCandidates(engine, scored, program.riskLevels.medium),
    features: [...tally]
      .map(([feature, { raises, lowers, size }]) => ({ feature, raises, lowers, meanSize: size / Math.max(1, rows) }))
      .sort((one, other) => other.raises + other.lowers - one.raises - one.lowers || other.meanSize - one.meanSize),
    sample,
  };
}

/** A SELECT of customer_id, risk_score, risk_level and arm of a group, in the order in which they are shown. */
export function scoredCustomers(artifacts: ScoredArtifacts, group: ScoredGroupName, seed: string | undefined): string {
  const order = seed === undefined ? 'risk_score DESC, customer_id' : drawnBy(seed);
  const [file, columns] =
    group === 'candidates'
      ? [join(artifacts.decisions.folder, 'decisions.parquet'), 'risk_level, arm']
      : [join(artifacts.score.folder, 'below.parquet'), 'NULL::VARCHAR AS risk_level, NULL::VARCHAR AS arm'];
  return `SELECT customer_id, CAST(risk_score AS DOUBLE) AS risk_score, ${columns}
    FROM read_parquet(${literal(file)}) ORDER BY ${order}`;
}

/** The first customers of a group without their reasons. */
export async function firstScored(engine: Engine, scored: string, size: number): Promise<ScoredCustomer[]> {
  const rows = await engine.rows<{ id: string; risk: number; level: string | null; arm: string | null }>(
    `SELECT customer_id AS id, risk_score AS risk, risk_level AS level, arm FROM (${scored} LIMIT ${size})`,
  );
  return rows.map(({ id, risk, level, arm }) => ({ customer: id, risk, level, arm }));
}

function countReasons(
  tally: Map<string, { raises: number; lowers: number; size: number }>,
  { reasons }: RiskReasons,
  top: number,
): void {
  for (const [place, { feature, contribution }] of reasons.entries()) {
    const counted = tally.get(feature);
    if (counted === undefined) continue;
    counted.size += Math.abs(contribution);
    if (place >= top || contribution === 0) continue;
    if (contribution > 0) counted.raises++;
    else counted.lowers++;
  }
}

async function countOf(engine: Engine, scored: string): Promise<number> {
  const [row] = await engine.rows<{ count: string }>(`SELECT count(*) AS count FROM (${scored})`);
  return Number(row?.count ?? 0);
}

async function countsBy(engine: Engine, scored: string, column: string): Promise<Record<string, number>> {
  const rows = await engine.rows<{ value: string; count: string }>(
    `SELECT ${column} AS value, count(*) AS count FROM (${scored}) WHERE ${column} IS NOT NULL
     GROUP BY ALL ORDER BY max(risk_score) DESC, value`,
  );
  return Object.fromEntries(rows.map(({ value, count }) => [value, Number(count)]));
}

async function nearlyCandidates(engine: Engine, scored: string, lowest: number) {
  const eased = Number((lowest * (1 - EASED_BY)).toPrecision(12));
  const [row] = await engine.rows<{ count: string }>(
    `SELECT count(*) AS count FROM (${scored}) WHERE risk_score >= $1::DOUBLE`,
    [eased],
  );
  return [{ text: `riskLevels.medium ${eased} instead of ${lowest}`, customers: Number(row?.count ?? 0) }];
}
