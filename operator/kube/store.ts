import { type KubeObject, keyOf, type ObjectKey } from './api.ts';

/** What an object is found by, other than its key: an index gives the values that the object has. */
export type Indexes<T extends KubeObject> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** The objects of one kind as far as we have heard. Nobody may change what it hands out. */
export interface Store<T extends KubeObject> {
  get(key: ObjectKey): T | undefined;
  list(): readonly T[];
  /** Objects for which that index gave the value; throws when there is no such index. */
  byIndex(index: string, value: string): readonly T[];
}

/** A store that can be written; `set` and `remove` keep its indexes. */
export interface WritableStore<T extends KubeObject> extends Store<T> {
  set(object: T): void;
  remove(key: ObjectKey): void;
  keys(): readonly ObjectKey[];
}

export function createStore<T extends KubeObject>(indexes: Indexes<T> = {}): WritableStore<T> {
  const objects = new Map<ObjectKey, T>();

  /** None of an object that is not as its kind should be: it is found by its key, and costs no other anything. */
  function valuesOf(index: string, object: T): readonly string[] {
    try {
      return indexes[index]?.(object) ?? [];
    } catch {
      return [];
    }
  }

  const found = new Map(Object.keys(indexes).map((name) => [name, new Map<string, Set<ObjectKey>>()]));

  function forget(key: ObjectKey): void {
    const old = objects.get(key);
    if (old === undefined) {
      return;
    }
    for (const [name, values] of found) {
      for (const value of valuesOf(name, old)) {
        const keys = values.get(value);
        keys?.delete(key);
        if (keys?.size === 0) {
          values.delete(value);
        }
      }
    }
    objects.delete(key);
  }

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    keys: () => [...objects.keys()],
    byIndex(index, value) {
      const values = found.get(index);
      if (values === undefined) {
        throw new RangeError(`There is no index "${index}".`);
      }
      return [...(values.get(value) ?? [])].map((key) => objects.get(key)).filter((object) => object !== undefined);
    },
    set(object) {
      const key = keyOf(object);
      forget(key);
      objects.set(key, object);
      for (const [name, values] of found) {
        for (const value of valuesOf(name, object)) {
          const keys = values.get(value) ?? new Set();
          values.set(value, keys.add(key));
        }
      }
    },
    remove: forget,
  };
}
