import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pipelines } from '../../contract/pipelines.ts';
import { type ApiRequest, apiRequest } from './api-request.ts';
import { CONTROL_PLANE, findBinaries } from './binaries.ts';
import { installDefinitions } from './crds.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { freePorts } from './ports.ts';
import { type ClusterProcess, startProcess, untilReady } from './process.ts';

const READY_MS = 60_000;

/** The API server would wait a minute for whoever still watches. */
const API_SERVER_GRACE_MS = 2_000;

export interface ControlPlaneOptions {
  /** Default: yes. Without it nothing makes pods of Jobs, collects garbage, or empties a deleted namespace. */
  readonly controllerManager?: boolean;
  /** Whether it has our kinds from the start; default: yes. */
  readonly definitions?: boolean;
  /** What our kinds say of pipelines, where it is not what the release says. */
  readonly pipelines?: Pipelines;
  /** Where the API server listens; default 127.0.0.1. */
  readonly bindAddress?: string;
  /** The address that pods reach it at; default 127.0.0.1. */
  readonly advertiseAddress?: string;
  /** Further flags; where one is given twice, the last counts. */
  readonly apiServerFlags?: readonly string[];
  readonly controllerManagerFlags?: readonly string[];
  /** Who may come in besides the administrator and the controllers. */
  readonly accounts?: readonly Account[];
  /** Where its folder is made; default the machine's folder for temporary files. */
  readonly parentFolder?: string;
}

/** A user whom the API server knows by a token. */
export interface Account {
  readonly user: string;
  readonly groups: readonly string[];
  readonly token: string;
}

/** A real API server over a real etcd, with our kinds in it unless told otherwise, reached on the loopback by default. */
export interface ControlPlane extends AsyncDisposable {
  readonly url: string;
  /** Path of a kubeconfig for an administrator. */
  readonly kubeconfig: string;
  /** The administrator's. */
  readonly token: string;
  /** Path of the certificate that the API server shows, which it signed itself. */
  readonly caFile: string;
  /** Everything of this control plane is in here, logs too. */
  readonly folder: string;
  readonly request: ApiRequest;
  readonly etcd: ClusterProcess;
  readonly apiServer: ClusterProcess;
  readonly controllerManager: ClusterProcess | undefined;
  /** Writes a kubeconfig with another token, such as a service account's, and resolves to its path. */
  kubeconfigFor(name: string, token: string): Promise<string>;
  /** Stops the API server and starts it again on the same port; watches break, nothing is forgotten. */
  restartApiServer(): Promise<void>;
  /** Forgets every revision but the newest: a watch from an older one is answered with 410. */
  compact(): Promise<void>;
  /** Ends every process, waits until each is gone, and removes the folder. */
  stop(): Promise<void>;
}

/**
 * @throws BinariesMissing where there is no way to the programs, Error with the end of a log when one does not start
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { bindAddress = '127.0.0.1', advertiseAddress = '127.0.0.1' } = options;
  const binaries = await findBinaries(CONTROL_PLANE);
  const folder = await mkdtemp(join(options.parentFolder ?? tmpdir(), 'holdfast-cluster-'));
  const running: ClusterProcess[] = [];
  let apiServer: ClusterProcess;
  const start = async (program: string, args: readonly string[], logFile = join(folder, `${program}.log`)) => {
    const started = await startProcess({ program: binaries[program as keyof typeof binaries], args, logFile });
    running.push(started);
    return started;
  };
  const stop = async () => {
    // In the reverse of the order they were started in, or each would complain about the one before.
    for (const started of running.reverse()) {
      await started.stop(started === apiServer ? API_SERVER_GRACE_MS : undefined);
    }
    // An operator that ends just now may still write what it has compiled.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    const [etcdPort, peerPort, apiPort, managerPort] = (await freePorts(4)) as [number, number, number, number];
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    const etcd = await start('etcd', [
      `--data-dir=${join(folder, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      '--log-level=warn',
    ]);

    const keys = await writeCredentials(folder, options.accounts ?? []);
    const url = `https://${advertiseAddress}:${apiPort}`;
    const apiServerArgs = [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${bindAddress}`,
      `--advertise-address=${advertiseAddress}`,
      `--secure-port=${apiPort}`,
      // It makes itself a certificate here, for these addresses and the names that pods know it by.
      `--cert-dir=${join(folder, 'certificates')}`,
      `--token-auth-file=${keys.tokens}`,
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${keys.serviceAccount}`,
      `--service-account-signing-key-file=${keys.serviceAccount}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--endpoint-reconciler-type=none',
      '--allow-privileged=true',
      ...(options.apiServerFlags ?? []),
    ];
    apiServer = await start('kube-apiserver', apiServerArgs);
    const caFile = join(folder, 'certificates', 'apiserver.crt');
    const ready = async () => {
      await untilReady(
        apiServer,
        async () => (await apiRequest({ url, token: keys.admin, caFile })('GET', '/readyz')).status === 200,
        READY_MS,
      );
    };
    await ready();
    const request = apiRequest({ url, token: keys.admin, caFile });
    // Before the controller manager, whose garbage collector looks for new kinds twice a minute only.
    if (options.definitions !== false) await installDefinitions(request, options.pipelines);

    const kubeconfigFor = (name: string, token: string) =>
      writeKubeconfig(join(folder, `${name}.kubeconfig`), { url, caFile, token, user: name });
    const controllerManager =
      options.controllerManager === false
        ? undefined
        : await start('kube-controller-manager', [
            `--kubeconfig=${await kubeconfigFor('controller-manager', keys.manager)}`,
            '--bind-address=127.0.0.1',
            `--secure-port=${managerPort}`,
            `--cert-dir=${join(folder, 'manager-certificates')}`,
            '--leader-elect=false',
            '--use-service-account-credentials=true',
            `--service-account-private-key-file=${keys.serviceAccount}`,
            `--root-ca-file=${caFile}`,
            ...(options.controllerManagerFlags ?? []),
          ]);
    if (controllerManager !== undefined) {
      await untilReady(controllerManager, () => defaultAccount(request), READY_MS);
    }

    return {
      url,
      kubeconfig: await kubeconfigFor('admin', keys.admin),
      token: keys.admin,
      caFile,
      folder,
      request,
      etcd,
      get apiServer() {
        return apiServer;
      },
      controllerManager,
      kubeconfigFor,
      async restartApiServer() {
        await apiServer.stop(API_SERVER_GRACE_MS);
        running.splice(running.indexOf(apiServer), 1);
        apiServer = await start('kube-apiserver', apiServerArgs);
        // After etcd, before the controller manager: the order of stopping.
        running.splice(1, 0, ...running.splice(-1));
        await ready();
      },
      compact: () => compact(etcdUrl),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A namespace takes pods once it has its service account: the sign that controllers run. */
async function defaultAccount(request: ApiRequest): Promise<boolean> {
  return (await request('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200;
}

interface Credentials {
  /** File with the key that signs service account tokens. */
  readonly serviceAccount: string;
  /** File that says whose token is whose. */
  readonly tokens: string;
  readonly admin: string;
  readonly manager: string;
}

async function writeCredentials(folder: string, accounts: readonly Account[]): Promise<Credentials> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const serviceAccount = join(folder, 'service-account.key');
  await writeFile(serviceAccount, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  const [admin, manager] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
  const tokens = join(folder, 'tokens.csv');
  const rows = [
    `${admin},admin,admin,system:masters`,
    `${manager},system:kube-controller-manager,system:kube-controller-manager`,
    ...accounts.map(({ token, user, groups }) => `${token},${user},${user},"${groups.join(',')}"`),
  ];
  await writeFile(tokens, `${rows.join('\n')}\n`, { mode: 0o600 });
  await mkdir(join(folder, 'certificates'));
  return { serviceAccount, tokens, admin, manager };
}

async function compact(etcdUrl: string): Promise<void> {
  const ask = async (path: string, body: object) => {
    const response = await fetch(etcdUrl + path, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { header: { revision: string } };
  };
  const { header } = await ask('/v3/kv/range', { key: Buffer.from('/').toString('base64'), limit: 1 });
  await ask('/v3/kv/compaction', { revision: header.revision, physical: true });
}
