import { isActive } from '../decide/run/room.ts';
import { type KubeApi, RESOURCES } from '../kube/api.ts';
import type { JobObject } from '../kube/objects.ts';
import { pages } from '../kube/pages.ts';
import { MANAGED_SELECTOR } from '../objects/labels.ts';
import { ownersOf } from './watched.ts';

/**
 * The owners of Jobs that are under way, as the API server has them, as values of the index `owner`. A list or watch of a server whose cache lags
 * shows a process that has just begun to lead fewer, and it would give their places to others.
 * @param namespaces undefined for all
 * @throws KubeError
 */
export async function ownersAtWork(
  api: KubeApi,
  namespaces: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const owners = new Set<string>();
  for (const namespace of namespaces ?? [undefined]) {
    const scope = { labelSelector: MANAGED_SELECTOR, ...(namespace === undefined ? {} : { namespace }) };
    for await (const { items } of pages<JobObject>(api, RESOURCES.jobs, scope, signal)) {
      for (const owner of items.filter(isActive).flatMap(ownersOf)) owners.add(owner);
    }
  }
  return owners;
}
