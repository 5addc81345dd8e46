import { HoldfastError } from '../../base/errors.ts';
import type { Io } from '../io.ts';
import type { StatusOptions } from './cluster-status.ts';
import { whereOf } from './where.ts';

/**
 * Says of a program, or of every one of a namespace, how its runs went and when the next is due: of a cluster or of a data
 * folder, whose code is loaded only then.
 * @throws HF_NOT_FOUND, HF_CLUSTER_ONLY, and as the code of either
 */
export async function status(program: string | undefined, options: StatusOptions, io: Io): Promise<number> {
  const where = whereOf(options, io);
  if (where.in === 'cluster') {
    const { clusterStatus } = await import('./cluster-status.ts');
    return await clusterStatus(program, options, where, io);
  }
  if (options.run !== undefined || options.watch === true) {
    const which = options.run === undefined ? '--watch' : '--run';
    const instead = 'in a data folder `holdfast runs` lists the runs, and a run shows how it goes while it goes';
    throw new HoldfastError(
      'HF_CLUSTER_ONLY',
      `${which} is for a cluster (give --cluster, or --context NAME); ${instead}`,
    );
  }
  const { status: localStatus } = await import('./runs.ts');
  return await localStatus(program, { ...options, namespace: options.namespace ?? 'default' }, io);
}
