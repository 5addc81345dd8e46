import type { Pipelines } from '../../contract/pipelines.ts';
import type { KubeApi } from '../../operator/kube/api.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import type { History } from './history.ts';
import type { Rules } from './job-order.ts';
import type { Reference } from './picture.ts';
import type { Random } from './random.ts';
import type { openReplica, Replica } from './replica.ts';

/** A namespace in which one thing is to go wrong. */
export interface World {
  readonly plane: ControlPlane;
  readonly namespace: string;
  /** Reads and writes past every proxy. */
  readonly client: KubeApi;
  readonly random: Random;
  readonly history: History;
  readonly replicas: readonly Replica[];
  readonly signal: AbortSignal;
  /** What it is to come to; absent for the undisturbed run itself. */
  readonly reference: Reference | undefined;
  /** What must hold at every moment. */
  readonly rules: Rules;
  /** Events that are written once or not at all, depending on the moment. */
  readonly maySay: RegExp | undefined;
  readonly pipelines: Pipelines;
  /** Another seat of the operator, with nobody in it yet. */
  replica(name: string, open?: typeof openReplica): Promise<Replica>;
  /** Lets a successor lead at once: for when the one that holds the Lease is dead. */
  freeLease(): Promise<void>;
  /** Asks until there is an answer. Throws after some seconds, with the words. */
  until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
}
