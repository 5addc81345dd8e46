import { HoldfastError } from '../../base/errors.ts';
import { RESOURCES } from '../../operator/kube/api.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import { openCluster } from '../cluster/cluster.ts';
import { requireRun } from '../cluster/find.ts';
import { isOver, viewOf } from '../cluster/run-view.ts';
import type { Io } from '../io.ts';
import { watchRun } from './watch-run.ts';
import { type PlaceOptions, requireCluster } from './where.ts';

export interface CancelOptions extends PlaceOptions {
  readonly wait?: boolean;
  readonly output: 'text' | 'json';
}

/**
 * Cancels a run on a cluster for good; one that was cancelled before stays so. With `--wait` its end is waited for, and the
 * exit status says whether it was cancelled.
 * @throws HF_CLUSTER_ONLY, HF_NOT_FOUND, HF_RUN_OVER, and as `Cluster.ask`
 */
export async function cancel(name: string, options: CancelOptions, io: Io): Promise<number> {
  const where = requireCluster(options, 'Ctrl+C ends the run under way', io);
  using cluster = openCluster(where, options.namespace, io);
  const before = await requireRun(cluster, name, io.signal);
  const seen = viewOf(before);
  if (isOver(seen) && seen.phase !== 'Cancelled') {
    throw new HoldfastError('HF_RUN_OVER', `the run ${seen.run} is over: ${seen.phase} at ${seen.finishedAt}`);
  }
  const key = `${cluster.namespace}/${name}`;
  const after = before.spec.cancel
    ? before
    : await cluster.ask('patch', RESOURCES.retentionRuns, (api) =>
        api.patch<RunObject>(RESOURCES.retentionRuns, key, { spec: { cancel: true } }, {}, io.signal),
      );
  const view = viewOf(after);
  if (options.wait === true && !isOver(view)) {
    return await watchRun(cluster, view, options, io, 'Cancelled');
  }
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify(view)}\n`
      : isOver(view)
        ? `${view.run} is cancelled\n`
        : `${view.run} will be cancelled, unless its last task is done: its tasks end, and nothing of it is published\n`,
  );
  return 0;
}
