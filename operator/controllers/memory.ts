import { type KubeApi, type KubeObject, keyOf } from '../kube/api.ts';
import { controllerOf } from '../kube/objects.ts';
import { kept } from './kept.ts';
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
  /** The whole of an object that never changes, of which the cache has the metadata: read once. */
  whole<T extends KubeObject>(cached: KubeObject, read: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Does the work once no other of the same name is under way. */
  readonly inTurn: Turns;
}

/** Objects that are deleted before the watch has caught up are never asked for again. */
const MOST_REMEMBERED = 1000;

/** Some hundred kilobytes each. */
const MOST_CONTENTS = 64;

export function remember(api: KubeApi): Memory {
  const nameOf = (object: KubeObject) => `${object.kind} ${keyOf(object)}`;
  const written = new Map<string, KubeObject>();
  const owners = new Map<string, true>();
  const deleted = new Map<string, true>();
  const contents = new Map<string, KubeObject>();

  function keep<T extends KubeObject>(object: T): T {
    putBounded(written, nameOf(object), kept(object), MOST_REMEMBERED);
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
    async whole<T extends KubeObject>(cached: KubeObject, read: () => Promise<T | undefined>) {
      const uid = cached.metadata.uid ?? '';
      const known = contents.get(uid) ?? (await read());
      if (known === undefined || known.metadata.uid !== uid) return known as T | undefined;
      putBounded(contents, uid, known, MOST_CONTENTS);
      return known as T;
    },
    inTurn: createTurns(),
    api: {
      ...api,
      async create(resource, object, ...rest) {
        const made = await api.create(resource, object, ...rest);
        const owner = controllerOf(object);
        if (owner !== undefined) putBounded(owners, owner, true, MOST_REMEMBERED);
        return made;
      },
      async delete(resource, key, options, ...rest) {
        await api.delete(resource, key, options, ...rest);
        putBounded(deleted, options.uid, true, MOST_REMEMBERED);
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

/** Puts it last, and forgets what was put longest ago when there is more than `most`. */
function putBounded<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}

/** Versions of one resource are decimal numbers that grow (KEP-5504). */
function isNewer(one: KubeObject, other: KubeObject): boolean {
  const [left = '', right = ''] = [one, other].map(({ metadata }) => metadata.resourceVersion);
  return /^\d+$/.test(left) && /^\d+$/.test(right) && BigInt(left) > BigInt(right);
}
