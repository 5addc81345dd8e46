import { join } from 'node:path';
import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { writeKubeconfig } from '../cluster/kubeconfig.ts';
import { operatorMetrics } from '../cluster/operator-metrics.ts';
import { type OperatorProcess, startOperator } from '../cluster/operator-process.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { TABLES } from './scenarios/pipelines.ts';

/** One seat of the operator: a process, its successors after it was killed, and the proxy that all of them go through. */
export interface Replica {
  readonly name: string;
  readonly proxy: Proxy;
  /** Starts a process; resolves when it listens. */
  start(): Promise<void>;
  /** Ends the process at once, as SIGKILL does, and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends the process as a node does that is drained. */
  stop(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  readonly alive: boolean;
  /** The numbers of /metrics; undefined when the process does not answer. */
  metrics(): Promise<Readonly<Record<string, number>> | undefined>;
  /** Ends the process and the proxy. */
  close(): Promise<void>;
}

export interface ReplicaOptions {
  readonly plane: ControlPlane;
  readonly namespace: string;
  readonly folder: string;
  readonly name: string;
  /** How many runs may be at work at once, where it is not as many as there are. */
  readonly maxRuns: number | undefined;
  /** Those of the release, or a table that has a name. */
  readonly pipelines: Pipelines;
}

const MAIN_WITH_TABLE = join(import.meta.dirname, 'operator-main.ts');

const METRICS_MS = 500;

/** A proxy, and the kubeconfig that leads to it. */
export async function openSeat({
  plane,
  folder,
  name,
}: ReplicaOptions): Promise<{ readonly proxy: Proxy; readonly kubeconfig: string }> {
  const proxy = await startProxy(plane);
  const { caFile, token } = plane;
  const file = join(folder, `${name}.kubeconfig`);
  return { proxy, kubeconfig: await writeKubeconfig(file, { url: proxy.url, caFile, token, user: name }) };
}

export async function openReplica(options: ReplicaOptions): Promise<Replica> {
  const { plane, namespace, folder, name, maxRuns, pipelines } = options;
  const { proxy, kubeconfig } = await openSeat(options);
  let current: OperatorProcess | undefined;
  const alive = (): boolean => current !== undefined && !current.ended;
  return {
    name,
    proxy,
    async start() {
      if (alive()) throw new Error(`${name} runs already.`);
      current = await startOperator({
        kubeconfig,
        folder,
        name,
        namespaces: [namespace],
        leaseNamespace: namespace,
        ...(pipelines === PIPELINES ? {} : { main: MAIN_WITH_TABLE, args: [nameOfTable(pipelines)] }),
        compileCache: join(plane.folder, 'compiled'),
        maxRuns,
      });
    },
    async kill() {
      current?.signal('SIGKILL');
      await current?.stop();
    },
    async stop() {
      await current?.stop();
    },
    signal: (signal) => current?.signal(signal),
    get alive() {
      return alive();
    },
    metrics: async () => (current === undefined || !alive() ? undefined : await metricsAt(current.port)),
    async close() {
      current?.signal('SIGKILL');
      await current?.stop();
      await proxy.stop();
    },
  };
}

function nameOfTable(pipelines: Pipelines): string {
  const [name] = [...TABLES].find(([, table]) => table === pipelines) ?? [];
  if (name === undefined) throw new Error('The table has no name.');
  return name;
}

/** Undefined when nobody answers soon. */
export async function metricsAt(port: number): Promise<Readonly<Record<string, number>> | undefined> {
  return await operatorMetrics(port, AbortSignal.timeout(METRICS_MS)).catch(() => undefined);
}
