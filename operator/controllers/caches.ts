import { type KubeApi, KubeError, type KubeObject, type ObjectKey, RESOURCES, type Resource } from '../kube/api.ts';
import type { Clock } from '../kube/clock.ts';
import {
  controllerOf,
  type JobObject,
  type PodObject,
  type ProgramObject,
  type RunObject,
  type StoredMetadata,
  seniority,
} from '../kube/objects.ts';
import { type Change, type Reflector, type ReflectorTiming, startReflector } from '../kube/reflector.ts';
import type { Indexes, Store } from '../kube/store.ts';
import { MANAGED_SELECTOR } from '../objects/labels.ts';
import { kept } from './kept.ts';

/** What the operator watches, by name. */
export interface Kinds {
  readonly programs: ProgramObject;
  readonly runs: RunObject;
  readonly jobs: JobObject;
  readonly pods: PodObject;
  /** Metadata alone. */
  readonly revisions: KubeObject & { readonly metadata: StoredMetadata };
}

export type CacheName = keyof Kinds;

interface Source<T extends KubeObject> {
  readonly resource: Resource;
  /** For core kinds, watch only objects with our label. */
  readonly labelSelector?: string;
  readonly indexes: Indexes<T>;
  /** Of what can be large, and that anybody in a namespace may make, only what is read is asked for. */
  readonly metadataOnly?: boolean;
}

/** With the namespace: an owner of another is none, whatever somebody there writes into an object. */
const byOwner = (object: KubeObject): readonly string[] => {
  const uid = controllerOf(object);
  return uid === undefined ? [] : [`${object.metadata.namespace}/${uid}`];
};

/** The value of the index `owner` for what an object owns. */
export function ownedBy({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.uid}`;
}

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
  jobs: {
    resource: RESOURCES.jobs,
    labelSelector: MANAGED_SELECTOR,
    indexes: { owner: byOwner },
  },
  pods: {
    resource: RESOURCES.pods,
    labelSelector: MANAGED_SELECTOR,
    indexes: { owner: byOwner },
  },
  revisions: {
    resource: RESOURCES.configMaps,
    labelSelector: MANAGED_SELECTOR,
    indexes: { owner: byOwner },
    metadataOnly: true,
  },
};

/** Other programs of the namespace with the same programId. */
export function twinsOf({ metadata, spec }: ProgramObject, { programs }: Pick<Caches, 'programs'>) {
  return programs
    .byIndex('programId', `${metadata.namespace}/${spec.programId}`)
    .filter((other) => other.metadata.uid !== metadata.uid);
}

/** Those of them that have the id by right. */
export function olderTwinsOf(program: ProgramObject, caches: Pick<Caches, 'programs'>): readonly ProgramObject[] {
  return twinsOf(program, caches).filter((twin) => seniority(twin) < seniority(program));
}

/** Key of the program that a run names. */
export function programKeyOf({ metadata, spec }: RunObject): ObjectKey {
  return `${metadata.namespace}/${spec.programRef.name}`;
}

/** Key of the run that a Job belongs to, or the Job of a pod. Not from what people may edit. */
export function runKeyOf({ metadata }: KubeObject, { jobs }: Pick<Caches, 'jobs'>): ObjectKey | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  switch (owner?.kind) {
    case 'RetentionRun':
      return `${metadata.namespace}/${owner.name}`;
    case 'Job': {
      const job = jobs.get(`${metadata.namespace}/${owner.name}`);
      return job && runKeyOf(job, { jobs });
    }
    default:
      return undefined;
  }
}

/** What has changed, and in which cache. */
export type CacheChange = { readonly [Name in CacheName]: { readonly cache: Name } & Change<Kinds[Name]> }[CacheName];

export type Listener = (change: CacheChange) => void;

/** Everything that the operator watches, as far as it has heard. */
export type Caches = { readonly [Name in CacheName]: Store<Kinds[Name]> } & {
  /** Resolves once each has been listed, but for namespaces that are not there: what none of is granted. */
  readonly synced: Promise<void>;
  /** What has not been listed yet, such as `jobs in shop`. */
  missing(): readonly string[];
  /** Failures under way, such as rights that are missing. */
  failures(): readonly unknown[];
  /** Calls back after each change, until the function that it returns is called. */
  subscribe(listener: Listener): () => void;
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

export function startCaches(api: KubeApi, options: CacheOptions): Caches {
  const listeners = new Set<Listener>();
  const scopes = (options.namespaces ?? [undefined]).map(startScope);

  /** The caches of one namespace, or of all. */
  function startScope(namespace: string | undefined) {
    const listed = new Set<CacheName>();
    const settled = Promise.withResolvers<void>();
    const names = Object.keys(SOURCES) as CacheName[];
    const look = () => {
      // A namespace that is gone took our rights with it. The others are no worse for it; it is asked for again all the time.
      const gone = names.every((name) => isRefusal(reflectors[name].failure()));
      if (gone || listed.size === names.length) settled.resolve();
    };
    const start = <Name extends CacheName>(name: Name): Reflector<Kinds[Name]> => {
      const { resource, labelSelector, indexes, metadataOnly } = SOURCES[name];
      const reflector = startReflector<Kinds[Name]>(api, resource, {
        ...options,
        namespace,
        labelSelector,
        indexes,
        metadataOnly,
        keep: kept,
        onChange: (_key, change) => {
          for (const listener of listeners) listener({ cache: name, ...change } as unknown as CacheChange);
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
    const reflectors: { readonly [Name in CacheName]: Reflector<Kinds[Name]> } = {
      programs: start('programs'),
      runs: start('runs'),
      jobs: start('jobs'),
      pods: start('pods'),
      revisions: start('revisions'),
    };
    return {
      namespace: namespace ?? '',
      reflectors,
      settled: settled.promise,
      missing: () =>
        names
          .filter((name) => !listed.has(name))
          .map((name) => (namespace === undefined ? name : `${name} in ${namespace}`)),
    };
  }

  const storeOf = <Name extends CacheName>(name: Name): Store<Kinds[Name]> =>
    joined(new Map(scopes.map(({ namespace, reflectors }) => [namespace, reflectors[name].store])));
  const all = scopes.flatMap(({ reflectors }) => Object.values(reflectors));
  const synced = Promise.all(scopes.map(({ settled }) => settled)).then(() => {});
  // Whoever stops them early need not also wait for it.
  synced.catch(() => {});
  return {
    programs: storeOf('programs'),
    runs: storeOf('runs'),
    jobs: storeOf('jobs'),
    pods: storeOf('pods'),
    revisions: storeOf('revisions'),
    synced,
    missing: () => scopes.flatMap((scope) => scope.missing()),
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
  };
}

/** The objects that a change is about: the old one also says whom it concerned. */
export function objectsOf<T extends KubeObject>({ before, after }: Change<T>): readonly T[] {
  return [before, after].filter((object) => object !== undefined);
}
