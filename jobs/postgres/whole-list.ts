import { RISK_LEVELS } from '../../crds/retention-program.ts';
import { HoldfastError } from '../errors.ts';
import { audienceConditions, type CandidateFilter, candidatesByRiskLevel, type StoredCandidate } from './candidates.ts';
import type { Database } from './database.ts';
import { findRun, type RunRecord } from './runs.ts';
import { prepared } from './statement.ts';

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
  const { namespace, program, run } = batch;
  let after: { run: string; riskScore: number; customerId: string } | undefined;
  for (let left = limit; left > 0; ) {
    signal?.throwIfAborted();
    const size = Math.min(PAGE, left);
    const page = await candidatesByRiskLevel(database, { ...filter, namespace, program, run, after, limit: size, now });
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

/** How many candidates of a batch a list has, by risk level. */
export async function countList(
  database: Database,
  { batch, audience, now }: Pick<WholeList, 'batch' | 'audience' | 'now'>,
): Promise<ReadonlyMap<string, number>> {
  const conditions = [
    'namespace = $1 AND program = $2 AND run = $3',
    'expires_at > $4',
    ...audienceConditions(audience),
  ];
  const { rows } = await prepared<{ readonly risk_level: string; readonly candidates: string }>(
    database,
    'count the candidates',
    {
      sql: `SELECT risk_level, count(*) AS candidates FROM holdfast.candidates
        WHERE ${conditions.join(' AND ')} GROUP BY risk_level`,
      values: [batch.namespace, batch.program, batch.run, now],
    },
  );
  const counted = new Map(rows.map(({ risk_level, candidates }) => [risk_level, Number(candidates)]));
  return new Map(RISK_LEVELS.map((level) => [level, counted.get(level) ?? 0]));
}
