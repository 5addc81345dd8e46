import { type KubeApi, type KubeObject, keyOf } from '../kube/api.ts';

/**
 * Remembers what was written until the watch has caught up: a sync that looks too early would otherwise decide on what was
 * before, and write it again or be refused.
 */
export interface Memory {
  /** The API, remembering what comes of the changes made through it. */
  readonly api: KubeApi;
  /** The object as we know it: what we wrote last, unless the cache is as new. */
  newest<T extends KubeObject>(cached: T): T;
}

/** Objects that are deleted before the watch has caught up are never asked for again. */
const MOST_REMEMBERED = 1000;

export function remember(api: KubeApi): Memory {
  const written = new Map<string, KubeObject>();
  const nameOf = (object: KubeObject) => `${object.kind} ${keyOf(object)}`;

  function keep<T extends KubeObject>(object: T): T {
    const name = nameOf(object);
    written.delete(name);
    written.set(name, object);
    const [oldest] = written.keys();
    if (written.size > MOST_REMEMBERED && oldest !== undefined) written.delete(oldest);
    return object;
  }

  return {
    api: {
      ...api,
      applyStatus: async (...request) => keep(await api.applyStatus(...request)),
      patch: async (...request) => keep(await api.patch(...request)),
    },
    newest<T extends KubeObject>(cached: T): T {
      const ours = written.get(nameOf(cached));
      if (ours === undefined) return cached;
      if (ours.metadata.uid === cached.metadata.uid && isNewer(ours, cached)) return ours as T;
      written.delete(nameOf(cached));
      return cached;
    },
  };
}

/** Versions of one resource are decimal numbers that grow (KEP-5504). */
function isNewer(one: KubeObject, other: KubeObject): boolean {
  const [left = '', right = ''] = [one, other].map(({ metadata }) => metadata.resourceVersion);
  return /^\d+$/.test(left) && /^\d+$/.test(right) && BigInt(left) > BigInt(right);
}
