import { type KubeApi, KubeError, type KubeObject, keyOf, type ObjectKey, type Resource } from './api.ts';
import { backoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import { type PageSizes, pages } from './pages.ts';
import { createStore, type Indexes, type Store } from './store.ts';

/** An object came (no `before`), went (no `after`) or changed. One that was made anew under its name goes, then comes. */
export interface Change<T extends KubeObject> {
  readonly before?: T;
  readonly after?: T;
}

export interface ReflectorTiming {
  readonly pages: Partial<PageSizes>;
  /** The API server ends each watch after a random time in this range, so that not all end at once. */
  readonly watchSeconds: readonly [shortest: number, longest: number];
  /** A watch that brought nothing for so long, not even the bookmark due every minute, is taken for dead. */
  readonly idleMs: number;
  /** Everything is listed again this often: the one remedy for an event that never came. */
  readonly relistMs: number;
  readonly backoff: { readonly first: number; readonly longest: number };
}

const TIMING: ReflectorTiming = {
  pages: {},
  watchSeconds: [300, 600],
  idleMs: 150_000,
  relistMs: 30 * 60_000,
  backoff: { first: 200, longest: 10_000 },
};

/** A watch that ends sooner than this without an event counts as a failure: asking again at once would spin. */
const SHORTEST_WATCH_MS = 1_000;

export interface ReflectorOptions<T extends KubeObject> {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly indexes?: Indexes<T>;
  /** Whether metadata is all that is wanted of the objects. */
  readonly metadataOnly?: boolean | undefined;
  /** What is kept of an object, given what is kept of the same before this change. Default: all of it. */
  readonly keep?: ((object: T, before: T | undefined) => T) | undefined;
  readonly timing?: Partial<ReflectorTiming>;
  /** Called after the store has changed. What it throws goes to `onError`, and the watch goes on. */
  readonly onChange: (key: ObjectKey, change: Change<T>) => void;
  /** A list or watch failed, or `onChange` threw. Unless stopped, the reflector tries again by itself. */
  readonly onError?: (error: unknown) => void;
}

export interface Reflector<T extends KubeObject> {
  readonly store: Store<T>;
  /** Resolves once everything has been listed for the first time; rejects when stopped before. */
  readonly synced: Promise<void>;
  /** The failure under way, such as refused credentials; undefined while list and watch work. */
  readonly failure: () => unknown;
  /** Resolves when the watch is closed; no `onChange` comes after. */
  stop(): Promise<void>;
}

/**
 * Keeps a store equal to what the API server holds: lists in pages, then watches from there, for ever. A watch that ends
 * is resumed where it ended; one too old to resume, or out of order, is replaced by a list, whose differences from the
 * store are reported like events.
 */
export function startReflector<T extends KubeObject>(
  api: KubeApi,
  resource: Resource,
  options: ReflectorOptions<T>,
): Reflector<T> {
  const { clock, random, namespace, labelSelector, fieldSelector } = options;
  const timing = { ...TIMING, ...options.timing };
  const scope = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector ? { labelSelector } : {}),
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(options.metadataOnly ? { metadataOnly: true } : {}),
  };
  const store = createStore<T>(options.indexes);
  const stopping = new AbortController();
  const synced = Promise.withResolvers<void>();
  // Whoever stops us early need not also wait for it.
  synced.promise.catch(() => {});

  /** Where to resume; undefined when only a list will do. */
  let version: string | undefined;
  let listedAt = 0;
  let failures = 0;
  let failure: unknown;

  function report(error: unknown): void {
    try {
      options.onError?.(error);
    } catch {
      // An error in reporting an error has nowhere to go, and must not end the watch.
    }
  }

  function tell(key: ObjectKey, change: Change<T>): void {
    if (stopping.signal.aborted) {
      return;
    }
    try {
      options.onChange(key, change);
    } catch (error) {
      report(error);
    }
  }

  function remove(key: ObjectKey): void {
    const last = store.get(key);
    if (last !== undefined) {
      store.remove(key);
      tell(key, { before: last });
    }
  }

  /** An object of which nothing can be kept is left out, so that it costs no other anything. */
  function take(item: T): void {
    try {
      put(item);
    } catch (error) {
      report(error);
      remove(keyOf(item));
    }
  }

  function put(item: T): void {
    const key = keyOf(item);
    const before = store.get(key);
    if (before !== undefined && before.metadata.uid !== item.metadata.uid) {
      remove(key);
      put(item);
      return;
    }
    if (before !== undefined && before.metadata.resourceVersion === item.metadata.resourceVersion) {
      return;
    }
    const object = options.keep === undefined ? item : options.keep(item, before);
    store.set(object);
    tell(key, before === undefined ? { after: object } : { before, after: object });
  }

  async function list(): Promise<void> {
    const present = new Set<ObjectKey>();
    let listed: string | undefined;
    for await (const { items, resourceVersion } of pages<T>(api, resource, scope, stopping.signal, timing.pages)) {
      for (const item of items) {
        present.add(keyOf(item));
        take(item);
      }
      listed = resourceVersion;
    }
    for (const key of store.keys()) {
      if (!present.has(key)) {
        remove(key);
      }
    }
    version = listed;
    listedAt = clock.elapsed();
    // Only a watch that works ends the backoff: lists that succeed between watches that fail must not spin.
    failure = undefined;
    synced.resolve();
  }

  function watching(): void {
    failures = 0;
    failure = undefined;
  }

  async function watch(from: string): Promise<void> {
    const [shortest, longest] = timing.watchSeconds;
    const timeoutSeconds = Math.round(shortest + random() * (longest - shortest));
    const idle = new AbortController();
    let cancel = clock.setTimeout(() => idle.abort(), timing.idleMs);
    const begun = clock.elapsed();
    let heard = false;
    try {
      const signal = AbortSignal.any([stopping.signal, idle.signal]);
      for await (const event of api.watch<T>(resource, { ...scope, resourceVersion: from, timeoutSeconds }, signal)) {
        cancel();
        cancel = clock.setTimeout(() => idle.abort(), timing.idleMs);
        heard = true;
        watching();
        if (event.type === 'BOOKMARK') {
          version = event.resourceVersion;
          continue;
        }
        const { object } = event;
        if (isOlder(object.metadata.resourceVersion, version)) {
          version = undefined;
          throw new KubeError(0, 'OutOfOrder', `An event of ${resource.plural} came after a newer one.`);
        }
        version = object.metadata.resourceVersion;
        if (event.type === 'DELETED') {
          remove(keyOf(object));
        } else {
          take(object);
        }
      }
    } catch (error) {
      if (idle.signal.aborted && !stopping.signal.aborted) {
        throw new KubeError(
          0,
          'Idle',
          `The watch of ${resource.plural} brought nothing for ${timing.idleMs / 1000} s.`,
        );
      }
      throw error;
    } finally {
      cancel();
    }
    if (!heard && clock.elapsed() - begun < SHORTEST_WATCH_MS) {
      throw new KubeError(0, 'Unreachable', `The watch of ${resource.plural} ended as soon as it began.`);
    }
    watching();
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (version === undefined || clock.elapsed() - listedAt >= timing.relistMs) {
          await list();
        } else {
          await watch(version);
        }
      } catch (error) {
        if (stopping.signal.aborted) {
          break;
        }
        failures += 1;
        failure = error;
        report(error);
        if (error instanceof KubeError && error.status === 410) {
          version = undefined;
        }
        const asked = error instanceof KubeError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
        await pause(clock, Math.max(asked, backoff(failures, timing.backoff, random)), stopping.signal);
      }
    }
    synced.reject(new KubeError(0, 'Aborted', `The reflector of ${resource.plural} was stopped.`));
  }

  const running = run();
  return {
    store,
    synced: synced.promise,
    failure: () => failure,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Versions of one resource are decimal numbers that grow (KEP-5504); of others nothing is known. */
function isOlder(version: string | undefined, than: string | undefined): boolean {
  const number = /^[1-9]\d*$/;
  if (version === undefined || than === undefined || !number.test(version) || !number.test(than)) {
    return false;
  }
  return version.length === than.length ? version < than : version.length < than.length;
}
