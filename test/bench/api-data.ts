import type { Database } from '../../database/client/database.ts';
import { transaction } from '../../database/client/transaction.ts';

/** Where the candidates of the bench are. */
export const BENCH_PROGRAM = { namespace: 'default', program: 'keep' } as const;

export const customerId = (n: number) => `C${String(n).padStart(7, '0')}`;

/** Publishes a batch of candidates: ids C0000001 …, risks spread evenly from 0.4 to 1, no two alike in order. */
export async function makeCandidates(database: Database, candidates: number): Promise<void> {
  const { namespace, program } = BENCH_PROGRAM;
  await transaction(database, { doing: 'make candidates', unlimited: true }, async (client) => {
    const key = [namespace, program];
    await client.query('INSERT INTO holdfast.programs VALUES ($1, $2, 1)', key);
    await client.query(
      `INSERT INTO holdfast.runs (namespace, program, run, pipeline, slot, sequence, attempt, trigger, revision, phase, started_at, finished_at, published_at)
       VALUES ($1, $2, 'keep-1', 'batch', now(), 1, 1, 'schedule', 'r', 'Succeeded', now(), now(), now())`,
      key,
    );
    await client.query(
      `INSERT INTO holdfast.candidates
       SELECT $1, $2, 'keep-1', 'C' || lpad(n::text, 7, '0'), now(), 'US', 'USD', 'America/New_York', 'en-US', 'premium',
         500 + n % 1000, '{engagement_decline,low_login_frequency}', NULL, risk,
         CASE WHEN risk >= 0.8 THEN 'critical' WHEN risk >= 0.6 THEN 'high' ELSE 'medium' END,
         CASE WHEN risk >= 0.8 THEN 'premium' WHEN risk >= 0.6 THEN 'standard' ELSE 'engagement' END,
         (ARRAY['discount', 'upgrade', 'personal_call'])[1 + n % 3], 50, 6, true, true,
         CASE WHEN n % 10 = 0 THEN 'holdout' ELSE 'treatment' END, 1, now(), now() + interval '30 days'
       FROM (SELECT n, 0.4 + 0.6 * ((n::bigint * 7919) % 1000003) / 1000003.0 AS risk FROM generate_series(1, $3::integer) AS n) AS risks`,
      [...key, candidates],
    );
    await client.query(
      `INSERT INTO holdfast.current_batches
       SELECT namespace, program, slot, sequence, attempt, run FROM holdfast.runs WHERE namespace = $1 AND program = $2`,
      key,
    );
  });
  const client = await database.pool.connect();
  await client.query('SET statement_timeout = 0');
  await client.query('VACUUM ANALYZE');
  client.release(true);
}
