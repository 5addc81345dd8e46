import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { HOST_ADDRESS, POD_RANGE } from './network.ts';
import { type ClusterProcess, startProcess, untilReady } from './process.ts';

const READY_MS = 30_000;
const HEALTH_PORT = 10_256;

export interface KubeProxyOptions {
  readonly program: string;
  readonly folder: string;
  readonly nodeName: string;
  readonly kubeconfig: string;
}

/** Starts what makes the addresses of Services lead to their pods. Its node must be there. */
export async function startKubeProxy(options: KubeProxyOptions): Promise<ClusterProcess> {
  const configuration = join(options.folder, 'kube-proxy.yaml');
  await writeFile(configuration, stringify(settings(options)));
  const started = await startProcess({
    program: options.program,
    args: [`--config=${configuration}`],
    logFile: join(options.folder, 'kube-proxy.log'),
  });
  const health = async () => (await fetch(`http://127.0.0.1:${HEALTH_PORT}/healthz`)).ok;
  await untilReady(started, health, READY_MS);
  return started;
}

function settings({ kubeconfig, nodeName }: KubeProxyOptions): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    hostnameOverride: nodeName,
    bindAddress: HOST_ADDRESS,
    healthzBindAddress: `127.0.0.1:${HEALTH_PORT}`,
    clusterCIDR: POD_RANGE,
    mode: 'nftables',
    // By default a new pod may be unknown to its Service for a second.
    nftables: { minSyncPeriod: '50ms' },
    // The size of the machine's table of connections is not for a namespace to set.
    conntrack: { maxPerCore: 0 },
  };
}
