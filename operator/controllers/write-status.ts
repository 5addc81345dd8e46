import { isDeepStrictEqual } from 'node:util';
import { type KubeApi, KubeError, type KubeObject, type Resource } from '../kube/api.ts';

/** Writes the status of an object, unless it is as it should be. */
export async function writeStatus(api: KubeApi, resource: Resource, object: KubeObject, status: object): Promise<void> {
  if (isDeepStrictEqual(onTheWire(object.status ?? {}), onTheWire(status))) return;
  try {
    await api.applyStatus(resource, { ...object, status });
  } catch (error) {
    // Deleted meanwhile: there is nothing left to say about it.
    if (error instanceof KubeError && error.status === 404) return;
    throw error;
  }
}

/** Without fields that are undefined. */
function onTheWire(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
