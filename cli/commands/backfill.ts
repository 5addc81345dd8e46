import type { Io } from '../io.ts';
import type { ClusterBackfillOptions } from './cluster-backfill.ts';
import { requireCluster } from './where.ts';

/**
 * Makes the runs of past slots of a program, which never become the current batch.
 * @throws HF_CLUSTER_ONLY, and as `backfillOnCluster`
 */
export async function backfill(program: string, options: ClusterBackfillOptions, io: Io): Promise<number> {
  const instead = '`holdfast run FILE`, with a RetentionRun of `trigger: backfill` and a slot, makes one of them';
  const where = requireCluster(options, instead, io);
  const { backfillOnCluster } = await import('./cluster-backfill.ts');
  return await backfillOnCluster(program, options, where, io);
}
