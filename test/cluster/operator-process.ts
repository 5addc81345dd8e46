import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STAGE_SETTINGS } from '../support/program.ts';
import { type ClusterProcess, startProcess, untilReady } from './process.ts';

const MAIN = join(import.meta.dirname, '../../operator/main.ts');
const READY_MS = 30_000;

/** The operator as a process of its own: `node operator/main.ts`, configured by its environment. */
export interface OperatorProcess extends ClusterProcess {
  /** Port of /healthz, /readyz and /metrics on the loopback. */
  readonly port: number;
}

export interface OperatorProcessOptions {
  /** Path of a kubeconfig; it may point at a proxy. */
  readonly kubeconfig: string;
  /** The log goes to `<folder>/<name>.log`; an operator of the same name that is started later adds to it. */
  readonly folder: string;
  /** Name of the instance, as a pod's. */
  readonly name: string;
  /** The namespaces that it watches; none: all of them. */
  readonly namespaces: readonly string[];
  /** Where its Lease is. */
  readonly leaseNamespace: string;
  /** Path of another main program, such as the compiled one. */
  readonly main?: string;
  /** What it is given. */
  readonly args?: readonly string[];
  /** Folder in which Node keeps what it has compiled, for the next of the same program. */
  readonly compileCache?: string;
  /** How many runs may be at work at once. Default: as many as there are. */
  readonly maxRuns?: number | undefined;
}

/**
 * Starts the operator and resolves when it listens; it need not lead yet.
 * @throws Error with the end of its log when it does not start
 */
export async function startOperator(options: OperatorProcessOptions): Promise<OperatorProcess> {
  const {
    kubeconfig,
    folder,
    name,
    namespaces,
    leaseNamespace,
    main = MAIN,
    args = [],
    compileCache,
    maxRuns,
  } = options;
  const { image, postgresSecret, artifactsClaim, filesFolder, startJitterSeconds } = STAGE_SETTINGS;
  await mkdir(folder, { recursive: true });
  const logFile = join(folder, `${name}.log`);
  const said = (await readFile(logFile, 'utf8').catch(() => '')).length;
  const started = await startProcess({
    program: process.execPath,
    args: [main, ...args],
    logFile,
    environment: {
      KUBECONFIG: kubeconfig,
      POD_NAME: name,
      POD_NAMESPACE: leaseNamespace,
      HOLDFAST_WATCH_NAMESPACES: namespaces.join(','),
      HOLDFAST_IMAGE: image,
      HOLDFAST_POSTGRES_SECRET: `${postgresSecret?.name ?? ''}/${postgresSecret?.key ?? ''}`,
      HOLDFAST_ARTIFACTS_CLAIM: artifactsClaim ?? '',
      HOLDFAST_FILES: filesFolder,
      HOLDFAST_MAX_RUNS: String(maxRuns ?? STAGE_SETTINGS.maxRuns),
      HOLDFAST_START_JITTER_SECONDS: String(startJitterSeconds),
      // Any free one: it says which.
      HOLDFAST_PORT: '0',
      ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
    },
  });
  let port = 0;
  try {
    await untilReady(
      started,
      async () => {
        const log = (await readFile(logFile, 'utf8')).slice(said);
        port = Number(/listening on port (\d+)/.exec(log)?.[1] ?? 0);
        return port > 0;
      },
      READY_MS,
    );
  } catch (error) {
    await started.stop();
    throw error;
  }
  return {
    name,
    pid: started.pid,
    logFile,
    port,
    get ended() {
      return started.ended;
    },
    signal: started.signal,
    stop: started.stop,
  };
}
