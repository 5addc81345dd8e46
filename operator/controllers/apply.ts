import { type Action, type Attempts, attemptKey, NO_ATTEMPTS } from '../decide/action.ts';
import { type KubeApi, KubeError, type KubeObject, keyOf, RESOURCES } from '../kube/api.ts';
import type { Recorder } from '../kube/events.ts';
import { type ConfigMapObject, controllerOf } from '../kube/objects.ts';

/** What came of the actions. */
export interface Applied extends Attempts {
  /** Objects as they are, of the same controller, that were there already or have changed since they were looked at. */
  readonly existing: readonly KubeObject[];
}

/**
 * Does what was decided, in order, and is the only place that does. It stops at an object that cannot be made, or is not
 * what it was taken for, since what follows rests on it.
 * @throws KubeError for what may go well another time
 */
export async function apply(actions: readonly Action[], api: KubeApi, recorder: Recorder): Promise<Applied> {
  const existing: KubeObject[] = [];
  for (const action of actions) {
    switch (action.do) {
      case 'create': {
        const obstacle = await create(action, api);
        if (obstacle === undefined) break;
        if ('existing' in obstacle) {
          existing.push(obstacle.existing);
          break;
        }
        return { existing, ...obstacle };
      }
      case 'delete':
      case 'patch': {
        const other = await change(action, api);
        if (other !== undefined) return { existing: [...existing, other], ...NO_ATTEMPTS };
        break;
      }
      case 'event':
        await recorder.record(action.regarding, action.reason, action.message, action.topic);
        break;
    }
  }
  return { existing, ...NO_ATTEMPTS };
}

async function create(
  { resource, object }: Extract<Action, { do: 'create' }>,
  api: KubeApi,
): Promise<{ readonly existing: KubeObject } | Attempts | undefined> {
  try {
    await api.create(resource, object);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.reason !== 'AlreadyExists') {
      if (error.status !== 422 && error.status !== 403) throw error;
      const refused = new Map([[attemptKey(object), { status: error.status, message: error.message }]]);
      return { taken: new Set(), refused };
    }
    const there = await api.get(resource, keyOf(object));
    // On its way out, or just gone: the next try will find the name free.
    if (there === undefined || there.metadata.deletionTimestamp !== undefined) throw error;
    return isOurs(there, object) ? { existing: there } : { taken: new Set([attemptKey(object)]), refused: new Map() };
  }
}

/**
 * A ConfigMap is ours only while it is equal: its name is part of a digest. Then it is as good as ours, too, when nobody owns
 * it any more, such as one orphaned with its program.
 */
function isOurs(there: ConfigMapObject, ours: ConfigMapObject): boolean {
  const sameController = controllerOf(there) === controllerOf(ours);
  if (ours.kind !== RESOURCES.configMaps.kind) return sameController;
  return (
    (sameController || (controllerOf(there) === undefined && there.immutable === true)) &&
    Object.entries(ours.data ?? {}).every(([key, value]) => there.data?.[key] === value)
  );
}

type Change = Extract<Action, { do: 'delete' | 'patch' }>;

/** Undefined once it is done, or there is nothing to do it to; the object as it is when it is no longer as it was looked at. */
async function change(action: Change, api: KubeApi): Promise<KubeObject | undefined> {
  const { resource, object } = action;
  const { uid, resourceVersion } = object.metadata;
  try {
    if (action.do === 'delete') {
      await api.delete(resource, keyOf(object), { uid, resourceVersion, propagationPolicy: 'Background' });
    } else {
      const { metadata, ...rest } = action.patch;
      // The uid keeps a patch from another object that has the name by now: the API server refuses to change a uid.
      const exactly = action.optional ? {} : { resourceVersion };
      await api.patch(resource, keyOf(object), { metadata: { ...metadata, uid }, ...rest }, exactly);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.status === 404) return undefined;
    if (action.do === 'patch' && action.optional && (error.status === 403 || error.status === 422)) return undefined;
    if (error.reason !== 'Conflict') throw error;
    const there = await api.get(resource, keyOf(object));
    return there?.metadata.uid === uid && controllerOf(there) === controllerOf(object) ? there : undefined;
  }
}
