import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findBinaries } from './binaries.ts';
import { run } from './command.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { writeKubeletClient } from './kubelet.ts';
import { tryLock } from './lock.ts';
import { HOST_ADDRESS } from './network.ts';
import { knowsItsPods, NODE_NAME, nodeAccounts, startNode } from './node.ts';
import { controlGroupOf, removeNodeRemains } from './node-remains.ts';
import { NODE_PROGRAMS } from './obstacle.ts';
import { untilReady } from './process.ts';

const RESTART_MS = 60_000;

/** A whole cluster with one node, in the namespaces that enter.ts makes. */
export interface Cluster extends AsyncDisposable {
  readonly plane: ControlPlane;
  /** Everything of the cluster is in here, logs too. */
  readonly folder: string;
  readonly nodeName: string;
  /** Pods reach at it what runs beside the cluster, such as Postgres. */
  readonly hostAddress: string;
  /** As an administrator; resolves to its output. */
  kubectl(...args: string[]): Promise<string>;
  /** As an administrator; resolves to its output. */
  helm(...args: string[]): Promise<string>;
  /** Gives the node the images of an OCI archive, under the names in it. */
  importImage(ociArchive: string): Promise<void>;
  /** The node agent is killed and started again; pods go on. Resolves when it knows them. */
  restartKubelet(): Promise<void>;
  /** Nothing is left: processes, mounts, interfaces, control groups, files. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster that takes pods, with Services, names and logs, and without our kinds: the chart brings them. There
 * is one at a time in the namespaces of an enter.ts; what an earlier one left there is removed first.
 * @throws Error outside of such namespaces, or with the end of a log when a part does not start
 */
export async function startCluster(): Promise<Cluster> {
  const runFolder = process.env['HOLDFAST_NAMESPACE_FOLDER'];
  if (runFolder === undefined) throw new Error('a cluster starts only under `node test/cluster/enter.ts COMMAND…`');
  const binaries = await findBinaries(NODE_PROGRAMS);
  const only = tryLock(join(runFolder, 'cluster.lock'));
  if (only === undefined) throw new Error('there is a cluster in these namespaces');

  const folder = join(runFolder, 'cluster');
  const running: { stop(): Promise<void> }[] = [];
  const remove = async () => {
    // The API server goes last, because the others would wait for it; the node agent before the containers, because it
    // would start them anew.
    const [plane, ...parts] = running;
    for (const part of parts.reverse()) await part.stop();
    await removeNodeRemains(runFolder);
    await plane?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= remove().finally(() => only[Symbol.dispose]()));

  try {
    await remove();
    await mkdir(folder);
    const accounts = nodeAccounts();
    const client = await writeKubeletClient(folder);
    const plane = await startControlPlane({
      parentFolder: folder,
      definitions: false,
      bindAddress: '0.0.0.0',
      advertiseAddress: HOST_ADDRESS,
      accounts: Object.values(accounts),
      apiServerFlags: [
        // Pods reach it through a Service.
        '--endpoint-reconciler-type=master-count',
        '--enable-admission-plugins=NodeRestriction',
        `--kubelet-client-certificate=${client.certificate}`,
        `--kubelet-client-key=${client.key}`,
        '--kubelet-preferred-address-types=InternalIP',
      ],
      controllerManagerFlags: ['--node-monitor-period=1s'],
    });
    running.push(plane);
    const { containerd, kubelet } = await startNode({
      folder,
      plane,
      accounts,
      binaries,
      controlGroup: controlGroupOf(runFolder),
      clientCaFile: client.certificate,
      onStart: (part) => running.push(part),
    });
    const environment = { KUBECONFIG: plane.kubeconfig, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder };
    return {
      plane,
      folder,
      nodeName: NODE_NAME,
      hostAddress: HOST_ADDRESS,
      kubectl: (...args) => run(binaries.kubectl, args, environment),
      helm: (...args) => run(binaries.helm, args, environment),
      importImage: containerd.importImage,
      async restartKubelet() {
        await kubelet.restart();
        await untilReady(kubelet.process, () => knowsItsPods(plane.request), RESTART_MS);
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    try {
      await stop();
    } catch (cause) {
      throw new AggregateError([error, cause], 'a cluster did not start, nor did what there was of it end', { cause });
    }
    throw error;
  }
}

/** node test/cluster/enter.ts node test/cluster/one-node.ts: a cluster for people, until Ctrl-C. */
if (import.meta.main) {
  const interrupted = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  await using cluster = await startCluster();
  const { kubectl, helm } = await findBinaries(['kubectl', 'helm']);
  const folders = [...new Set([dirname(kubectl), dirname(helm)])].join(':');
  console.log(`A cluster with one node runs until Ctrl-C. A shell with kubectl and helm for it, as root:

  nsenter --target ${process.env['HOLDFAST_NAMESPACE_PID']} --net \\
    env KUBECONFIG=${cluster.plane.kubeconfig} PATH=${folders}:$PATH bash
`);
  await interrupted;
}
