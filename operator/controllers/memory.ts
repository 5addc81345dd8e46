import { type KubeApi, type KubeObject, keyOf } from '../kube/api.ts';
import { controllerOf } from '../objects.ts';
import { createTurns, type Turns } from './turns.ts';

/**
 * Remembers what was written until the watch has caught up: a sync that looks too early would otherwise decide on what was
 * before, and write it again or be refused.
 */
export interface Memory {
  /** The API, remembering what comes of the changes made through it. */
  readonly api: KubeApi;
  /** The object as we know it: what we wrote last, unless the cache is as new; on its way out once we have deleted it. */
  newest<T extends KubeObject>(cached: T): T;
  /** Whether we have made an object that goes with the one of this uid. */
  hasMadeFor(uid: string): boolean;
  /** Does the work once no other of the same name is under way. */
  inTurn: Turns;
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

  const owners = new Set<string>();
  const deleted = new Set<string>();

  function newestWritten<T extends KubeObject>(cached: T): T {
    const ours = written.get(nameOf(cached));
    if (ours === undefined) return cached;
    if (ours.metadata.uid === cached.metadata.uid && isNewer(ours, cached)) return ours as T;
    written.delete(nameOf(cached));
    return cached;
  }

  function addBounded(set: Set<string>, value: string): void {
    set.delete(value);
    set.add(value);
    const [oldest] = set;
    if (set.size > MOST_REMEMBERED && oldest !== undefined) set.delete(oldest);
  }

  return {
    hasMadeFor: (uid) => owners.has(uid),
    inTurn: createTurns(),
    api: {
      ...api,
      async create(resource, object, ...rest) {
        const made = await api.create(resource, object, ...rest);
        const owner = controllerOf(object);
        if (owner !== undefined) addBounded(owners, owner);
        return made;
      },
      async delete(resource, key, options, ...rest) {
        await api.delete(resource, key, options, ...rest);
        addBounded(deleted, options.uid);
      },
      applyStatus: async (...request) => keep(await api.applyStatus(...request)),
      patch: async (...request) => keep(await api.patch(...request)),
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
