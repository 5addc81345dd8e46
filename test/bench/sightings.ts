import type { KubeApi, KubeObject, Resource } from '../../operator/kube/api.ts';

/** The objects of one kind in a namespace, as a watch of the bench's own shows them. */
export interface Sightings<T extends KubeObject> {
  get(name: string): T | undefined;
  /**
   * Resolves when the answer is yes; asks again after each change.
   * @throws Error that names what was waited for when the time is over or the watch has broken
   */
  until(what: string, ask: () => boolean, timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Nothing here takes longer, not even a change of leaders. */
const TIMEOUT_MS = 60_000;

/** @param onSight called with each object that comes or changes, as soon as its event has been read */
export async function watchFor<T extends KubeObject>(
  api: KubeApi,
  resource: Resource,
  namespace: string,
  onSight: (object: T) => void = () => {},
): Promise<Sightings<T>> {
  const stopping = new AbortController();
  const objects = new Map<string, T>();
  let waiting: (() => void)[] = [];
  let broken: Error | undefined;

  const { items, resourceVersion } = await api.list<T>(resource, { namespace });
  for (const object of items) objects.set(object.metadata.name, object);

  const changed = (): void => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };

  const watching = (async () => {
    const scope = { namespace, resourceVersion, timeoutSeconds: 3600 };
    for await (const event of api.watch<T>(resource, scope, stopping.signal)) {
      if (event.type === 'BOOKMARK') continue;
      const { object, type } = event;
      if (type === 'DELETED') {
        objects.delete(object.metadata.name);
      } else {
        onSight(object);
        objects.set(object.metadata.name, object);
      }
      changed();
    }
    throw new Error('the API server ended it');
  })().catch((error: unknown) => {
    broken = error instanceof Error ? error : new Error(String(error));
    changed();
  });

  return {
    get: (name) => objects.get(name),
    async until(what, ask, timeoutMs = TIMEOUT_MS) {
      const deadline = performance.now() + timeoutMs;
      while (!ask()) {
        const left = deadline - performance.now();
        if (left <= 0) throw new Error(`waited ${timeoutMs / 1000} s in vain: ${what}`);
        if (broken !== undefined) throw new Error(`the watch of ${resource.plural} broke: ${broken.message}`);
        await new Promise<void>((resolve) => {
          const late = setTimeout(resolve, left);
          waiting.push(() => {
            clearTimeout(late);
            resolve();
          });
        });
      }
    },
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}
