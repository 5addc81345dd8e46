import { type KubeObject, keyOf, type Resource } from '../kube/api.ts';
import type { EventReason } from '../kube/events.ts';
import type { StoredMetadata } from '../kube/objects.ts';

/** What is to be done to the cluster, as data. `operator/controllers/apply.ts` is the only place that does it. */
export type Action =
  /** POST. The name is the lock: that it is taken by an object with the same controller is success. */
  | { readonly do: 'create'; readonly resource: Resource; readonly object: KubeObject }
  /** Deletes this very object as it was looked at, and in the background what goes with it. */
  | { readonly do: 'delete'; readonly resource: Resource; readonly object: Stored }
  | {
      readonly do: 'patch';
      readonly resource: Resource;
      readonly object: Stored;
      readonly patch: { readonly metadata?: object; readonly spec?: object };
      /** Nothing rests on it, nor it on anything: that it is forbidden is no failure, and others may have changed it. */
      readonly optional?: boolean;
    }
  | {
      readonly do: 'event';
      readonly regarding: KubeObject;
      readonly reason: EventReason;
      readonly message: string;
      /** What makes it the same as one that was said before, where the message has parts that change. */
      readonly topic?: string;
    };

type Stored = KubeObject & { readonly metadata: StoredMetadata };

/**
 * How much of what is known is read past the caches, which may be late: nothing, the object itself, the program that it names
 * as well, or all of it, which is as much as a namespace has.
 */
export type Freshness = 'cached' | 'object' | 'program' | 'all';

export interface Decision<Status> {
  /** In order; a create that does not succeed ends them. */
  readonly actions: readonly Action[];
  /** The whole status as it should be once the actions are done. */
  readonly status: Status;
  /** When to look again though nothing has happened. */
  readonly requeueAt?: Date;
  /** What has to be as the API server has it, since this cannot be taken back. Default: the object, where anything is done. */
  readonly restsOn?: Freshness;
}

/** What trying to create objects has shown: part of the next snapshot. */
export interface Attempts {
  /** Names that an object which is not ours has. */
  readonly taken: ReadonlySet<string>;
  /** Objects that the API server refused, and why. */
  readonly refused: ReadonlyMap<string, { readonly status: number; readonly message: string }>;
}

export const NO_ATTEMPTS: Attempts = { taken: new Set(), refused: new Map() };

/** How attempts name an object. */
export function attemptKey(object: KubeObject): string {
  return `${object.kind} ${keyOf(object)}`;
}

/** The earlier of two instants, either of which may be absent. */
export function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
