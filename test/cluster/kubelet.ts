import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { run } from './command.ts';
import { DNS_ADDRESS, HOST_ADDRESS } from './network.ts';
import { type ClusterProcess, startProcess, untilReady } from './process.ts';

const READY_MS = 60_000;
const HEALTH_PORT = 10_248;

export interface Kubelet {
  readonly process: ClusterProcess;
  /** Kills it, which leaves the node's pods running, and starts it again. */
  restart(): Promise<void>;
}

export interface KubeletOptions {
  readonly program: string;
  readonly folder: string;
  readonly nodeName: string;
  readonly kubeconfig: string;
  /** Of the container runtime. */
  readonly endpoint: string;
  /** Control group that the pods' are made in. */
  readonly controlGroup: string;
  /** Certificate that the API server shows when it asks for logs. */
  readonly clientCaFile: string;
}

export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  const configuration = join(folder, 'kubelet.yaml');
  await writeFile(configuration, stringify(settings(options)));
  const start = async () => {
    const started = await startProcess({
      program: options.program,
      args: [
        `--config=${configuration}`,
        `--kubeconfig=${options.kubeconfig}`,
        `--root-dir=${join(folder, 'root')}`,
        `--cert-dir=${join(folder, 'certificates')}`,
        `--hostname-override=${options.nodeName}`,
        `--node-ip=${HOST_ADDRESS}`,
      ],
      logFile: join(folder, 'kubelet.log'),
    });
    const health = async () => (await fetch(`http://127.0.0.1:${HEALTH_PORT}/healthz`)).ok;
    await untilReady(started, health, READY_MS);
    return started;
  };
  let running = await start();
  return {
    get process() {
      return running;
    },
    async restart() {
      running.signal('SIGKILL');
      await running.stop();
      running = await start();
    },
  };
}

function settings({ folder, endpoint, controlGroup, clientCaFile }: KubeletOptions): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: endpoint,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: clientCaFile } },
    authorization: { mode: 'Webhook' },
    healthzPort: HEALTH_PORT,
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: 'cluster.local',
    // Pods have no other names than the cluster's.
    resolvConf: '',
    podLogsDir: join(folder, 'pod-logs'),
    volumePluginDir: join(folder, 'volume-plugins'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: controlGroup,
    failCgroupV1: false,
    failSwapOn: false,
    // The machine is not the node's alone: how full it is says nothing about the tests.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    nodeStatusUpdateFrequency: '5s',
    registryPullQPS: 0,
  };
}

/** A key and a self-signed certificate with which the API server comes to the kubelet, as an administrator. */
export async function writeKubeletClient(folder: string): Promise<{ certificate: string; key: string }> {
  await mkdir(folder, { recursive: true });
  const [certificate, key] = [join(folder, 'kubelet-client.crt'), join(folder, 'kubelet-client.key')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/O=system:masters/CN=kubelet-client', '-addext', 'extendedKeyUsage=clientAuth'],
    ...['-keyout', key, '-out', certificate],
  ]);
  return { certificate, key };
}
