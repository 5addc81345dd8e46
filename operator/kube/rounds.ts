import { type ObjectKey, splitKey } from './api.ts';

/** Keys that wait, each once. Namespaces take turns, so that one with many of them holds up no other. */
export interface Rounds {
  add(key: ObjectKey): void;
  /** Hands out the key that is next, passing over namespaces that may have none now. */
  take(mayHave: (namespace: string) => boolean): ObjectKey | undefined;
  size(): number;
  clear(): void;
}

export function createRounds(): Rounds {
  /** The namespace whose turn is next comes first; within one, the key that came first. */
  const waiting = new Map<string, Set<ObjectKey>>();

  return {
    add(key) {
      const { namespace } = splitKey(key);
      const keys = waiting.get(namespace) ?? new Set();
      waiting.set(namespace, keys.add(key));
    },
    take(mayHave) {
      for (const [namespace, keys] of waiting) {
        const [key] = keys;
        if (key === undefined || !mayHave(namespace)) continue;
        keys.delete(key);
        waiting.delete(namespace);
        if (keys.size > 0) waiting.set(namespace, keys);
        return key;
      }
      return undefined;
    },
    size: () => [...waiting.values()].reduce((sum, keys) => sum + keys.size, 0),
    clear: () => waiting.clear(),
  };
}
