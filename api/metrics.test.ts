import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ownerName } from '../contract/owner.ts';
import type { Database } from '../database/client/database.ts';
import { beginRun } from '../database/runs/begin-run.ts';
import { finishRun, recordStage } from '../database/runs/runs.ts';
import { openApi } from '../test/support/api.ts';
import { openPostgres, type TestPostgres } from '../test/support/postgres.ts';
import { apiMetrics } from './metrics.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => await postgres[Symbol.asyncDispose]());

test('metrics count failed runs by code, rejected rows, and whom each filter removed, as the runs reported', async () => {
  const key = { namespace: 'metrics', owner: 'keep' };
  const begin = (run: string, of = key) =>
    beginRun(postgres.database, {
      ...of,
      run,
      pipeline: 'prune',
      slot: new Date('2026-11-23T02:00:00Z'),
      trigger: 'manual',
      revision: 'f'.repeat(64),
      startedAt: new Date('2026-11-23T02:00:00Z'),
    });
  const finishedAt = new Date('2026-11-23T02:01:00Z');
  const good = await begin('good');
  const report = { rowsIn: 10, rowsOut: 8, seconds: 1 };
  await recordStage(postgres.database, good, { ...report, name: 'extract', counts: { rejected: 2 } });
  const removed = { trust: 5, 'frequency-cap': 0 };
  await recordStage(postgres.database, good, { ...report, name: 'filter', counts: { removed } });
  await finishRun(postgres.database, good, { phase: 'Succeeded', finishedAt });
  await good.release();
  await postgres.database.pool.query(
    "INSERT INTO holdfast.current_batches (namespace, program, run, slot, sequence, attempt) SELECT namespace, program, run, slot, sequence, attempt FROM holdfast.runs WHERE namespace = 'metrics'",
  );
  for (const run of ['bad-1', 'bad-2']) {
    const bad = await begin(run);
    const error = { code: 'HF_WAREHOUSE_UNREADABLE', message: 'no' };
    await finishRun(postgres.database, bad, { phase: 'Failed', finishedAt, error });
    await bad.release();
  }
  const ofSeries = await begin('bad-1', { ...key, owner: ownerName('series', { series: 'loyalty' }) });
  await finishRun(postgres.database, ofSeries, { phase: 'Interrupted', finishedAt });
  await ofSeries.release();
  await using own = await openApi(postgres.database);
  const { text } = await own.get('/metrics');
  for (const line of [
    'holdfast_current_batch_rejected_rows{namespace="metrics",program="keep"} 2',
    'holdfast_current_batch_removed_rows{namespace="metrics",program="keep",filter="trust"} 5',
    'holdfast_current_batch_removed_rows{namespace="metrics",program="keep",filter="frequency-cap"} 0',
    'holdfast_failed_runs{namespace="metrics",program="keep",code="HF_WAREHOUSE_UNREADABLE"} 2',
    // A series is no program: it has a label of its own, and no other of these metrics speaks of it.
    'holdfast_failed_runs{namespace="metrics",series="loyalty",code="HF_INTERRUPTED"} 1',
    'holdfast_last_run_failed{namespace="metrics",program="keep"} 1',
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).not.toContain('series.loyalty');
});

test('whoever asks for metrics many times over keeps others waiting no longer than by asking once', async () => {
  let statements = 0;
  const query = async () => {
    statements++;
    return { rows: [] };
  };
  const pool = { totalCount: 0, idleCount: 0, waitingCount: 0, query };
  const { page } = apiMetrics({ pool } as unknown as Database, '0.0.0');
  const [mine, others] = [new Set(['mine']), new Set(['others'])];
  await page(mine);
  const once = statements;
  await Promise.all([...Array.from({ length: 100 }, () => page(mine)), page(others)]);
  expect(statements).toBe(3 * once);
  await page(mine);
  expect(statements).toBe(4 * once);
});
