import { KubeError, keyOf, type ObjectKey } from '../kube/api.ts';
import { createQueue, type Queue } from '../kube/queue.ts';
import { type CacheChange, objectsOf } from './caches.ts';
import type { Controller, ControllerContext } from './controller.ts';

export interface StartOptions extends ControllerContext {
  readonly random: () => number;
  /** A sync failed; it comes again by itself. */
  readonly onError: (controller: string, key: string, error: unknown) => void;
  readonly onSync?: (controller: string) => void;
}

export interface Running {
  /** Objects that wait to be looked at. */
  depth(): number;
  /** Resolves once the syncs under way are done. */
  stop(): Promise<void>;
}

/** Looks at every object once, and then at those that a change concerns. The caches are synced. */
export function startControllers(controllers: readonly Controller[], options: StartOptions): Running {
  const { caches, clock, random, onError, onSync } = options;
  const queues = controllers.map((controller): [Controller, Queue] => [
    controller,
    createQueue({ clock, random, onError: (key, error) => onError(controller.name, key, error) }),
  ]);
  const unsubscribe = caches.subscribe((change) => {
    for (const [controller, queue] of queues) {
      for (const key of concerned(controller, change)) queue.add(key);
    }
  });

  function concerned(controller: Controller, change: CacheChange): ReadonlySet<ObjectKey> {
    const own = controller.objects === change.cache ? objectsOf(change).map(keyOf) : [];
    try {
      return new Set([...own, ...controller.concerned(change, caches)]);
    } catch (error) {
      // Whom it concerns is not to be found out; it itself, and whatever changes next, are looked at all the same.
      onError(controller.name, own[0] ?? change.cache, error);
      return new Set(own);
    }
  }

  /** One object that we can make no sense of says so itself, and comes again after a while; the others are no worse for it. */
  async function reconcile(controller: Controller, key: ObjectKey): Promise<Date | undefined> {
    try {
      return await controller.reconcile(key, options);
    } catch (error) {
      if (!(error instanceof KubeError)) {
        await controller.complain(key, error instanceof Error ? error.message : String(error), options);
      }
      throw error;
    }
  }

  for (const [controller, queue] of queues) {
    for (const object of caches[controller.objects].list()) queue.add(keyOf(object));
    queue.run(async (key) => {
      onSync?.(controller.name);
      const again = await reconcile(controller, key);
      if (again !== undefined) queue.addAfter(key, again.getTime() - clock.now().getTime());
    }, controller.workers);
  }
  return {
    depth: () => queues.reduce((sum, [, queue]) => sum + queue.depth(), 0),
    async stop() {
      unsubscribe();
      await Promise.all(queues.map(([, queue]) => queue.stop()));
    },
  };
}
