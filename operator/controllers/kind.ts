import type { Decision, Freshness } from '../decide/action.ts';
import type { KubeObject, ObjectKey, Resource } from '../kube/api.ts';
import type { Store } from '../kube/store.ts';
import type { Applied } from './apply.ts';
import type { Context } from './context.ts';
import type { CacheChange, Caches } from './watched.ts';

/** What this reconcile has found out so far, for the next snapshot; what turned out to exist is not made again. */
export interface Known extends Applied {
  /** How it is to be gathered. */
  readonly freshness: Freshness;
}

/**
 * A kind of object that the operator keeps as it should be: what to know of one, and what to do about it. The rest is the
 * loop's (reconcile.ts).
 */
export interface Kind<
  Object extends KubeObject = KubeObject,
  Snapshot extends object = object,
  Status extends object = object,
> {
  /** In the log. */
  readonly name: string;
  readonly resource: Resource;
  /** How many of its objects are worked on at once. */
  readonly workers: number;
  /** The cache that holds its objects. */
  objects(caches: Caches): Store<Object>;
  /** Keys of its objects that a change of another object concerns; its own changes concern each anyway. */
  concerned(change: CacheChange, context: Pick<Context, 'caches' | 'pipelines' | 'room'>): readonly ObjectKey[];
  /** Objects that share a turn are reconciled one after the other. */
  turn?(object: Object): string;
  /** Everything that a decision rests on. */
  gather(object: Object, known: Known, context: Context): Promise<Snapshot>;
  /** The reconcile of an object is over, however it went; keys of its objects that may have what it has let go of. */
  leave?(object: Object, context: Context): readonly ObjectKey[];
  /** What is to be done, and what the status should be: pure. */
  decide(snapshot: Snapshot, now: Date): Decision<Status>;
  /** The status of an object that cannot be made sense of. */
  unreadable(object: Object, message: string, now: Date): Status;
  /** Whether nothing more happens to an object of this status, so that it need not be looked at again. */
  isOver?(status: Status): boolean;
}

/** Objects of a cache, but those of their kind that turned out to be there, or to be others, as they were found. */
export function withExisting<T extends KubeObject>(
  cached: readonly T[],
  { kind }: Resource,
  { existing }: Known,
): readonly T[] {
  const found = existing.filter((object) => object.kind === kind) as readonly KubeObject[] as readonly T[];
  return [...new Map([...cached, ...found].map((object) => [object.metadata.name, object])).values()];
}
