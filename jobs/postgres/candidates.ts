import type { Database } from './database.ts';
import type { ProgramKey } from './runs.ts';
import { statement } from './statement.ts';

/** A candidate as stored: what is known of the customer, the risk, and what was decided. */
export interface StoredCandidate {
  readonly namespace: string;
  readonly program: string;
  readonly run: string;
  readonly customer_id: string;
  readonly slot: Date;
  readonly marketplace: string | null;
  readonly currency: string | null;
  readonly timezone: string | null;
  readonly locale: string | null;
  readonly subscription_tier: string | null;
  readonly lifetime_value: number | null;
  readonly churn_signals: readonly string[];
  readonly segment: string | null;
  readonly risk_score: number;
  readonly risk_level: string;
  /** What the risk level gets; null when its level has no terms, and so no offer. */
  readonly offer_tier: string | null;
  /** What the model recommends. */
  readonly offer_kind: string | null;
  /** Per cent. */
  readonly discount: number | null;
  readonly duration_months: number | null;
  readonly include_upgrade: boolean | null;
  readonly include_personal_call: boolean | null;
  readonly arm: 'treatment' | 'holdout';
  readonly epoch: number;
  readonly created_at: Date;
  readonly expires_at: Date;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Of the program that the first two parameters name. Scalar, so that a plan can follow the order of its index. */
const CURRENT_RUN = '(SELECT run FROM holdfast.current_batches WHERE namespace = $1 AND program = $2)';

export interface RiskQuery extends ProgramKey {
  readonly riskLevel: string;
  readonly minScore?: number;
  /** The last row of the page before. */
  readonly after?: { readonly riskScore: number; readonly customerId: string };
  readonly limit: number;
  /** Candidates that have expired by then are not there. */
  readonly now: Date;
}

/** A page of the current batch at one risk level, highest risk first. */
export async function candidatesByRiskLevel(database: Database, query: RiskQuery): Promise<readonly StoredCandidate[]> {
  return read(database, riskStatement(query));
}

export function riskStatement({ namespace, program, riskLevel, minScore, after, limit, now }: RiskQuery): Statement {
  return {
    sql: `SELECT * FROM holdfast.candidates
      WHERE namespace = $1 AND program = $2 AND run = ${CURRENT_RUN} AND risk_level = $3
        AND risk_score BETWEEN $4 AND $5 AND (risk_score < $5 OR customer_id > $6) AND expires_at > $7
      ORDER BY risk_score DESC, customer_id LIMIT $8`,
    // No score reaches 2: the first page starts before every row.
    values: [namespace, program, riskLevel, minScore ?? 0, after?.riskScore ?? 2, after?.customerId ?? '', now, limit],
  };
}

export interface OfferQuery extends ProgramKey {
  readonly offerKind: string;
  /** Slots in [since, before). */
  readonly since: Date;
  readonly before: Date;
  readonly after?: { readonly slot: Date; readonly customerId: string };
  readonly limit: number;
  readonly now: Date;
}

/** A page of the candidates recommended one kind of offer, by date; of each slot only the batch published last. */
export async function candidatesByOfferKind(
  database: Database,
  query: OfferQuery,
): Promise<readonly StoredCandidate[]> {
  return read(database, offerStatement(query));
}

export function offerStatement({
  namespace,
  program,
  offerKind,
  since,
  before,
  after,
  limit,
  now,
}: OfferQuery): Statement {
  return {
    sql: `SELECT * FROM holdfast.candidates
      WHERE namespace = $1 AND program = $2 AND offer_kind = $3 AND slot >= $4 AND slot < $5
        AND (slot, customer_id) > ($6, $7) AND expires_at > $8
        AND run IN (
          SELECT DISTINCT ON (slot) run FROM holdfast.runs
          WHERE namespace = $1 AND program = $2 AND slot >= $4 AND slot < $5 AND published_at IS NOT NULL
          ORDER BY slot, sequence DESC)
      ORDER BY slot, customer_id LIMIT $9`,
    values: [
      namespace,
      program,
      offerKind,
      after?.slot ?? since,
      before,
      after?.slot ?? since,
      after?.customerId ?? '',
      now,
      limit,
    ],
  };
}

export interface CustomerQuery extends ProgramKey {
  readonly customer: string;
  readonly now: Date;
}

/** One customer in the current batch of a program. */
export async function currentCandidate(database: Database, query: CustomerQuery): Promise<StoredCandidate | undefined> {
  return (await read(database, customerStatement(query)))[0];
}

export function customerStatement({ namespace, program, customer, now }: CustomerQuery): Statement {
  return {
    sql: `SELECT * FROM holdfast.candidates
      WHERE namespace = $1 AND program = $2 AND run = ${CURRENT_RUN} AND customer_id = $3 AND expires_at > $4`,
    values: [namespace, program, customer, now],
  };
}

async function read(database: Database, { sql, values }: Statement): Promise<readonly StoredCandidate[]> {
  return (await statement<StoredCandidate>(database, 'read candidates', sql, values)).rows;
}
