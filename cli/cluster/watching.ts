import type { KubeObject, Resource } from '../../operator/kube/api.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import { type Reflector, type ReflectorOptions, startReflector } from '../../operator/kube/reflector.ts';
import type { Cluster } from './cluster.ts';
import { passesByItself } from './passing.ts';

export interface Watching<Result> {
  /** Watches objects of the cluster's namespace; a connection that breaks is made anew. */
  readonly watch: <T extends KubeObject>(
    resource: Resource,
    options: Pick<ReflectorOptions<T>, 'fieldSelector' | 'keep' | 'onChange'>,
  ) => Reflector<T>;
  /** What it is watched for has come, or never will. */
  readonly end: Pick<PromiseWithResolvers<Result>, 'resolve' | 'reject'>;
}

export interface WatchSettings {
  readonly signal: AbortSignal;
  readonly random: () => number;
  /** The way to the API server is lost, and looked for again. */
  readonly lost: (why: string) => void;
}

/**
 * Watches until the end that `begin` comes to, the signal, or a failure that does not pass by itself.
 * @param begin starts the watches, and may give what is to be done before they are stopped
 * @throws HF_INTERRUPTED at the signal, HF_CLUSTER_UNAUTHORIZED, HF_CLUSTER_FORBIDDEN, HF_NOT_INSTALLED, what `begin` ends with
 */
export async function watching<Result>(
  cluster: Cluster,
  { signal, random, lost }: WatchSettings,
  begin: (watching: Watching<Result>) => (() => void) | void,
): Promise<Result> {
  const end = Promise.withResolvers<Result>();
  const watches: { stop(): Promise<void> }[] = [];
  const interrupted = () => end.reject(signal.reason);
  const finish = begin({
    end,
    watch(resource, options) {
      const watch = startReflector(cluster.api, resource, {
        namespace: cluster.namespace,
        clock: systemClock,
        random,
        ...options,
        onError(error) {
          const refusal = cluster.refusal('watch', resource, error);
          if (!passesByItself(error)) end.reject(refusal);
          else lost(refusal instanceof Error ? refusal.message : String(refusal));
        },
      });
      watches.push(watch);
      return watch;
    },
  });
  signal.addEventListener('abort', interrupted, { once: true });
  if (signal.aborted) interrupted();
  try {
    return await end.promise;
  } finally {
    signal.removeEventListener('abort', interrupted);
    finish?.();
    await Promise.all(watches.map((watch) => watch.stop()));
  }
}
