import { isDeepStrictEqual } from 'node:util';
import {
  type KubeApi,
  KubeError,
  type KubeObject,
  keyOf,
  type ObjectKey,
  type Resource,
  type WatchEvent,
} from '../../operator/kube/api.ts';

type Loose = Record<string, any>;

/** An API server in memory: what tests of the operator need of its semantics, and a way to play the other controllers. */
export interface FakeKube {
  /** As a client sees it. */
  readonly api: KubeApi;
  /** Everything of a kind, as it is now. */
  all<T extends KubeObject = KubeObject>(resource: Resource): readonly T[];
  get<T extends KubeObject = KubeObject>(resource: Resource, key: ObjectKey): T | undefined;
  /** What another controller, or a person, does. */
  put(resource: Resource, object: KubeObject): KubeObject;
  change(resource: Resource, key: ObjectKey, change: (object: Loose) => void): KubeObject;
  remove(resource: Resource, key: ObjectKey): void;
  /** Grows with every change: equal means that nothing has happened. */
  version(): number;
}

interface Change {
  readonly resource: string;
  readonly version: number;
  readonly event: Exclude<WatchEvent, { type: 'BOOKMARK' }>;
}

const nameOf = ({ group, plural }: Resource) => `${plural}.${group}`;

/** Kinds whose status only `applyStatus` changes. */
const HAS_STATUS = new Set(['retentionprograms', 'retentionruns']);

export function fakeKube(now: () => Date): FakeKube {
  const objects = new Map<string, Map<ObjectKey, KubeObject>>();
  const changes: Change[] = [];
  const waiting = new Set<() => void>();
  let version = 100;
  let uids = 0;

  const of = (resource: Resource) => {
    const known = objects.get(nameOf(resource)) ?? new Map<ObjectKey, KubeObject>();
    objects.set(nameOf(resource), known);
    return known;
  };
  const refuse = (status: number, reason: string, message: string) => {
    throw new KubeError(status, reason, message);
  };

  function store(resource: Resource, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): KubeObject {
    version += 1;
    const stored = freeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    if (type === 'DELETED') of(resource).delete(keyOf(object));
    else of(resource).set(keyOf(object), stored);
    changes.push({ resource: nameOf(resource), version, event: { type, object: stored } });
    for (const wake of [...waiting]) wake();
    return stored;
  }

  function create(resource: Resource, object: KubeObject): KubeObject {
    const key = keyOf(object);
    if (of(resource).has(key)) refuse(409, 'AlreadyExists', `${resource.plural} "${key}" already exists`);
    uids += 1;
    const { status: _status, ...rest } = structuredClone(object) as Loose;
    return store(resource, 'ADDED', {
      ...(HAS_STATUS.has(resource.plural) ? rest : (structuredClone(object) as Loose)),
      metadata: { ...object.metadata, uid: `uid-${uids}`, generation: 1, creationTimestamp: now().toISOString() },
    } as KubeObject);
  }

  function update(resource: Resource, before: KubeObject, after: KubeObject): KubeObject {
    if (isDeepStrictEqual(before, after)) return before;
    const generation = (before.metadata.generation ?? 1) + (isDeepStrictEqual(before.spec, after.spec) ? 0 : 1);
    return store(resource, 'MODIFIED', { ...after, metadata: { ...after.metadata, generation } });
  }

  function existing(resource: Resource, key: ObjectKey, expected?: string): KubeObject {
    const found = of(resource).get(key) ?? refuse(404, 'NotFound', `${resource.plural} "${key}" not found`);
    if (expected !== undefined && found.metadata.resourceVersion !== expected) {
      refuse(409, 'Conflict', `${resource.plural} "${key}" has been modified`);
    }
    return found;
  }

  /** Deletes the object, and as the garbage collector would, what it owns. */
  function remove(resource: Resource, key: ObjectKey): void {
    const found = of(resource).get(key);
    if (found === undefined) return;
    store(resource, 'DELETED', found);
    for (const [name, kind] of objects) {
      for (const [dependent, object] of kind) {
        if (object.metadata.ownerReferences?.some(({ uid }) => uid === found.metadata.uid)) {
          const [plural = '', ...group] = name.split('.');
          remove({ ...resource, plural, group: group.join('.') }, dependent);
        }
      }
    }
  }

  const inScope = (object: KubeObject, namespace?: string, labelSelector?: string) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (labelSelector ?? '')
      .split(',')
      .filter((term) => term !== '')
      .every((term) => object.metadata.labels?.[term.split('=')[0] ?? ''] === term.split('=')[1]);

  const bare = ({ apiVersion, kind, metadata }: KubeObject) => ({ apiVersion, kind, metadata });

  const isSelected = (object: KubeObject, fieldSelector = '') =>
    fieldSelector
      .split(',')
      .filter((term) => term !== '')
      .every((term) => {
        const [path = '', wanted] = term.split('=');
        return path.split('.').reduce<any>((value, name) => value?.[name], object) === wanted;
      });

  // A turn of the event loop between asking and being answered, as over a network.
  const travel = () => new Promise((resolve) => setImmediate(resolve));

  const api: KubeApi = {
    async list(resource, { namespace, labelSelector, fieldSelector, metadataOnly }) {
      await travel();
      const items = [...of(resource).values()].filter(
        (object) => inScope(object, namespace, labelSelector) && isSelected(object, fieldSelector),
      );
      return {
        items: items.map((item) => (metadataOnly ? bare(item) : item)) as never,
        resourceVersion: String(version),
      };
    },
    async *watch(resource, { namespace, labelSelector, metadataOnly, resourceVersion }, signal) {
      let at = Number(resourceVersion);
      while (!signal.aborted) {
        const next = changes.find((change) => change.version > at && change.resource === nameOf(resource));
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            const wake = () => {
              waiting.delete(wake);
              signal.removeEventListener('abort', wake);
              resolve();
            };
            waiting.add(wake);
            signal.addEventListener('abort', wake, { once: true });
          });
          continue;
        }
        at = next.version;
        await travel();
        if (!inScope(next.event.object, namespace, labelSelector)) continue;
        const { type, object } = next.event;
        yield { type, object: metadataOnly ? bare(object) : object } as never;
      }
      throw new KubeError(0, 'Aborted', 'the watch was given up');
    },
    async get(resource, key) {
      await travel();
      return of(resource).get(key) as never;
    },
    async create(resource, object) {
      await travel();
      return create(resource, object) as never;
    },
    async applyStatus(resource, object) {
      await travel();
      const before = existing(resource, keyOf(object), object.metadata.resourceVersion ?? 'none');
      return update(resource, before, { ...before, status: wire(object.status) }) as never;
    },
    async patch(resource, key, mergePatch, { resourceVersion } = {}) {
      await travel();
      const before = existing(resource, key, resourceVersion);
      const after = merge(before, mergePatch) as KubeObject;
      if (after.metadata.uid !== before.metadata.uid) refuse(409, 'Conflict', 'the uid is another');
      return update(resource, before, after) as never;
    },
    async replace(resource, object) {
      await travel();
      const before = existing(resource, keyOf(object), object.metadata.resourceVersion);
      return update(resource, before, {
        ...object,
        metadata: { ...object.metadata, uid: before.metadata.uid! },
      }) as never;
    },
    async delete(resource, key, { uid, resourceVersion }) {
      await travel();
      if (!of(resource).has(key)) return;
      const found = existing(resource, key, resourceVersion);
      if (found.metadata.uid !== uid) refuse(409, 'Conflict', 'the uid is another');
      remove(resource, key);
    },
  };

  return {
    api,
    all: (resource) => [...of(resource).values()] as never,
    get: (resource, key) => of(resource).get(key) as never,
    put: create,
    change(resource, key, change) {
      const before = existing(resource, key);
      const after = structuredClone(before) as Loose;
      change(after);
      return update(resource, before, after as KubeObject);
    },
    remove,
    version: () => version,
  };
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Loose = { ...(typeof target === 'object' && target !== null ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

const wire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
