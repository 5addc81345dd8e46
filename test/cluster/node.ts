import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import type { Binaries } from './binaries.ts';
import { makeControlGroup } from './cgroups.ts';
import { type Containerd, startContainerd } from './containerd.ts';
import type { Account, ControlPlane } from './control-plane.ts';
import { startDns } from './dns.ts';
import { startKubeProxy } from './kube-proxy.ts';
import { type Kubelet, startKubelet } from './kubelet.ts';
import { writePodNetwork } from './network.ts';
import type { NODE_PROGRAMS } from './obstacle.ts';
import { startProcess, untilReady } from './process.ts';

export const NODE_NAME = 'holdfast-node';

const READY_MS = 60_000;

/** Who the parts of a node are to the API server. */
export interface NodeAccounts {
  readonly scheduler: Account;
  readonly proxy: Account;
  readonly kubelet: Account;
}

export function nodeAccounts(): NodeAccounts {
  const account = (user: string, ...groups: string[]) => ({ user, groups, token: randomBytes(24).toString('hex') });
  return {
    scheduler: account('system:kube-scheduler'),
    proxy: account('system:kube-proxy'),
    kubelet: account(`system:node:${NODE_NAME}`, 'system:nodes'),
  };
}

export interface Node {
  readonly containerd: Containerd;
  readonly kubelet: Kubelet;
}

export interface NodeOptions {
  readonly folder: string;
  readonly plane: ControlPlane;
  readonly accounts: NodeAccounts;
  readonly binaries: Binaries<(typeof NODE_PROGRAMS)[number]>;
  /** Name of the control group of its pods. */
  readonly controlGroup: string;
  /** Certificate that the API server shows to the kubelet. */
  readonly clientCaFile: string;
  /** Told of each part as soon as it runs. They are to be stopped in the reverse order. */
  readonly onStart: (part: { stop(): Promise<void> }) => void;
}

/** Starts all that a node is made of, and resolves when it takes pods. */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { folder, plane, accounts, binaries, onStart } = options;
  const networkFolder = join(folder, 'network');
  await mkdir(networkFolder);

  const containerd = await startContainerd(join(folder, 'containerd'), await writePodNetwork(networkFolder));
  onStart(containerd.process);
  onStart(await startDns({ program: binaries.coredns, folder, kubeconfig: plane.kubeconfig }));
  const scheduler = await plane.kubeconfigFor('kube-scheduler', accounts.scheduler.token);
  onStart(
    await startProcess({
      program: binaries['kube-scheduler'],
      args: [`--kubeconfig=${scheduler}`, '--leader-elect=false', '--bind-address=127.0.0.1'],
      logFile: join(folder, 'kube-scheduler.log'),
    }),
  );
  const kubelet = await startKubelet({
    program: binaries.kubelet,
    folder: join(folder, 'kubelet'),
    nodeName: NODE_NAME,
    kubeconfig: await plane.kubeconfigFor('kubelet', accounts.kubelet.token),
    endpoint: containerd.endpoint,
    controlGroup: await makeControlGroup(options.controlGroup),
    clientCaFile: options.clientCaFile,
  });
  onStart({ stop: () => kubelet.process.stop() });
  // It waits for its node.
  onStart(
    await startKubeProxy({
      program: binaries['kube-proxy'],
      folder,
      nodeName: NODE_NAME,
      kubeconfig: await plane.kubeconfigFor('kube-proxy', accounts.proxy.token),
    }),
  );
  await untilReady(kubelet.process, () => takesPods(plane.request), READY_MS);
  return { containerd, kubelet };
}

async function takesPods(request: ApiRequest): Promise<boolean> {
  const { body } = await request('GET', `/api/v1/nodes/${NODE_NAME}`);
  const ready = body.status?.conditions?.find((condition: { type: string }) => condition.type === 'Ready');
  return ready?.status === 'True' && (body.spec.taints ?? []).length === 0;
}

/** Whether the kubelet knows each pod that is to run on it: one that has just started asks for them first. */
export async function knowsItsPods(request: ApiRequest): Promise<boolean> {
  const known = await request('GET', `/api/v1/nodes/${NODE_NAME}/proxy/pods`);
  const phases = 'status.phase!=Succeeded,status.phase!=Failed';
  const selector = encodeURIComponent(`spec.nodeName=${NODE_NAME},${phases}`);
  const wanted = await request('GET', `/api/v1/pods?fieldSelector=${selector}`);
  const uids = (answer: ApiAnswer): string[] => (answer.body.items ?? []).map((pod: Pod) => pod.metadata.uid);
  return known.status === 200 && new Set(uids(wanted)).isSubsetOf(new Set(uids(known)));
}

interface Pod {
  readonly metadata: { readonly uid: string };
}
