import { isDeepStrictEqual } from 'node:util';
import { type KubeApi, RESOURCES, type Resource } from '../../operator/kube/api.ts';
import { timeless } from '../support/timeless.ts';

/** The state of a namespace without what differs from one history to the next: uids, versions, times, its own name. */
export type Picture = Readonly<Record<string, unknown>>;

const KINDS = [RESOURCES.retentionPrograms, RESOURCES.retentionRuns, RESOURCES.jobs, RESOURCES.configMaps];

/** One object each, by kind and name, and a version of the whole that changes whenever anything does. */
export async function takePicture(
  api: KubeApi,
  namespace: string,
  kinds: readonly Resource[] = KINDS,
): Promise<{ readonly picture: Picture; readonly version: string }> {
  const lists = await Promise.all(kinds.map((resource) => api.list(resource, { namespace })));
  const objects = lists.flatMap(({ items }) => items);
  return {
    picture: Object.fromEntries(
      objects.map((object) => [`${object.kind} ${object.metadata.name}`, timeless(object, namespace)]),
    ),
    version: objects.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`).join(),
  };
}

/** Where two pictures differ, a line each; none when they are the same. */
export function differences(expected: Picture, found: Picture): readonly string[] {
  if (isDeepStrictEqual(expected, found)) return [];
  const [wanted, there] = [flat(expected), flat(found)];
  const paths = new Set([...wanted.keys(), ...there.keys()]);
  return [...paths]
    .filter((path) => wanted.get(path) !== there.get(path))
    .map((path) => `${path}: expected ${wanted.get(path) ?? 'nothing'}, found ${there.get(path) ?? 'nothing'}`);
}

function flat(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    return into.set(path, JSON.stringify(value));
  }
  for (const [key, inner] of Object.entries(value)) flat(inner, path === '' ? key : `${path}.${key}`, into);
  return into;
}

/** What the world is to come to. */
export interface Reference {
  readonly picture: Picture;
  /** Everything that was ever made, sorted. */
  readonly made: readonly string[];
  readonly events: readonly string[];
}
