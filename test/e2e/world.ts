import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltImage } from '../cluster/image.ts';
import type { Cluster } from '../cluster/one-node.ts';
import { keepLogs, type OperatorLogs } from './operator-logs.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Where the operator is installed. */
export const SYSTEM = 'holdfast-system';
export const RELEASE = 'holdfast';

/** What all scenarios share. */
export interface World {
  readonly cluster: Cluster;
  readonly image: BuiltImage;
  readonly postgres: PostgresServer;
  readonly operatorLogs: OperatorLogs;
  /** Lines for whoever reads along. */
  show(text: string): void;
  /** Gives the API server objects as `kubectl apply` does; those that name no namespace go to `namespace`. */
  apply(namespace: string, ...objects: object[]): Promise<void>;
  /** GET; undefined for what is not there. */
  // biome-ignore lint: whatever the API server says.
  get(path: string): Promise<any>;
}

export async function openWorld(cluster: Cluster, image: BuiltImage, show: World['show']): Promise<World> {
  await cluster.importImage(image.archive);
  await makeNamespace(cluster, SYSTEM);
  let files = 0;
  const get: World['get'] = async (path) => {
    const { status, body } = await cluster.plane.request('GET', path);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  return {
    cluster,
    image,
    postgres: await startPostgres(join(cluster.folder, 'postgres'), cluster.hostAddress),
    operatorLogs: keepLogs(cluster, SYSTEM),
    show,
    async apply(namespace, ...objects) {
      files += 1;
      const file = join(cluster.folder, `applied-${files}.json`);
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
      await cluster.kubectl('apply', '--namespace', namespace, '-f', file);
    },
    get,
  };
}

/** Pods in it must be restricted as much as Kubernetes knows how to. */
export async function makeNamespace({ kubectl }: Pick<Cluster, 'kubectl'>, name: string): Promise<void> {
  await kubectl('create', 'namespace', name);
  await restrict({ kubectl }, name);
}

/** From now on; the pods that are there stay. */
export async function restrict({ kubectl }: Pick<Cluster, 'kubectl'>, namespace: string): Promise<void> {
  await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
}

/** `helm upgrade --install` of the chart; resolves once its replicas are ready. */
export async function install({ cluster, image }: World, release: string, values: object): Promise<void> {
  const [repository, tag] = image.reference.split(/:(?=[^/]*$)/);
  const file = join(cluster.folder, `${release}-values.json`);
  await writeFile(file, JSON.stringify({ image: { repository, tag }, ...values }));
  const chart = join(ROOT, 'charts', 'holdfast');
  await cluster.helm('upgrade', '--install', release, chart, '--namespace', SYSTEM, '--values', file);
  await cluster.kubectl('rollout', 'status', `deployment/${release}`, '--namespace', SYSTEM, '--timeout=120s');
}
