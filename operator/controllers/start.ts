import { keyOf } from '../kube/api.ts';
import { createQueue, type Queue } from '../kube/queue.ts';
import { objectsOf } from './caches.ts';
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
  const unsubscribe = caches.subscribe((cache, change) => {
    for (const [controller, queue] of queues) {
      for (const object of objectsOf(change)) {
        for (const key of controller.concerned(cache, object, caches)) queue.add(key);
      }
    }
  });
  for (const [controller, queue] of queues) {
    for (const object of caches[controller.objects].list()) queue.add(keyOf(object));
    queue.run(async (key) => {
      onSync?.(controller.name);
      const again = await controller.reconcile(key, options);
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
