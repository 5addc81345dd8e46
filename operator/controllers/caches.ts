import { ANNOTATIONS, MANAGED_SELECTOR } from '../build/labels.ts';
import { type KubeApi, type KubeObject, type ObjectKey, RESOURCES, type Resource } from '../kube/api.ts';
import type { Clock } from '../kube/clock.ts';
import { type Change, type Reflector, type ReflectorTiming, startReflector } from '../kube/reflector.ts';
import type { Indexes, Store } from '../kube/store.ts';
import {
  type ConfigMapObject,
  controllerOf,
  type JobObject,
  type PodObject,
  type ProgramObject,
  type RunObject,
  type StoredMetadata,
} from '../objects.ts';

/** What the operator watches, by name. */
export interface Kinds {
  readonly programs: ProgramObject;
  readonly runs: RunObject;
  readonly jobs: JobObject;
  readonly pods: PodObject;
  readonly revisions: ConfigMapObject & { readonly metadata: StoredMetadata };
}

export type CacheName = keyof Kinds;

interface Source<T extends KubeObject> {
  readonly resource: Resource;
  /** Of what is not ours in kind, only what is ours is watched. */
  readonly labelSelector?: string;
  readonly indexes: Indexes<T>;
}

const byOwner = (object: KubeObject): readonly string[] => {
  const uid = controllerOf(object);
  return uid === undefined ? [] : [uid];
};

const SOURCES: { readonly [Name in CacheName]: Source<Kinds[Name]> } = {
  programs: {
    resource: RESOURCES.retentionPrograms,
    indexes: { programId: ({ metadata, spec }) => [`${metadata.namespace}/${spec.programId}`] },
  },
  runs: {
    resource: RESOURCES.retentionRuns,
    indexes: {
      program: (run) => [programKeyOf(run)],
      revision: ({ metadata, status }) =>
        status?.revision === undefined ? [] : [`${metadata.namespace}/${status.revision}`],
    },
  },
  jobs: { resource: RESOURCES.jobs, labelSelector: MANAGED_SELECTOR, indexes: { owner: byOwner } },
  pods: { resource: RESOURCES.pods, labelSelector: MANAGED_SELECTOR, indexes: { owner: byOwner } },
  revisions: { resource: RESOURCES.configMaps, labelSelector: MANAGED_SELECTOR, indexes: { owner: byOwner } },
};

/** Key of the program that a run names. */
export function programKeyOf({ metadata, spec }: RunObject): ObjectKey {
  return `${metadata.namespace}/${spec.programRef.name}`;
}

/** Key of the run that a Job or a pod belongs to. */
export function runKeyOf({ metadata }: KubeObject): ObjectKey | undefined {
  const run = metadata.annotations?.[ANNOTATIONS.run];
  return run === undefined ? undefined : `${metadata.namespace}/${run}`;
}

export type Listener = (cache: CacheName, change: Change<KubeObject>) => void;

/** Everything that the operator watches, as far as it has heard. */
export type Caches = { readonly [Name in CacheName]: Store<Kinds[Name]> } & {
  /** Resolves once each has been listed. */
  readonly synced: Promise<void>;
  /** Failures under way, such as rights that are missing. */
  failures(): readonly unknown[];
  /** Calls back after each change, until the function that it returns is called. */
  subscribe(listener: Listener): () => void;
  stop(): Promise<void>;
};

export interface CacheOptions {
  /** Empty: every namespace. */
  readonly namespaces: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly timing?: Partial<ReflectorTiming>;
  readonly onError: (error: unknown) => void;
}

export function startCaches(api: KubeApi, options: CacheOptions): Caches {
  const listeners = new Set<Listener>();
  const reflectors: Pick<Reflector<KubeObject>, 'synced' | 'failure' | 'stop'>[] = [];
  const scopes = options.namespaces.length === 0 ? [undefined] : options.namespaces;

  function watch<Name extends CacheName>(name: Name): Store<Kinds[Name]> {
    const { resource, labelSelector, indexes } = SOURCES[name];
    const parts = new Map<string, Store<Kinds[Name]>>();
    for (const namespace of scopes) {
      const reflector = startReflector<Kinds[Name]>(api, resource, {
        ...options,
        namespace,
        labelSelector,
        indexes,
        onChange: (_key, change) => {
          for (const listener of listeners) listener(name, change);
        },
      });
      reflectors.push(reflector);
      parts.set(namespace ?? '', reflector.store);
    }
    return joined(parts);
  }

  const caches = {
    programs: watch('programs'),
    runs: watch('runs'),
    jobs: watch('jobs'),
    pods: watch('pods'),
    revisions: watch('revisions'),
  };
  const synced = Promise.all(reflectors.map((reflector) => reflector.synced)).then(() => {});
  // Whoever stops them early need not also wait for it.
  synced.catch(() => {});
  return {
    ...caches,
    synced,
    failures: () => reflectors.map(({ failure }) => failure()).filter((failure) => failure !== undefined),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
    },
  };
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
  };
}

/** The objects that a change is about: the old one also says whom it concerned. */
export function objectsOf({ before, after }: Change<KubeObject>): readonly KubeObject[] {
  return [before, after].filter((object) => object !== undefined);
}
