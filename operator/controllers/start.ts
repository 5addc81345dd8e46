import { type KubeObject, keyOf, type ObjectKey } from '../kube/api.ts';
import { createQueue, type Queue } from '../kube/queue.ts';
import { objectsOf } from './caches.ts';
import { type ContextOptions, openContext } from './context.ts';
import type { Kind } from './kind.ts';
import { reconcile } from './reconcile.ts';
import type { CacheChange } from './watched.ts';

export interface StartOptions extends ContextOptions {
  readonly random: () => number;
  /** A sync failed; it comes again by itself. */
  readonly onError: (kind: string, key: string, error: unknown) => void;
  readonly onSync?: (kind: string) => void;
}

export interface Running {
  /** Objects that wait to be looked at. */
  depth(): number;
  /** Resolves once the syncs under way are done. */
  stop(): Promise<void>;
}

/** Reconciles every object once, and then those that a change concerns. The caches are synced. */
export function startKinds(kinds: readonly Kind[], options: StartOptions): Running {
  const { caches, clock, random, onError, onSync } = options;
  const context = openContext(options);
  const queues = kinds.map((kind): [Kind, Queue] => [
    kind,
    createQueue({ clock, random, onError: (key, error) => onError(kind.name, key, error) }),
  ]);
  const unsubscribe = caches.subscribe((change) => {
    for (const [kind, queue] of queues) {
      for (const key of concerned(kind, change)) queue.add(key);
    }
  });

  function concerned(kind: Kind, change: CacheChange): ReadonlySet<ObjectKey> {
    const own = objectsOf<KubeObject>(change)
      .filter((object) => object.kind === kind.resource.kind)
      .map(keyOf);
    try {
      return new Set([...own, ...kind.concerned(change, context)]);
    } catch (error) {
      // Whom it concerns is not to be found out; it itself, and whatever changes next, are looked at all the same.
      onError(kind.name, own[0] ?? change.cache, error);
      return new Set(own);
    }
  }

  for (const [kind, queue] of queues) {
    for (const object of kind.objects(caches).list()) queue.add(keyOf(object));
    queue.run(async (key) => {
      onSync?.(kind.name);
      const object = kind.objects(caches).get(key);
      try {
        const again = await reconcile(kind, key, context);
        if (again !== undefined) queue.addAfter(key, again.getTime() - clock.now().getTime());
      } finally {
        for (const next of (object && kind.leave?.(object, context)) ?? []) queue.add(next);
      }
    }, kind.workers);
  }
  return {
    depth: () => queues.reduce((sum, [, queue]) => sum + queue.depth(), 0),
    async stop() {
      unsubscribe();
      await Promise.all(queues.map(([, queue]) => queue.stop()));
    },
  };
}
