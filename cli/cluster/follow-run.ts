import { HoldfastError } from '../../base/errors.ts';
import { RESOURCES } from '../../operator/kube/api.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { isOver, type RunView, viewOf } from './run-view.ts';
import { type WatchSettings, watching } from './watching.ts';

/** Who draws a run that is followed. */
export interface Follower extends Pick<WatchSettings, 'lost'> {
  readonly show: (view: RunView) => void;
}

/**
 * Follows a run by a watch of the API server until it is over; a connection that breaks is made anew, and what happened
 * meanwhile is seen then.
 * @throws HF_CLUSTER_CONFLICT when the run is deleted, HF_INTERRUPTED, HF_CLUSTER_UNAUTHORIZED, HF_CLUSTER_FORBIDDEN
 */
export async function followRun(
  cluster: Cluster,
  name: string,
  { show, lost }: Follower,
  settings: Omit<WatchSettings, 'lost'>,
): Promise<RunView> {
  return watching<RunView>(cluster, { ...settings, lost }, ({ watch, end }) => {
    const deleted = () => end.reject(new HoldfastError('HF_CLUSTER_CONFLICT', `the run ${name} was deleted`));
    let seen = false;
    const { synced } = watch<RunObject>(RESOURCES.retentionRuns, {
      fieldSelector: `metadata.name=${name}`,
      onChange(_, { after }) {
        if (after === undefined) return deleted();
        seen = true;
        const view = viewOf(after);
        show(view);
        if (isOver(view)) end.resolve(view);
      },
    });
    synced.then(
      () => seen || deleted(),
      () => {},
    );
  });
}
