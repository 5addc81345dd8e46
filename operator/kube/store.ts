import { type KubeObject, keyOf, type ObjectKey } from './api.ts';

/**
 * What objects are found by, other than their key: the values that an object has, and what those of one value are in order
 * of; by default of nothing.
 */
export interface Index<T extends KubeObject> {
  readonly values: (object: T) => readonly string[];
  readonly order?: (object: T) => string;
}

export type Indexes<T extends KubeObject> = Readonly<Record<string, Index<T>>>;

/** The objects of one kind as far as we have heard. Nobody may change what it hands out. */
export interface Store<T extends KubeObject> {
  get(key: ObjectKey): T | undefined;
  list(): readonly T[];
  /** Objects for which that index gave the value, in its order; throws when there is no such index. */
  byIndex(index: string, value: string): readonly T[];
  /** The same from the last one on, as far as somebody asks; `from`: beginning with what is not after that in the order. */
  lastByIndex(index: string, value: string, from?: string): Generator<T, void>;
}

/** A store that can be written; `set` and `remove` keep its indexes. */
export interface WritableStore<T extends KubeObject> extends Store<T> {
  set(object: T): void;
  remove(key: ObjectKey): void;
  keys(): readonly ObjectKey[];
}

export function createStore<T extends KubeObject>(indexes: Indexes<T> = {}): WritableStore<T> {
  const objects = new Map<ObjectKey, T>();
  const found = new Map(Object.keys(indexes).map((name) => [name, new Map<string, Entries>()]));

  /** None of an object that is not as its kind should be: it is found by its key, and costs no other anything. */
  function placesOf(name: string, object: T): { readonly values: readonly string[]; readonly order: string } {
    try {
      const { values, order } = indexes[name] as Index<T>;
      return { values: values(object), order: order?.(object) ?? '' };
    } catch {
      return { values: [], order: '' };
    }
  }

  function entriesOf(index: string, value: string): Entries {
    const values = found.get(index);
    if (values === undefined) throw new RangeError(`There is no index "${index}".`);
    return values.get(value) ?? [];
  }

  function forget(key: ObjectKey): void {
    const old = objects.get(key);
    if (old === undefined) return;
    for (const [name, byValue] of found) {
      const { values, order } = placesOf(name, old);
      for (const value of new Set(values)) {
        const entries = byValue.get(value) ?? [];
        entries.splice(placeIn(entries, { order, key }), 1);
        if (entries.length === 0) byValue.delete(value);
      }
    }
    objects.delete(key);
  }

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    keys: () => [...objects.keys()],
    byIndex: (index, value) => entriesOf(index, value).map(({ key }) => objects.get(key) as T),
    *lastByIndex(index, value, from) {
      const entries = entriesOf(index, value);
      const end = from === undefined ? entries.length : placeIn(entries, { order: from, key: AFTER_ALL });
      for (let place = end - 1; place >= 0; place -= 1) yield objects.get(entries[place]?.key ?? '') as T;
    },
    set(object) {
      const key = keyOf(object);
      forget(key);
      objects.set(key, object);
      for (const [name, byValue] of found) {
        const { values, order } = placesOf(name, object);
        for (const value of new Set(values)) {
          const entries = byValue.get(value) ?? [];
          entries.splice(placeIn(entries, { order, key }), 0, { order, key });
          byValue.set(value, entries);
        }
      }
    },
    remove: forget,
  };
}

interface Entry {
  readonly order: string;
  readonly key: ObjectKey;
}

/** In order, and of one place in it by key. */
type Entries = Entry[];

/** Greater than any key. */
const AFTER_ALL: ObjectKey = '\u{10ffff}';

/** Where the entry is, or would be. */
function placeIn(entries: readonly Entry[], { order, key }: Entry): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = entries[middle] as Entry;
    const isBefore = one.order < order || (one.order === order && one.key < key);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}
