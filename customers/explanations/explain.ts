import { join } from 'node:path';
import { type Engine, identifier } from '../../base/duckdb/engine.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { explain as explainPredicate, type Finding } from '../filters/explain.ts';
import { chainInOrder } from '../filters/filter-chain.ts';
import { predicateOf } from '../filters/resolve.ts';

/** How far a customer came in a run. */
export type Outcome =
  | 'not-extracted'
  | 'rejected'
  | 'removed'
  | 'below-threshold'
  | 'held-out'
  | 'candidate'
  | 'unfinished';

export interface FilterExplanation {
  readonly filterId: string;
  /** The first filter that fails removes the customer; what comes after it was not asked. */
  readonly verdict: 'passed' | 'removed' | 'not-reached';
  readonly comparisons: readonly Finding[];
}

/** Why a customer is, or is not, a candidate of a run: what was seen, compared, scored and decided. */
export interface Explanation {
  readonly outcome: Outcome;
  /** Why the row was rejected by `extract`. */
  readonly reasons: readonly string[];
  readonly signals: readonly string[];
  /** The figures behind the signals, by column. */
  readonly figures: Readonly<Record<string, unknown>>;
  readonly filters: readonly FilterExplanation[];
  readonly score?: { readonly risk: number; readonly level: string | undefined };
  readonly offer?: {
    readonly tier: string | undefined;
    readonly kind: string | undefined;
    readonly discount: number;
    readonly months: number;
    readonly upgrade: boolean;
    readonly personalCall: boolean;
    readonly arm: string;
    readonly epoch: number;
  };
}

/** What the signals are made of. */
const SIGNAL_FIGURES = [
  'engagement_change',
  'login_frequency',
  'historical_avg',
  'days_since_last_purchase',
  'days_since_last_login',
  'competitor_research',
];

/**
 * Looks a customer up in the artifacts of a run. The filters are evaluated anew on the customer's own row, with
 * the predicates that removed millions; which of them did is read from what the run wrote.
 */
export async function explainCustomer(
  engine: Engine,
  program: RetentionProgramSpec,
  artifacts: Readonly<Record<string, ArtifactReference>>,
  customer: string,
): Promise<Explanation> {
  const find = async (stage: string, part: string): Promise<Record<string, unknown> | undefined> => {
    const artifact = artifacts[stage];
    if (artifact === undefined) return undefined;
    const [row] = await engine.rows<Record<string, unknown>>(
      `SELECT * FROM read_parquet($file) WHERE ${identifier('customer_id')} = $customer LIMIT 1`,
      { file: join(artifact.folder, part), customer },
    );
    return row;
  };

  const extracted = await find('extract', 'candidates.parquet');
  if (extracted === undefined) {
    const rejected = await find('extract', 'rejects.parquet');
    return {
      outcome: rejected === undefined ? 'not-extracted' : 'rejected',
      reasons: (rejected?.['reasons'] as string[] | undefined) ?? [],
      signals: [],
      figures: {},
      filters: [],
    };
  }
  const signals = (extracted['churn_signals'] as string[] | null) ?? [];
  const figures = Object.fromEntries(
    SIGNAL_FIGURES.filter((column) => extracted[column] !== undefined).map((column) => [column, extracted[column]]),
  );
  if (artifacts['filter'] === undefined) {
    const filters = chainInOrder(program).map(({ filterId }) => notReached(filterId));
    return { outcome: 'unfinished', reasons: [], signals, figures, filters };
  }
  const removed = await find('filter', 'removed.parquet');
  const kept = removed === undefined ? await find('filter', 'kept.parquet') : undefined;
  const removedBy = removed?.['filter_id'] as string | undefined;
  const seen = {
    reasons: [],
    signals,
    figures,
    filters: explainFilters(program, { ...extracted, ...removed, ...kept }, removedBy),
  };
  if (removed !== undefined) return { ...seen, outcome: 'removed' };

  const below = await find('score', 'below.parquet');
  if (below !== undefined) {
    return { ...seen, outcome: 'below-threshold', score: { risk: Number(below['risk_score']), level: undefined } };
  }
  const decision = (await find('offer', 'decisions.parquet')) ?? (await find('score', 'scored.parquet'));
  if (decision === undefined) return { ...seen, outcome: 'unfinished' };
  const score = { risk: Number(decision['risk_score']), level: text(decision['risk_level']) };
  const fallen = await findFallen(engine, artifacts['store'], customer);
  if (fallen !== undefined) {
    // What other programs had decided by the time that the batch was stored.
    const row = { ...extracted, ...kept, ...fallen };
    return { ...seen, outcome: 'removed', filters: explainFilters(program, row, text(fallen['filter_id'])), score };
  }
  if (decision['arm'] === undefined) return { ...seen, outcome: 'unfinished', score };
  return {
    ...seen,
    outcome: decision['arm'] === 'holdout' ? 'held-out' : 'candidate',
    score,
    offer: {
      tier: text(decision['offer_tier']),
      kind: text(decision['offer_kind']),
      discount: Number(decision['discount'] ?? 0),
      months: Number(decision['duration'] ?? 0),
      upgrade: decision['include_upgrade'] === true,
      personalCall: decision['include_personal_call'] === true,
      arm: text(decision['arm']) ?? '',
      epoch: Number(decision['epoch']),
    },
  };
}

/** Who fell out when the batch was stored, if this customer did. */
async function findFallen(
  engine: Engine,
  stored: ArtifactReference | undefined,
  customer: string,
): Promise<Record<string, unknown> | undefined> {
  if (stored === undefined || !hasRemoved(stored)) return undefined;
  const [row] = await engine.rows<Record<string, unknown>>(
    'SELECT * FROM read_parquet($file) WHERE customer_id = $customer LIMIT 1',
    { file: join(stored.folder, 'removed.parquet'), customer },
  );
  return row;
}

/** Whether customers could fall out when the batch was stored. */
export function hasRemoved({ manifest }: ArtifactReference): boolean {
  return manifest.parts.some(({ path }) => path === 'removed.parquet');
}

function explainFilters(
  program: RetentionProgramSpec,
  row: Readonly<Record<string, unknown>>,
  removedBy: string | undefined,
): FilterExplanation[] {
  const chain = chainInOrder(program);
  const last = removedBy === undefined ? chain.length : chain.findIndex(({ filterId }) => filterId === removedBy);
  return chain.map((filter, position) => {
    if (position > last) return notReached(filter.filterId);
    return {
      filterId: filter.filterId,
      verdict: position === last ? 'removed' : 'passed',
      comparisons: explainPredicate(predicateOf(filter, program), row),
    };
  });
}

function notReached(filterId: string): FilterExplanation {
  return { filterId, verdict: 'not-reached', comparisons: [] };
}

/** The candidate with the highest risk among those who get an offer; undefined when there is none. */
export async function riskiestCustomer(engine: Engine, decisions: ArtifactReference): Promise<string | undefined> {
  const [row] = await engine.rows<{ customer_id: string }>(
    `SELECT customer_id FROM read_parquet($file) ORDER BY arm = 'holdout', risk_score DESC, customer_id LIMIT 1`,
    { file: join(decisions.folder, 'decisions.parquet') },
  );
  return row?.customer_id;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
