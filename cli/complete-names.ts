import { RESOURCES } from '../operator/kube/api.ts';
import { contextsOf } from '../operator/kube/kubeconfig.ts';
import { openCluster } from './cluster/cluster.ts';
import { namesOf } from './cluster/find.ts';
import type { WhereOptions } from './cluster/where.ts';
import { whereOf } from './commands/where.ts';
import type { NameOf } from './completion.ts';
import type { Io } from './io.ts';
import { DEFAULT_DATA } from './local/data-folder.ts';

/** Longer nobody waits for a key. */
const MOST_MS = 2000;

const RESOURCE_OF = {
  program: RESOURCES.retentionPrograms,
  run: RESOURCES.retentionRuns,
  namespace: RESOURCES.namespaces,
} as const;

/**
 * Names of a cluster for whoever is typing one: none where they cannot be had, nobody may list them, or it takes longer than
 * `mostMs`; nothing is said of why, as that would land in the line that is typed. Nobody is asked to log in.
 * @param before words of the command line before the one begun
 */
export async function completeNames(
  of: NameOf,
  before: readonly string[],
  { environment, signal, ...io }: Io,
  mostMs = MOST_MS,
): Promise<readonly string[]> {
  const silent = { write: () => true };
  const either = AbortSignal.any([signal, AbortSignal.timeout(mostMs)]);
  const quiet: Io = { ...io, environment, stdout: silent, stderr: silent, signal: either, canAnswer: false };
  try {
    const options = placeIn(before);
    const cluster = of === 'context' ? true : options.cluster;
    const where = whereOf({ ...options, ...(cluster === undefined ? {} : { cluster }) }, quiet);
    if (where.in === 'data folder') return [];
    if (of === 'context') return contextsOf(where);
    using opened = openCluster(where, options.namespace, quiet);
    return (await namesOf(opened, RESOURCE_OF[of], either)) ?? [];
  } catch {
    return [];
  }
}

/** What the words say of where to look. */
function placeIn(before: readonly string[]): WhereOptions & { readonly data: string; readonly dataIsGiven: boolean } {
  const words = before.flatMap((word) => /^(--[a-z]+)=(.*)$/.exec(word)?.slice(1) ?? [word]);
  const after = (...flags: readonly string[]): string | undefined => {
    const index = words.findLastIndex((word) => flags.includes(word));
    return index < 0 ? undefined : words[index + 1];
  };
  const [namespace, context, kubeconfig] = [after('-n', '--namespace'), after('--context'), after('--kubeconfig')];
  const data = after('--data');
  return {
    data: data ?? DEFAULT_DATA,
    dataIsGiven: data !== undefined,
    ...(namespace === undefined ? {} : { namespace }),
    ...(context === undefined ? {} : { context }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(words.includes('--cluster') ? { cluster: true } : {}),
  };
}
