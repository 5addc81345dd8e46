import type { KubeObject } from '../kube/api.ts';
import { putBounded } from './put-bounded.ts';

/** Some hundred kilobytes each. */
const MOST = 64;

/** The whole of an object that never changes, of which the cache has the metadata: read once. */
export type ReadOnce = <T extends KubeObject>(
  cached: KubeObject,
  read: () => Promise<T | undefined>,
) => Promise<T | undefined>;

export function createReadOnce(): ReadOnce {
  const contents = new Map<string, KubeObject>();
  return async <T extends KubeObject>(cached: KubeObject, read: () => Promise<T | undefined>) => {
    const uid = cached.metadata.uid ?? '';
    const known = contents.get(uid) ?? (await read());
    if (known === undefined || known.metadata.uid !== uid) return known as T | undefined;
    putBounded(contents, uid, known, MOST);
    return known as T;
  };
}
