import { type KubeApi, KubeError, type KubeObject } from '../../operator/kube/api.ts';
import type { Lease } from '../../operator/kube/lease.ts';

/** One Lease as an API server keeps it. Each candidate has a line of its own to it, which can be cut. */
export interface LeaseHolder {
  lease(): Lease | undefined;
  /** Every holder there has been, in order; empty for none. */
  readonly holders: readonly string[];
  readonly writes: () => number;
  /** Somebody else writes or deletes it. */
  set(lease: Lease | undefined): void;
  line(): LeaseLine;
}

export interface LeaseLine extends KubeApi {
  /**
   * `cut`: requests fail; `hang`: they are never answered; `deaf`: they arrive, and their answers are lost;
   * `refused`: answered with 500.
   */
  state: 'up' | 'cut' | 'hang' | 'deaf' | 'refused';
}

export function leaseHolder(): LeaseHolder {
  let lease: Lease | undefined;
  let version = 0;
  let writes = 0;
  const holders: string[] = [];

  function store(next: Lease): Lease {
    version += 1;
    writes += 1;
    lease = { ...next, metadata: { ...next.metadata, resourceVersion: String(version) } };
    const holder = next.spec?.holderIdentity ?? '';
    if (holders.at(-1) !== holder) {
      holders.push(holder);
    }
    return lease;
  }

  function line(): LeaseLine {
    const ask = <T>(signal: AbortSignal | undefined, answer: () => T): Promise<T> => {
      const unanswered = (): Promise<T> =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new KubeError(0, 'Aborted', 'given up')));
        });
      switch (api.state) {
        case 'cut':
          return Promise.reject(new KubeError(0, 'Unreachable', 'no route'));
        case 'refused':
          return Promise.reject(new KubeError(500, 'InternalError', 'etcd is away'));
        case 'hang':
          return unanswered();
        case 'deaf':
          answer();
          return unanswered();
        default:
          return new Promise((resolve) => resolve(answer()));
      }
    };
    const no = (): never => {
      throw new Error('An elector does not do this.');
    };
    const api: LeaseLine = {
      state: 'up',
      list: no,
      watch: no,
      applyStatus: no,
      patch: no,
      delete: no,
      get: <T extends KubeObject>(_: unknown, __: string, signal?: AbortSignal) =>
        ask(signal, () => lease as T | undefined),
      create: <T extends KubeObject>(_: unknown, object: T, signal?: AbortSignal) =>
        ask(signal, () => {
          if (lease !== undefined) {
            throw new KubeError(409, 'AlreadyExists', 'there is one');
          }
          return store(object as KubeObject as Lease) as KubeObject as T;
        }),
      replace: <T extends KubeObject>(_: unknown, object: T, signal?: AbortSignal) =>
        ask(signal, () => {
          if (lease === undefined) {
            throw new KubeError(404, 'NotFound', 'there is none');
          }
          if (object.metadata.resourceVersion !== lease.metadata.resourceVersion) {
            throw new KubeError(409, 'Conflict', 'it has changed');
          }
          return store(object as KubeObject as Lease) as KubeObject as T;
        }),
    };
    return api;
  }

  return {
    lease: () => lease,
    holders,
    writes: () => writes,
    set(next) {
      if (next === undefined) {
        lease = undefined;
      } else {
        store(next);
      }
    },
    line,
  };
}
