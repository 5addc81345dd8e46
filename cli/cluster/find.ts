import { HoldfastError } from '../../base/errors.ts';
import { nearest } from '../../base/text/spelling.ts';
import { type KubeObject, RESOURCES, type Resource } from '../../operator/kube/api.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { pages } from '../../operator/kube/pages.ts';
import type { Cluster } from './cluster.ts';
import { isForbidden } from './refusal.ts';

/** More names than a person looks through. */
const MOST_NAMED = 20;

/** @throws HF_NOT_FOUND with the names that were perhaps meant, and as `Cluster.ask` */
export async function requireProgram(cluster: Cluster, name: string, signal: AbortSignal): Promise<ProgramObject> {
  const found = await findObject<ProgramObject>(cluster, RESOURCES.retentionPrograms, name, signal);
  return found ?? notFound(cluster, RESOURCES.retentionPrograms, name, signal);
}

/** @throws as `requireProgram` */
export async function requireRun(cluster: Cluster, name: string, signal: AbortSignal): Promise<RunObject> {
  const found = await findObject<RunObject>(cluster, RESOURCES.retentionRuns, name, signal);
  return found ?? notFound(cluster, RESOURCES.retentionRuns, name, signal);
}

/** What no object can be called is not asked for. */
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** @throws as `Cluster.ask` */
export async function findObject<T extends KubeObject>(
  cluster: Cluster,
  resource: Resource,
  name: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  if (!OBJECT_NAME.test(name)) return undefined;
  return cluster.ask('get', resource, (api) => api.get<T>(resource, `${cluster.namespace}/${name}`, signal));
}

/** @throws HF_NOT_FOUND, also where there is no such namespace; HF_NOT_INSTALLED where the cluster does not even know the kind */
export async function notFound(
  cluster: Cluster,
  resource: Resource,
  name: string,
  signal: AbortSignal,
): Promise<never> {
  const names = await namesOf(cluster, resource, signal);
  if (names === undefined || names.length === 0) await requireNamespace(cluster, signal);
  const kind = resource === RESOURCES.retentionRuns ? 'run' : 'program';
  throw new HoldfastError(
    'HF_NOT_FOUND',
    `there is no ${kind} ${name} in ${cluster.place}, namespace ${cluster.namespace}${those(kind, name, names)}`,
  );
}

/**
 * Whether there is a namespace is known to those alone who may read it; others learn nothing here.
 * @throws HF_NOT_FOUND with the one that was perhaps meant, and as `Cluster.ask`
 */
export async function requireNamespace(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const { namespaces } = RESOURCES;
  const { namespace, place } = cluster;
  try {
    const found = await cluster.ask('get', namespaces, (api) => api.get(namespaces, `/${namespace}`, signal));
    if (found !== undefined) return;
  } catch (error) {
    if (isForbidden(error)) return;
    throw error;
  }
  const meant = nearest(namespace, (await namesOf(cluster, namespaces, signal)) ?? []);
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  throw new HoldfastError('HF_NOT_FOUND', `there is no namespace ${namespace} in ${place}${hint}`);
}

/** Undefined where one may not list them. */
export async function namesOf(
  cluster: Cluster,
  resource: Resource,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const names: string[] = [];
  try {
    await cluster.ask('list', resource, async (api) => {
      const scope = { metadataOnly: true, ...(resource.namespaced ? { namespace: cluster.namespace } : {}) };
      for await (const { items } of pages(api, resource, scope, signal)) {
        names.push(...items.map(({ metadata }) => metadata.name));
      }
    });
    return names;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

function those(kind: string, name: string, names: readonly string[] | undefined): string {
  if (names === undefined) return '';
  if (names.length === 0) return `; there is no ${kind} at all: is it another namespace (-n) or context (--context)?`;
  const meant = nearest(name, names);
  if (meant !== undefined) return ` (did you mean ${meant}?)`;
  // The end of the alphabet is where the newest slots are.
  const shown = names.slice(-MOST_NAMED);
  const more = names.length - shown.length;
  return `; there are ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
