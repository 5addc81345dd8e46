import { HoldfastError } from '../../base/errors.ts';
import { RESOURCES } from '../../operator/kube/api.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import { startReflector } from '../../operator/kube/reflector.ts';
import type { Cluster } from './cluster.ts';
import { passesByItself } from './passing.ts';
import { isOver, type RunView, viewOf } from './run-view.ts';

/** Who draws a run that is followed. */
export interface Follower {
  readonly show: (view: RunView) => void;
  /** The way to the API server is lost, and looked for again. */
  readonly lost: (why: string) => void;
}

/**
 * Follows a run by a watch of the API server until it is over; a connection that breaks is made anew, and what happened
 * meanwhile is seen then.
 * @throws HF_CLUSTER_CONFLICT when the run is deleted, HF_INTERRUPTED, HF_CLUSTER_UNAUTHORIZED, HF_CLUSTER_FORBIDDEN
 */
export async function followRun(
  cluster: Cluster,
  name: string,
  follower: Follower,
  { signal, random }: { readonly signal: AbortSignal; readonly random: () => number },
): Promise<RunView> {
  const end = Promise.withResolvers<RunView>();
  let seen = false;
  const reflector = startReflector<RunObject>(cluster.api, RESOURCES.retentionRuns, {
    namespace: cluster.namespace,
    fieldSelector: `metadata.name=${name}`,
    clock: systemClock,
    random,
    onChange(_, { after }) {
      if (after === undefined) {
        end.reject(new HoldfastError('HF_CLUSTER_CONFLICT', `the run ${name} was deleted`));
        return;
      }
      seen = true;
      const view = viewOf(after);
      follower.show(view);
      if (isOver(view)) end.resolve(view);
    },
    onError(error) {
      const refusal = cluster.refusal('watch', RESOURCES.retentionRuns, error);
      if (!passesByItself(error)) end.reject(refusal);
      else follower.lost(refusal instanceof Error ? refusal.message : String(refusal));
    },
  });
  const interrupted = () => end.reject(signal.reason);
  signal.addEventListener('abort', interrupted, { once: true });
  if (signal.aborted) interrupted();
  reflector.synced.then(
    () => seen || end.reject(new HoldfastError('HF_CLUSTER_CONFLICT', `the run ${name} was deleted`)),
    () => {},
  );
  try {
    return await end.promise;
  } finally {
    signal.removeEventListener('abort', interrupted);
    await reflector.stop();
  }
}
