import { HoldfastError } from '../../base/errors.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';
import { STORED_NAMES, type StoredCandidate } from '../../customers/columns/stored-columns.ts';
import type { Database } from '../client/database.ts';
import { prepared } from '../client/statement.ts';
import { findRun, type RunRecord } from '../runs/runs.ts';
import { audienceConditions, type CandidateFilter, candidatesByRiskLevel } from './candidates.ts';

export interface WholeList extends CandidateFilter {
  /** The run whose batch is read. */
  readonly batch: RunRecord;
  /** Most candidates of it all; every one unless given. */
  readonly limit?: number | undefined;
  /** Candidates that have expired by then are not there. */
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
}

/** Candidates that are read, and held in memory, at once. */
const PAGE = 1000;

/**
 * The candidates of a batch, highest risk first, page by page; between two pages no connection is held. It ends well only
 * where the batch stayed as it was.
 * @throws HF_CURSOR_EXPIRED when it was removed or stored anew meanwhile; HF_INTERRUPTED
 */
export async function* wholeList(
  database: Database,
  { batch, limit = Number.MAX_SAFE_INTEGER, now, signal, ...filter }: WholeList,
): AsyncGenerator<readonly StoredCandidate[]> {
  const { namespace, owner, run } = batch;
  let after: { run: string; riskScore: number; customerId: string } | undefined;
  for (let left = limit; left > 0; ) {
    signal?.throwIfAborted();
    const size = Math.min(PAGE, left);
    const page = await candidatesByRiskLevel(database, { ...filter, namespace, owner, run, after, limit: size, now });
    const last = page.at(-1);
    if (last !== undefined) yield page;
    if (last === undefined || page.length < size) break;
    after = { run, riskScore: last.risk_score, customerId: last.customer_id };
    left -= page.length;
  }
  const since = await findRun(database, batch);
  if (since?.attempt === batch.attempt && since.publishedAt?.getTime() === batch.publishedAt?.getTime()) return;
  throw new HoldfastError('HF_CURSOR_EXPIRED', `the batch of ${run} was stored anew while it was read: begin again`);
}

/** Of the batch that the first three parameters name, at the instant that the fourth is. */
const LIVING_OF_RUN = ['namespace = $1 AND program = $2 AND run = $3', 'expires_at > $4'];

/** How many candidates of a batch a list has, by risk level. */
export async function countList(
  database: Database,
  list: Pick<WholeList, 'batch' | 'audience' | 'now'>,
): Promise<ReadonlyMap<string, number>> {
  return (await countListUntil(database, list)).counts;
}

/** The same, and when the first of them expires, if there is any. */
export async function countListUntil(
  database: Database,
  { batch, audience, now }: Pick<WholeList, 'batch' | 'audience' | 'now'>,
): Promise<{ readonly counts: ReadonlyMap<string, number>; readonly until: Date | undefined }> {
  const conditions = [...LIVING_OF_RUN, ...audienceConditions(audience)];
  const { rows } = await prepared<{ readonly risk_level: string; readonly candidates: string; readonly until: Date }>(
    database,
    'count the candidates',
    {
      sql: `SELECT risk_level, count(*) AS candidates, min(expires_at) AS until FROM holdfast.candidates
        WHERE ${conditions.join(' AND ')} GROUP BY risk_level`,
      values: [batch.namespace, batch.owner, batch.run, now],
    },
  );
  const counted = new Map(rows.map(({ risk_level, candidates }) => [risk_level, Number(candidates)]));
  const [until] = rows.map((row) => row.until).toSorted((one, other) => one.getTime() - other.getTime());
  return { counts: new Map(RISK_LEVELS.map((level) => [level, counted.get(level) ?? 0])), until };
}

/** How many candidates of a list there are, at one risk level or at all of them. */
export function totalOf(counts: ReadonlyMap<string, number>, riskLevel?: string): number {
  if (riskLevel !== undefined) return counts.get(riskLevel) ?? 0;
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

export interface ListPage extends Pick<WholeList, 'batch' | 'audience' | 'now'> {
  readonly riskLevel?: (typeof RISK_LEVELS)[number] | undefined;
  /** Candidates before the first of the page. */
  readonly offset: number;
  readonly limit: number;
}

/** A page of a batch by its number, highest risk first: its address names no customer, and it walks over those before. */
export async function listPage(
  database: Database,
  { batch, audience, riskLevel, offset, limit, now }: ListPage,
): Promise<readonly StoredCandidate[]> {
  const conditions = [...LIVING_OF_RUN, ...audienceConditions(audience)];
  // One scan of the index for each level, in its order.
  const scans = (riskLevel === undefined ? RISK_LEVELS : [riskLevel]).map(
    (level) =>
      `SELECT ${STORED_NAMES} FROM holdfast.candidates WHERE ${[...conditions, `risk_level = '${level}'`].join(' AND ')}`,
  );
  const { rows } = await prepared<StoredCandidate>(database, 'read candidates', {
    sql: `${scans.join(' UNION ALL ')} ORDER BY risk_score DESC, customer_id OFFSET $5 LIMIT $6`,
    values: [batch.namespace, batch.owner, batch.run, now, offset, limit],
  });
  return rows;
}
