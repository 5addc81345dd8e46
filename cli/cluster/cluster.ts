import { HoldfastError } from '../../base/errors.ts';
import { printable } from '../../base/text/printable.ts';
import type { KubeApi, Resource } from '../../operator/kube/api.ts';
import { createClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import { type ConnectionSource, loadKubeconfig, UnusableKubeconfig } from '../../operator/kube/kubeconfig.ts';
import { VERSION } from '../../providers/artifacts/producer.ts';
import type { Io } from '../io.ts';
import { type Asked, refusalOf } from './refusal.ts';

/** A namespace of a cluster, as the person who gave the command sees it. */
export interface Cluster extends Disposable {
  readonly api: KubeApi;
  readonly namespace: string;
  /** The cluster, for people: `the cluster kind-dev`. */
  readonly place: string;
  /**
   * Asks the API server.
   * @throws HF_CLUSTER_UNREACHABLE, HF_CLUSTER_CONFIG, HF_CLUSTER_UNAUTHORIZED, HF_CLUSTER_FORBIDDEN, HF_CLUSTER_REFUSED,
   *   HF_CLUSTER_CONFLICT, HF_NOT_INSTALLED, HF_INTERRUPTED
   */
  ask<T>(verb: Asked['verb'], resource: Resource, work: (api: KubeApi) => Promise<T>): Promise<T>;
  /** What an error of the API server means to a person. */
  refusal(verb: Asked['verb'], resource: Resource, error: unknown): unknown;
}

/** A DNS label, as the names of namespaces are. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Opens the way to a cluster, and says on stderr which one and which namespace it is.
 * @param namespace default: that of the context
 * @throws HF_CLUSTER_CONFIG, HF_USAGE for what is no name of a namespace
 */
export function openCluster(source: ConnectionSource, namespace: string | undefined, io: Io): Cluster {
  let where: { readonly cluster: string; readonly namespace: string };
  let api: ReturnType<typeof createClient>;
  try {
    where = placeOf(source);
    const person = { canAnswer: io.canAnswer === true, tell: (text: string) => void io.stderr.write(text) };
    api = createClient({
      ...source,
      environment: io.environment,
      person,
      clock: systemClock,
      userAgent: `holdfast/${VERSION}`,
    });
  } catch (cause) {
    if (!(cause instanceof UnusableKubeconfig)) throw cause;
    throw new HoldfastError('HF_CLUSTER_CONFIG', cause.message, { cause });
  }
  const inNamespace = namespace || where.namespace;
  if (!NAMESPACE.test(inNamespace)) {
    throw new HoldfastError('HF_USAGE', `${inNamespace} is no name of a namespace`);
  }
  const place = `the cluster ${where.cluster}`;
  io.stderr.write(`${printable(`in ${place}, namespace ${inNamespace}`)}\n`);
  const refusal: Cluster['refusal'] = (verb, resource, error) =>
    refusalOf(error, { verb, resource: resource.plural, namespace: inNamespace, place });
  return {
    api,
    namespace: inNamespace,
    place,
    async ask(verb, resource, work) {
      try {
        return await work(api);
      } catch (error) {
        if (io.signal.aborted) throw io.signal.reason;
        throw refusal(verb, resource, error);
      }
    },
    refusal,
    [Symbol.dispose]: () => api.close(),
  };
}

/** How a pod names the cluster that it is in. */
const OF_POD = 'that this pod is in';

function placeOf(source: ConnectionSource): { readonly cluster: string; readonly namespace: string } {
  const { context } = loadKubeconfig(source);
  const cluster = source.kubeconfig === undefined ? OF_POD : context.cluster;
  return { cluster, namespace: context.namespace || 'default' };
}
