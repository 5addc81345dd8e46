import { delimiter, join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { isPlugin } from '../called-as.ts';
import type { Io } from '../io.ts';

/** What a person says of where a command is to look. */
export interface WhereOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  /** That it is the cluster of the kubeconfig's current context. */
  readonly cluster?: boolean;
}

/** What there is to choose from. */
export interface Surroundings {
  readonly environment: Io['environment'];
  /** Whether a data folder was named in the command. */
  readonly dataIsGiven: boolean;
  /** Whether there is state in the data folder, or in the Postgres of DATABASE_URL. */
  readonly hasState: boolean;
  readonly isFile: (path: string) => boolean;
}

export type Where =
  | { readonly in: 'data folder' }
  | {
      readonly in: 'cluster';
      /** Kubeconfigs to read as one; undefined: the service account of the pod that this runs in. */
      readonly kubeconfig: readonly string[] | undefined;
      readonly context: string | undefined;
    };

/** Whether a command itself says that it is about a cluster. */
export function saysCluster(
  { cluster, context, kubeconfig }: WhereOptions,
  from: Pick<Surroundings, 'environment'>,
): boolean {
  return cluster === true || context !== undefined || kubeconfig !== undefined || isPlugin(from);
}

/**
 * Where a command looks: the cluster when `kubectl holdfast`, `--context`, `--kubeconfig` or `--cluster` says so; else the
 * data folder where there is one; else the cluster of the kubeconfig's current context; else the data folder, which then says
 * that nothing is in it.
 * @throws HF_USAGE where the command names both, HF_CLUSTER_CONFIG where it names a cluster and there is no kubeconfig
 */
export function chooseWhere(options: WhereOptions, around: Surroundings): Where {
  const toCluster = saysCluster(options, around);
  if (toCluster && around.dataIsGiven) {
    throw new HoldfastError('HF_USAGE', 'give either --data or a cluster: a command looks in one place');
  }
  if (!toCluster && (around.dataIsGiven || around.hasState)) return { in: 'data folder' };
  const kubeconfig = kubeconfigs(options, around);
  if (kubeconfig !== undefined || inPod(around)) return { in: 'cluster', kubeconfig, context: options.context };
  if (!toCluster) return { in: 'data folder' };
  const [file] = homeConfig(around);
  throw new HoldfastError(
    'HF_CLUSTER_CONFIG',
    `there is no kubeconfig${file === undefined ? '' : ` in ${file}`}: give --kubeconfig FILE, or set KUBECONFIG`,
  );
}

/** As kubectl finds them: the flag names one, the variable a list, and else it is that of the home folder. */
function kubeconfigs({ kubeconfig }: WhereOptions, around: Surroundings): readonly string[] | undefined {
  if (kubeconfig !== undefined) return [kubeconfig];
  const listed = (around.environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) return listed;
  const home = homeConfig(around).filter(around.isFile);
  return home.length > 0 ? home : undefined;
}

function homeConfig({ environment }: Surroundings): readonly string[] {
  const home = environment['HOME'];
  return home === undefined || home === '' ? [] : [join(home, '.kube', 'config')];
}

const TOKEN_OF_POD = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function inPod({ environment, isFile }: Surroundings): boolean {
  return environment['KUBERNETES_SERVICE_HOST'] !== undefined && isFile(TOKEN_OF_POD);
}
