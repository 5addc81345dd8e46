import { statSync } from 'node:fs';
import { HoldfastError } from '../../base/errors.ts';
import { PUBLISHING } from '../../contract/pipelines.ts';
import { saysCluster } from '../cluster/where.ts';
import type { Io } from '../io.ts';
import type { ClusterBackfillOptions } from './cluster-backfill.ts';
import type { LocalBackfillOptions } from './local-backfill.ts';
import { refuseOnCluster, whereOf } from './where.ts';

/**
 * Makes the runs of past slots of a program, which never become the current batch: of a manifest on this machine, or of a
 * program on a cluster.
 * @throws HF_USAGE for an option that is of the other place, and as `backfillInFolder` and `backfillOnCluster`
 */
export async function backfill(
  program: string,
  options: ClusterBackfillOptions & LocalBackfillOptions,
  io: Io,
): Promise<number> {
  const where =
    isManifest(program) && !saysCluster(options, io) ? ({ in: 'data folder' } as const) : whereOf(options, io);
  if (where.in === 'cluster') {
    refuseOnCluster({
      '--source': options.source[0],
      '--present-data': options.presentData,
      '--again': options.again,
      '--customers': options.customers,
      '--shards': options.shards,
      '--now': options.now,
    });
    const { backfillOnCluster } = await import('./cluster-backfill.ts');
    return await backfillOnCluster(program, options, where, io);
  }
  if (options.pipeline !== PUBLISHING) {
    throw new HoldfastError(
      'HF_USAGE',
      `--pipeline ${options.pipeline} is for a cluster: in a data folder it is the ${PUBLISHING} that is run for slots of the past`,
    );
  }
  const { backfillInFolder } = await import('./local-backfill.ts');
  return await backfillInFolder(program, options, io);
}

/** Programs on a cluster have no name that is a file's. A folder may well be named after one. */
function isManifest(program: string): boolean {
  const isThere = statSync(program, { throwIfNoEntry: false })?.isDirectory() === false;
  return program === '-' || isThere || /\.(ya?ml|json)$/.test(program);
}
