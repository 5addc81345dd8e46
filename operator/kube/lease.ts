import { apiVersionOf, type KubeApi, KubeError, type KubeObject, type OwnerReference, RESOURCES } from './api.ts';
import { type Clock, pause } from './clock.ts';

/** coordination.k8s.io/v1; times are RFC 3339 with microseconds. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface LeaseTiming {
  /** Others wait this long after the last renewal that they saw. */
  readonly durationMs: number;
  readonly renewMs: number;
  /** A leader that could not renew for so long, counted from when it asked, stops; shorter than the duration. */
  readonly giveUpMs: number;
  /** How often one that does not lead looks. */
  readonly lookMs: number;
}

const TIMING: LeaseTiming = { durationMs: 10_000, renewMs: 4_000, giveUpMs: 8_000, lookMs: 1_500 };

/** Time limit of one request, and wait after one that failed: two renewals fit in a term that could not be renewed. */
const REQUEST_MS = 2_500;
const RETRY_MS = 500;

export interface ElectorOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Unique per process, not only per pod: a restarted container is another candidate. */
  readonly identity: string;
  /** With whom the Lease goes when it is removed. */
  readonly owner?: OwnerReference | undefined;
  readonly timing?: Partial<LeaseTiming>;
  /** We lead; the signal is aborted when we no longer do. */
  readonly onLead: (signal: AbortSignal) => void;
  readonly onError?: (error: unknown) => void;
}

export interface Elector {
  /** Whether we lead at this very moment, by the clock and not by a timer that may be late. */
  leads(): boolean;
  /** Who leads, as far as we have seen. */
  holder(): string | undefined;
  /** Stops leading, then lets go of the Lease so that another need not wait for it to expire. */
  stop(): Promise<void>;
}

/**
 * Takes part in the election of one leader by a Lease. Clocks of machines are never compared: a lease has expired when
 * it has not changed for its whole duration by our own clock (as client-go's leaderelection does).
 */
export function startElector(api: KubeApi, options: ElectorOptions): Elector {
  const { clock, random, namespace, name, identity, owner } = options;
  const timing = { ...TIMING, ...options.timing };
  const stopping = new AbortController();

  let seen: Lease | undefined;
  /** When `seen` last changed, by `clock.elapsed()`. */
  let seenAt = 0;
  /** Until when we lead, by `clock.elapsed()`. */
  let leadsUntil = Number.NEGATIVE_INFINITY;
  let term: AbortController | undefined;
  let cancelEnd = (): void => {};
  /** What we saw last may not be what is there. */
  let doubt = false;

  const spread = (): number => 0.8 + 0.4 * random();

  function report(error: unknown): void {
    try {
      options.onError?.(error);
    } catch {
      // An error in reporting an error must not end the election.
    }
  }

  function leads(): boolean {
    return term !== undefined && clock.elapsed() < leadsUntil;
  }

  function endTerm(): void {
    cancelEnd();
    const ended = term;
    term = undefined;
    ended?.abort();
  }

  function observe(lease: Lease | undefined): void {
    if (seen === undefined || seen.metadata.resourceVersion !== lease?.metadata.resourceVersion) {
      seenAt = clock.elapsed();
    }
    seen = lease;
  }

  /** Milliseconds until somebody else's lease expires; 0 when it is free. */
  function heldFor(lease: Lease): number {
    const holder = lease.spec?.holderIdentity;
    if (holder === undefined || holder === '') {
      return 0;
    }
    const duration = (lease.spec?.leaseDurationSeconds ?? timing.durationMs / 1000) * 1000;
    return Math.max(0, seenAt + duration - clock.elapsed());
  }

  function desired(previous: Lease | undefined): Lease {
    const now = microseconds(clock.now());
    const ours = previous?.spec?.holderIdentity === identity;
    const transitions = previous?.spec?.leaseTransitions ?? 0;
    return {
      apiVersion: apiVersionOf(RESOURCES.leases),
      kind: RESOURCES.leases.kind,
      metadata: { name, namespace, ...previous?.metadata, ...(owner && { ownerReferences: [owner] }) },
      spec: {
        ...previous?.spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.round(timing.durationMs / 1000),
        acquireTime: ours ? (previous?.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: previous === undefined || ours ? transitions : transitions + 1,
      },
    };
  }

  /** A request that hangs must leave time for another before the term ends. */
  async function within<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const cancel = clock.setTimeout(() => late.abort(), REQUEST_MS);
    try {
      return await request(late.signal);
    } finally {
      cancel();
    }
  }

  const read = (signal: AbortSignal): Promise<Lease | undefined> =>
    api.get<Lease>(RESOURCES.leases, `${namespace}/${name}`, signal);

  /** Writes our claim over what we saw; the resource version makes sure that nobody wrote in between. */
  async function claim(): Promise<void> {
    const asked = clock.elapsed();
    const lease = desired(seen);
    observe(
      await within((signal) =>
        seen === undefined
          ? api.create<Lease>(RESOURCES.leases, lease, signal)
          : api.replace<Lease>(RESOURCES.leases, lease, signal),
      ),
    );
    leadsUntil = asked + timing.giveUpMs;
    const left = leadsUntil - clock.elapsed();
    if (left <= 0 || stopping.signal.aborted) {
      return;
    }
    cancelEnd();
    cancelEnd = clock.setTimeout(endTerm, left);
    if (term === undefined) {
      term = new AbortController();
      options.onLead(term.signal);
    }
  }

  /** One look, one renewal or both; returns how long to wait for the next. */
  async function step(): Promise<number> {
    if (!leads()) {
      endTerm();
    }
    if (term === undefined || doubt) {
      observe(await within((signal) => read(AbortSignal.any([signal, stopping.signal]))));
      doubt = false;
      if (seen !== undefined && seen.spec?.holderIdentity !== identity) {
        endTerm();
        const left = heldFor(seen);
        if (left > 0) {
          return Math.min(left, timing.lookMs * spread());
        }
      }
    }
    await claim();
    return timing.renewMs;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let wait: number;
      try {
        wait = await step();
      } catch (error) {
        doubt = true;
        const faster = error instanceof KubeError && error.status === 409;
        // Somebody wrote in between; it may have been an earlier request of ours that seemed lost. Look at once.
        wait = term !== undefined && faster ? 0 : RETRY_MS * spread();
        // Of several that wait for a lease one gets it: nothing to report for the others.
        if (term !== undefined || !faster) report(error);
      }
      await pause(clock, wait, stopping.signal);
    }
  }

  async function release(): Promise<void> {
    try {
      const lease = await within(read);
      if (lease?.spec?.holderIdentity !== identity) {
        return;
      }
      const { holderIdentity: _, ...spec } = lease.spec;
      const free = { ...lease, spec: { ...spec, leaseDurationSeconds: 1, renewTime: microseconds(clock.now()) } };
      await within((signal) => api.replace<Lease>(RESOURCES.leases, free, signal));
    } catch (error) {
      // It expires by itself.
      report(error);
    }
  }

  const running = run();
  return {
    leads,
    holder: () => seen?.spec?.holderIdentity || undefined,
    async stop() {
      endTerm();
      stopping.abort();
      await running;
      await release();
    },
  };
}

/** metav1.MicroTime: RFC 3339 in UTC with six digits of a second. */
export function microseconds(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
