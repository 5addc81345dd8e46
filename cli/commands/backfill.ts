import { existsSync } from 'node:fs';
import { isPlugin } from '../called-as.ts';
import type { Io } from '../io.ts';
import type { ClusterBackfillOptions } from './cluster-backfill.ts';
import type { LocalBackfillOptions } from './local-backfill.ts';
import { whereOf } from './where.ts';

/**
 * Makes the runs of past slots of a program, which never become the current batch: of a manifest on this machine, or of a
 * program on a cluster.
 * @throws as `backfillInFolder` and `backfillOnCluster`
 */
export async function backfill(
  program: string,
  options: ClusterBackfillOptions & LocalBackfillOptions,
  io: Io,
): Promise<number> {
  const { cluster, context, kubeconfig } = options;
  const saysCluster = cluster === true || context !== undefined || kubeconfig !== undefined || isPlugin(io);
  const where = isManifest(program) && !saysCluster ? ({ in: 'data folder' } as const) : whereOf(options, io);
  if (where.in === 'cluster') {
    const { backfillOnCluster } = await import('./cluster-backfill.ts');
    return await backfillOnCluster(program, options, where, io);
  }
  const { backfillInFolder } = await import('./local-backfill.ts');
  return await backfillInFolder(program, options, io);
}

/** Programs on a cluster have no name that is a file's. */
function isManifest(program: string): boolean {
  return program === '-' || existsSync(program) || /\.(ya?ml|json)$/.test(program);
}
