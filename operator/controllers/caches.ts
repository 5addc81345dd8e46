import { type KubeApi, KubeError, type KubeObject, type Resource } from '../kube/api.ts';
import type { Clock } from '../kube/clock.ts';
import { type Change, type Reflector, type ReflectorTiming, startReflector } from '../kube/reflector.ts';
import type { Indexes, Store } from '../kube/store.ts';
import { kept } from './kept.ts';

/** What one cache holds. */
export interface Source<T extends KubeObject> {
  readonly resource: Resource;
  /** For core kinds, watch only objects with our label. */
  readonly labelSelector?: string;
  readonly indexes: Indexes<T>;
  /** Of what can be large, and that anybody in a namespace may make, only what is read is asked for. */
  readonly metadataOnly?: boolean;
}

/** The type of the objects in each cache, by its name. */
type Held<Objects> = { readonly [Name in keyof Objects]: KubeObject };

export type Sources<Objects extends Held<Objects>> = { readonly [Name in keyof Objects]: Source<Objects[Name]> };

/** What has changed, and in which cache. */
export type ChangeIn<Objects extends Held<Objects>> = {
  readonly [Name in keyof Objects]: { readonly cache: Name } & Change<Objects[Name]>;
}[keyof Objects];

/** What is watched, as far as we have heard: a store for each name. */
export type CachesOf<Objects extends Held<Objects>> = { readonly [Name in keyof Objects]: Store<Objects[Name]> } & {
  /** Resolves once each has been listed, but for namespaces that are not there: what none of is granted. */
  readonly synced: Promise<void>;
  /** What has not been listed yet, such as `jobs in shop`. */
  missing(): readonly string[];
  /** Whether nothing of a namespace may be read any more, such as when it is gone: what is held of it is of before. */
  isLost(namespace: string): boolean;
  /** Failures under way, such as rights that are missing. */
  failures(): readonly unknown[];
  /** Calls back after each change, until the function that it returns is called. */
  subscribe(listener: (change: ChangeIn<Objects>) => void): () => void;
  stop(): Promise<void>;
};

export interface CacheOptions {
  /** Undefined: every namespace. */
  readonly namespaces: readonly string[] | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timing?: Partial<ReflectorTiming>;
  readonly onError: (error: unknown) => void;
}

export function startCaches<Objects extends Held<Objects>>(
  api: KubeApi,
  sources: Sources<Objects>,
  options: CacheOptions,
): CachesOf<Objects> {
  const names = Object.keys(sources) as (keyof Objects & string)[];
  const listeners = new Set<(change: ChangeIn<Objects>) => void>();
  const scopes = (options.namespaces ?? [undefined]).map(startScope);

  /** The caches of one namespace, or of all. */
  function startScope(namespace: string | undefined) {
    const listed = new Set<string>();
    const settled = Promise.withResolvers<void>();
    // A namespace that is gone took our rights with it. The others are no worse for it; it is asked for again all the time.
    const isGone = () => names.every((name) => isRefusal(reflectors[name].failure()));
    const look = () => {
      if (isGone() || listed.size === names.length) settled.resolve();
    };
    const start = <Name extends keyof Objects & string>(name: Name): Reflector<Objects[Name]> => {
      const { resource, labelSelector, indexes, metadataOnly } = sources[name];
      const reflector = startReflector<Objects[Name]>(api, resource, {
        ...options,
        namespace,
        labelSelector,
        indexes,
        metadataOnly,
        keep: kept,
        onChange: (_key, change) => {
          for (const listener of listeners) listener({ cache: name, ...change });
        },
        onError(error) {
          options.onError(error);
          look();
        },
      });
      reflector.synced.then(
        () => {
          listed.add(name);
          look();
        },
        (error: unknown) => settled.reject(error),
      );
      return reflector;
    };
    const reflectors = byName(names, start) as { readonly [Name in keyof Objects]: Reflector<Objects[Name]> };
    return {
      namespace: namespace ?? '',
      reflectors,
      isGone,
      settled: settled.promise,
      missing: () =>
        names
          .filter((name) => !listed.has(name))
          .map((name) => (namespace === undefined ? name : `${name} in ${namespace}`)),
    };
  }

  const stores = byName(names, (name) =>
    joined(new Map(scopes.map(({ namespace, reflectors }) => [namespace, reflectors[name].store]))),
  ) as { readonly [Name in keyof Objects]: Store<Objects[Name]> };
  const all = scopes.flatMap(({ reflectors }) => names.map((name) => reflectors[name]));
  const synced = Promise.all(scopes.map(({ settled }) => settled)).then(() => {});
  // Whoever stops them early need not also wait for it.
  synced.catch(() => {});
  return {
    ...stores,
    synced,
    missing: () => scopes.flatMap((scope) => scope.missing()),
    isLost: (namespace) => scopes.some((scope) => scope.namespace === namespace && scope.isGone()),
    failures: () => all.map(({ failure }) => failure()).filter((failure) => failure !== undefined),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      await Promise.all(all.map((reflector) => reflector.stop()));
    },
  };
}

function byName<Name extends string, T>(names: readonly Name[], make: (name: Name) => T): Readonly<Record<Name, T>> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, T>;
}

function isRefusal(failure: unknown): boolean {
  return failure instanceof KubeError && (failure.status === 403 || failure.status === 404);
}

/** Stores of several namespaces as one. */
function joined<T extends KubeObject>(parts: ReadonlyMap<string, Store<T>>): Store<T> {
  const [only] = parts.values();
  if (parts.size === 1 && only !== undefined) return only;
  const all = [...parts.values()];
  return {
    get: (key) => parts.get(key.slice(0, key.indexOf('/')))?.get(key),
    list: () => all.flatMap((store) => store.list()),
    byIndex: (index, value) => all.flatMap((store) => store.byIndex(index, value)),
    // What is in order is of one namespace.
    *lastByIndex(index, value, from) {
      for (const store of all) yield* store.lastByIndex(index, value, from);
    },
  };
}

/** The objects that a change is about: the old one also says whom it concerned. */
export function objectsOf<T extends KubeObject>({ before, after }: Change<T>): readonly T[] {
  return [before, after].filter((object) => object !== undefined);
}
