import type { Io } from '../io.ts';
import type { ClusterRetryOptions } from './cluster-retry.ts';
import type { LocalRetryOptions } from './local-retry.ts';
import { refuseOnCluster, whereOf } from './where.ts';

export type RetryOptions = ClusterRetryOptions & Omit<LocalRetryOptions, 'namespace'>;

/**
 * Does a run again that did not succeed, and reuses what it committed: on a cluster or in a data folder.
 * @throws as `retryOnCluster` and `retryInFolder`
 */
export async function retry(run: string, options: RetryOptions, io: Io): Promise<number> {
  const where = whereOf(options, io);
  if (where.in === 'cluster') {
    refuseOnCluster({ '--now': options.now, '--shards': options.shards, '--program': options.program });
    const { retryOnCluster } = await import('./cluster-retry.ts');
    return await retryOnCluster(run, options, where, io);
  }
  const { retryInFolder } = await import('./local-retry.ts');
  return await retryInFolder(run, { ...options, namespace: options.namespace ?? 'default' }, io);
}
