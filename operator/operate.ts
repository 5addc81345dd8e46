import { randomUUID } from 'node:crypto';
import { PIPELINES, type Pipelines } from '../contract/pipelines.ts';
import { ownersAtWork } from './controllers/at-work.ts';
import { startCaches } from './controllers/caches.ts';
import { KINDS } from './controllers/registry.ts';
import type { Predecessors } from './controllers/room.ts';
import { type Running, startKinds } from './controllers/start.ts';
import { WATCHED } from './controllers/watched.ts';
import { waitsForRoom } from './decide/run/room.ts';
import { type HealthServer, serveHealth } from './health.ts';
import { apiVersionOf, type KubeApi, KubeError, type OwnerReference, RESOURCES } from './kube/api.ts';
import type { Clock } from './kube/clock.ts';
import { createRecorder } from './kube/events.ts';
import { fence } from './kube/fence.ts';
import { type Elector, type LeaseTiming, startElector } from './kube/lease.ts';
import type { ReflectorTiming } from './kube/reflector.ts';
import { EVERY_NAMESPACE, type Settings } from './settings/settings.ts';

export interface OperatorOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: () => number;
  /** One line for the log. */
  readonly log: (line: string) => void;
  readonly leaseTiming?: Partial<LeaseTiming>;
  readonly watchTiming?: Partial<ReflectorTiming>;
  /** Ways to run a program. Default: those of this version. */
  readonly pipelines?: Pipelines;
}

export interface Operator {
  /** Port of health and metrics. */
  readonly port: number;
  leads(): boolean;
  /** Lets the syncs under way end, and lets go of the lease. */
  stop(): Promise<void>;
}

/** How long the API server has to say what is at work, and how long caches may be late with it. */
const PREDECESSORS_PATIENCE_MS = 5_000;
const CACHES_PATIENCE_MS = 60_000;

/** Watches from the start, so that taking over is quick; decides and writes only while it leads. */
export async function operate(api: KubeApi, options: OperatorOptions): Promise<Operator> {
  const { settings, clock, random, log, pipelines = PIPELINES } = options;
  const counts = { syncs: 0, failures: 0, terms: 0 };
  const { watchNamespaces } = settings;
  if (watchNamespaces.length === 0)
    log('watching no namespace: HOLDFAST_WATCH_NAMESPACES names none, so nothing is run');
  const namespaces = watchNamespaces.includes(EVERY_NAMESPACE) ? undefined : watchNamespaces;
  const caches = startCaches(api, WATCHED, {
    namespaces,
    clock,
    random,
    ...(options.watchTiming === undefined ? {} : { timing: options.watchTiming }),
    onError: (error) => log(`watch: ${describe(error)}`),
  });
  let elector: Elector | undefined;
  let running: Running | undefined;
  let stopping = false;
  // Whoever cannot see does not lead: another replica may be able to.
  const leading = caches.synced.then(
    async () => {
      log('watching');
      const owner = await leaseOwner(api, settings, log);
      if (!stopping) elector = elect(owner);
    },
    () => {},
  );

  const leads = () => elector?.leads() === true;
  const elect = (owner: OwnerReference | undefined) =>
    startElector(api, {
      clock,
      random,
      namespace: settings.namespace,
      name: settings.lease,
      identity: `${settings.instance}_${randomUUID()}`,
      owner,
      ...(options.leaseTiming === undefined ? {} : { timing: options.leaseTiming }),
      onLead: (signal) => {
        counts.terms += 1;
        log('leading');
        void lead(signal);
      },
      onError: (error) => log(`lease: ${describe(error)}`),
    });

  /** One term: until the signal comes, and the syncs under way have seen that they may write no more. */
  async function lead(signal: AbortSignal): Promise<void> {
    const predecessors = await findPredecessors(signal);
    if (signal.aborted || stopping) return;
    const fenced = fence(api, () => !signal.aborted && leads());
    const term = startKinds(KINDS, {
      api: fenced,
      caches,
      recorder: createRecorder(fenced, {
        clock,
        instance: settings.instance,
        onError: (error) => log(`event: ${describe(error)}`),
      }),
      clock,
      random,
      settings,
      pipelines,
      ...(predecessors === undefined ? {} : { predecessors }),
      onSync: () => {
        counts.syncs += 1;
      },
      onError: (kind, key, error) => {
        counts.failures += 1;
        if (!isRoutine(error)) log(`${kind} ${key}: ${describe(error)}`);
      },
    });
    running = term;
    const end = () => {
      log('no longer leading');
      void term.stop();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  }

  /** Undefined where the API server does not say soon: then the caches are all there is. */
  async function findPredecessors(signal: AbortSignal): Promise<Predecessors | undefined> {
    const asked = AbortSignal.any([signal, AbortSignal.timeout(PREDECESSORS_PATIENCE_MS)]);
    try {
      const atWork = await ownersAtWork(api, namespaces, asked);
      return { atWork, until: new Date(clock.now().getTime() + CACHES_PATIENCE_MS) };
    } catch (error) {
      log(`what is at work is taken from the caches alone: ${describe(error)}`);
      return undefined;
    }
  }

  const health: HealthServer = await serveHealth(settings.port, {
    missing: () => (elector === undefined ? caches.missing() : []),
    metrics: () => ({
      holdfast_operator_leading: leads() ? 1 : 0,
      holdfast_operator_terms_total: counts.terms,
      holdfast_operator_syncs_total: counts.syncs,
      holdfast_operator_sync_failures_total: counts.failures,
      holdfast_operator_queue_depth: running?.depth() ?? 0,
      holdfast_operator_watch_failures: caches.failures().length,
      holdfast_operator_programs: caches.programs.list().length,
      holdfast_operator_runs: caches.runs.list().length,
      holdfast_operator_runs_at_work: caches.runs.list().filter(({ status }) => status?.phase === 'Running').length,
      holdfast_operator_runs_waiting_for_capacity: caches.runs.list().filter(waitsForRoom).length,
      holdfast_operator_failed_runs: caches.runs.list().filter(({ status }) => status?.phase === 'Failed').length,
      process_resident_memory_bytes: process.memoryUsage.rss(),
    }),
  });

  return {
    port: health.port,
    leads,
    async stop() {
      stopping = true;
      // First the syncs, then the lease: whoever takes over finds nothing half done.
      await running?.stop();
      await elector?.stop();
      await caches.stop();
      await leading;
      await health.close();
    },
  };
}

/** The Deployment, with which the Lease goes: it was made by us, so whoever removes the release does not know of it. */
async function leaseOwner(
  api: KubeApi,
  { namespace, deployment }: Settings,
  log: (line: string) => void,
): Promise<OwnerReference | undefined> {
  if (deployment === undefined) return undefined;
  try {
    const found = await api.get(RESOURCES.deployments, `${namespace}/${deployment}`);
    if (found?.metadata.uid === undefined) throw new Error('there is none');
    const { apiVersion, kind } = { apiVersion: apiVersionOf(RESOURCES.deployments), kind: RESOURCES.deployments.kind };
    return { apiVersion, kind, name: deployment, uid: found.metadata.uid };
  } catch (error) {
    log(`the Lease will outlive the Deployment ${namespace}/${deployment}, which cannot be read: ${describe(error)}`);
    return undefined;
  }
}

/** What happens in the best of operators: somebody wrote in between, or we stopped leading. */
function isRoutine(error: unknown): boolean {
  return error instanceof KubeError && ['Conflict', 'NotLeading', 'Aborted'].includes(error.reason);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
