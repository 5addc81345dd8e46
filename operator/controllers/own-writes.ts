import { type KubeApi, type KubeObject, keyOf } from '../kube/api.ts';
import { controllerOf } from '../kube/objects.ts';
import { kept } from './kept.ts';
import { putBounded } from './put-bounded.ts';

/**
 * What this process has written and the watch may not have brought back yet (read your own writes): a sync that looks too
 * early would otherwise decide on what was before, and write it again or be refused.
 */
export interface OwnWrites {
  /** The API, taking note of what comes of the changes made through it. */
  readonly api: KubeApi;
  /** The object as we know it: what we wrote last, unless the cache is as new; on its way out once we have deleted it. */
  readonly newest: <T extends KubeObject>(cached: T) => T;
  /** Whether we have made an object that goes with the one of this uid. */
  readonly hasMadeFor: (uid: string) => boolean;
}

/** Objects that are deleted before the watch has caught up are never asked for again. */
const MOST = 1000;

export function trackOwnWrites(api: KubeApi): OwnWrites {
  const nameOf = (object: KubeObject) => `${object.kind} ${keyOf(object)}`;
  const written = new Map<string, KubeObject>();
  const owners = new Map<string, true>();
  const deleted = new Map<string, true>();

  function note<T extends KubeObject>(object: T): T {
    putBounded(written, nameOf(object), kept(object), MOST);
    return object;
  }

  function newestWritten<T extends KubeObject>(cached: T): T {
    const ours = written.get(nameOf(cached));
    if (ours === undefined) return cached;
    if (ours.metadata.uid === cached.metadata.uid && isNewer(ours, cached)) return ours as T;
    written.delete(nameOf(cached));
    return cached;
  }

  return {
    hasMadeFor: (uid) => owners.has(uid),
    api: {
      ...api,
      async create(resource, object, ...rest) {
        const made = await api.create(resource, object, ...rest);
        const owner = controllerOf(object);
        if (owner !== undefined) putBounded(owners, owner, true, MOST);
        return made;
      },
      async delete(resource, key, options, ...rest) {
        await api.delete(resource, key, options, ...rest);
        putBounded(deleted, options.uid, true, MOST);
      },
      applyStatus: async (...request) => note(await api.applyStatus(...request)),
      patch: async (...request) => note(await api.patch(...request)),
    },
    newest<T extends KubeObject>(cached: T): T {
      const known = newestWritten(cached);
      const { uid, deletionTimestamp, creationTimestamp } = known.metadata;
      if (uid === undefined || deletionTimestamp !== undefined || !deleted.has(uid)) return known;
      // When does not matter here, and we were not told.
      return { ...known, metadata: { ...known.metadata, deletionTimestamp: creationTimestamp ?? '' } };
    },
  };
}

/** Versions of one resource are decimal numbers that grow (KEP-5504). */
function isNewer(one: KubeObject, other: KubeObject): boolean {
  const [left = '', right = ''] = [one, other].map(({ metadata }) => metadata.resourceVersion);
  return /^\d+$/.test(left) && /^\d+$/.test(right) && BigInt(left) > BigInt(right);
}
