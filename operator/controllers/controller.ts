import type { KubeApi, ObjectKey } from '../kube/api.ts';
import type { Clock } from '../kube/clock.ts';
import type { Recorder } from '../kube/events.ts';
import type { StageSettings } from '../settings/settings.ts';
import type { CacheChange, CacheName, Caches } from './caches.ts';
import type { Memory } from './memory.ts';

/** What a controller may touch. */
export interface ControllerContext {
  readonly api: KubeApi;
  /** What we know better than the caches do. */
  readonly newest: Memory['newest'];
  readonly whole: Memory['whole'];
  readonly hasMadeFor: Memory['hasMadeFor'];
  readonly inTurn: Memory['inTurn'];
  readonly caches: Caches;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly settings: StageSettings;
}

/** Keeps the objects of one kind as they should be. */
export interface Controller {
  readonly name: string;
  /** The cache that holds its objects. */
  readonly objects: CacheName;
  /** How many of its objects are worked on at once. */
  readonly workers: number;
  /** Keys of its objects that a change of another object concerns; its own changes concern each anyway. */
  concerned(change: CacheChange, caches: Caches): readonly ObjectKey[];
  /** Looks at one object and does what is to be done; resolves to when to look again though nothing has happened. */
  reconcile(key: ObjectKey, context: ControllerContext): Promise<Date | undefined>;
  /** Says on the object, which `reconcile` can make no sense of, that this is so, and why. */
  complain(key: ObjectKey, message: string, context: ControllerContext): Promise<void>;
}
