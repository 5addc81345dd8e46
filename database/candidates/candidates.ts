import { HoldfastError } from '../../base/errors.ts';
import { customerId } from '../../customers/columns/customer-id.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';
import { STORED_NAMES, type StoredCandidate } from '../../customers/columns/stored-columns.ts';
import type { Database } from '../client/database.ts';
import { prepared, type Statement } from '../client/statement.ts';
import type { OwnerKey } from '../runs/runs.ts';

/** Of the program that the first two parameters name. Scalar, so that a plan can follow the order of its index. */
const CURRENT_RUN = '(SELECT run FROM holdfast.current_batches WHERE namespace = $1 AND program = $2)';

/** What a page may be narrowed to; all of it holds at once. */
export interface CandidateFilter {
  readonly riskLevel?: string | undefined;
  /** Included. */
  readonly minScore?: number | undefined;
  readonly offerKind?: string | undefined;
  readonly offerTier?: string | undefined;
  /** Those to contact unless given, see `Audience`. */
  readonly audience?: Audience | undefined;
}

/** Whom a list is of: those to contact, as `holdfast.outreach_candidates` has them, or for analysis an arm or both. */
export type Audience = 'contact' | StoredCandidate['arm'] | 'all';

/** The conditions of an audience that candidates have to meet, as the view for outreach has them. */
export function audienceConditions(audience: Audience = 'contact'): readonly string[] {
  if (audience === 'all') return [];
  return audience === 'contact' ? ["arm = 'treatment'", HAS_OFFER] : [`arm = '${audience}'`];
}

/** Only where the program of a run makes no offers does somebody without one count. */
const HAS_OFFER = `(offer_tier IS NOT NULL OR EXISTS (
        SELECT FROM holdfast.runs AS made WHERE made.makes_offers IS NOT TRUE
          AND made.namespace = candidates.namespace AND made.program = candidates.program AND made.run = candidates.run))`;

export interface RiskQuery extends OwnerKey, CandidateFilter {
  /** Another batch than the current one. */
  readonly run?: string | undefined;
  /** The last row of the page before, and the run it is of: pages go on in the run that they began in. */
  readonly after?: { readonly run: string; readonly riskScore: number; readonly customerId: string } | undefined;
  readonly limit: number;
  /** Candidates that have expired by then are not there. */
  readonly now: Date;
}

/**
 * A page of the current batch, highest risk first.
 * @throws HF_CURSOR_EXPIRED when the run of `after` is no longer there as it was
 */
export async function candidatesByRiskLevel(database: Database, query: RiskQuery): Promise<readonly StoredCandidate[]> {
  return pageOf(await read(database, riskStatement(query)), query.limit, query.after);
}

/**
 * One scan of the index per level, and with `after` two (its own score, the scores below), so that each begins where
 * the page does however many candidates have one score. With `after` the page begins with that row itself: without it
 * nobody could tell a batch that ended from one that went away.
 */
export function riskStatement({ after, limit, now, ...query }: RiskQuery): Statement {
  const values: unknown[] = [query.namespace, query.owner];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const of = after?.run ?? query.run;
  const run = of === undefined ? CURRENT_RUN : bind(of);
  const alive = `expires_at > ${bind(now)}`;
  const least = query.minScore === undefined ? [] : [`risk_score >= ${bind(query.minScore)}`];
  const ranges = after === undefined ? [least] : rangesAfter(after, least, bind);
  const offer = offerConditions(query, bind);
  const levels = query.riskLevel === undefined ? RISK_LEVELS.map((level) => `'${level}'`) : [bind(query.riskLevel)];
  const order = `ORDER BY risk_score DESC, customer_id ${limitClause(limit, after)}`;
  const scans = levels.flatMap((level) =>
    ranges.map((range) => {
      const conditions = ['namespace = $1 AND program = $2', `run = ${run}`, `risk_level = ${level}`, ...range, alive];
      return `SELECT ${STORED_NAMES} FROM holdfast.candidates WHERE ${[...conditions, ...offer].join(' AND ')} ${order}`;
    }),
  );
  const [only = ''] = scans;
  return {
    sql: scans.length === 1 ? only : `${scans.map((scan) => `(${scan})`).join(' UNION ALL ')} ${order}`,
    values,
  };
}

function rangesAfter(
  { riskScore, customerId }: { readonly riskScore: number; readonly customerId: string },
  least: readonly string[],
  bind: (value: unknown) => string,
): readonly (readonly string[])[] {
  const score = bind(riskScore);
  return [
    [...least, `risk_score = ${score}`, `customer_id >= ${bind(customerId)}`],
    [...least, `risk_score < ${score}`],
  ];
}

/** A few limits, written out: a plan that is made once must know that only some rows are wanted. */
const LIMITS = [10, 50, 200, 1000, 10_000].map((limit) => limit + 2);

/** Of at least as many rows as are wanted, that of `after` included. */
function limitClause(limit: number, after: object | undefined): string {
  const rows = limit + (after === undefined ? 0 : 1);
  return `LIMIT ${LIMITS.find((size) => size >= rows) ?? rows}`;
}

export interface OfferQuery extends OwnerKey, CandidateFilter {
  readonly offerKind: string;
  /** Slots in [since, before). */
  readonly since: Date;
  readonly before: Date;
  readonly after?: { readonly slot: Date; readonly run: string; readonly customerId: string } | undefined;
  readonly limit: number;
  readonly now: Date;
}

/**
 * A page of the candidates recommended one kind of offer, by date; of each slot only the batch published last.
 * @throws HF_CURSOR_EXPIRED when the run of `after` is no longer there as it was, or no longer its slot's
 */
export async function candidatesByOfferKind(
  database: Database,
  query: OfferQuery,
): Promise<readonly StoredCandidate[]> {
  return pageOf(await read(database, offerStatement(query)), query.limit, query.after);
}

/** With `after` the page begins with that row itself. */
export function offerStatement({ since, before, after, limit, now, ...query }: OfferQuery): Statement {
  const values: unknown[] = [query.namespace, query.owner, query.offerKind, since, before];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const conditions = [
    'namespace = $1 AND program = $2 AND offer_kind = $3 AND slot >= $4 AND slot < $5',
    `(slot, customer_id) >= (${bind(after?.slot ?? since)}, ${bind(after?.customerId ?? '')})`,
    `expires_at > ${bind(now)}`,
    ...(query.riskLevel === undefined ? [] : [`risk_level = ${bind(query.riskLevel)}`]),
    ...(query.minScore === undefined ? [] : [`risk_score >= ${bind(query.minScore)}`]),
    ...offerConditions({ offerTier: query.offerTier, audience: query.audience }, bind),
  ];
  return {
    sql: `SELECT ${STORED_NAMES} FROM holdfast.candidates
      WHERE ${conditions.join(' AND ')}
        AND run IN (
          SELECT DISTINCT ON (slot) run FROM holdfast.runs
          WHERE namespace = $1 AND program = $2 AND slot >= $4 AND slot < $5 AND published_at IS NOT NULL AND discarded_at IS NULL
          ORDER BY slot, sequence DESC)
      ORDER BY slot, customer_id ${limitClause(limit, after)}`,
    values,
  };
}

function offerConditions(
  { offerKind, offerTier, audience }: CandidateFilter,
  bind: (value: unknown) => string,
): string[] {
  return [
    ...audienceConditions(audience),
    ...(offerKind === undefined ? [] : [`offer_kind = ${bind(offerKind)}`]),
    ...(offerTier === undefined ? [] : [`offer_tier = ${bind(offerTier)}`]),
  ];
}

/** At most `limit` rows: with `after` those that follow the one that it names, which the statement began with. */
function pageOf(
  rows: readonly StoredCandidate[],
  limit: number,
  after: { readonly run: string; readonly customerId: string } | undefined,
): readonly StoredCandidate[] {
  if (after === undefined) return rows.slice(0, limit);
  const [first] = rows;
  if (first?.customer_id === after.customerId && first.run === after.run) return rows.slice(1, limit + 1);
  throw new HoldfastError(
    'HF_CURSOR_EXPIRED',
    'the batch that these pages began in is no longer there as it was: begin again without a cursor',
  );
}

export interface CustomerQuery extends OwnerKey {
  readonly customer: string;
  readonly audience?: Audience | undefined;
  readonly now: Date;
}

/** One customer in the current batch of a program: by the rule for ids, or as a batch of an earlier version wrote it. */
export async function currentCandidate(database: Database, query: CustomerQuery): Promise<StoredCandidate | undefined> {
  return (await read(database, customerStatement(query)))[0];
}

export function customerStatement({ namespace, owner, customer, audience, now }: CustomerQuery): Statement {
  const conditions = ['customer_id IN ($3, $4)', 'expires_at > $5', ...audienceConditions(audience)];
  return {
    sql: `SELECT ${STORED_NAMES} FROM holdfast.candidates
      WHERE namespace = $1 AND program = $2 AND run = ${CURRENT_RUN} AND ${conditions.join(' AND ')}
      ORDER BY customer_id = $3 DESC LIMIT 1`,
    values: [namespace, owner, customerId(customer), customer, now],
  };
}

async function read(database: Database, query: Statement): Promise<readonly StoredCandidate[]> {
  return (await prepared<StoredCandidate>(database, 'read candidates', query)).rows;
}
