import { hasPlace, nextInRoom, waitsForRoom } from '../decide/run/room.ts';
import { isFinal } from '../decide/run/snapshot.ts';
import { keyOf, type ObjectKey } from '../kube/api.ts';
import type { Clock } from '../kube/clock.ts';
import type { RunObject } from '../kube/objects.ts';
import type { OwnWrites } from './own-writes.ts';
import { type Caches, ownedBy, UNFINISHED } from './watched.ts';

/** The places of the runs that may be at work at once, of all programs together. */
export interface Room {
  /**
   * Whether the run has a place, which it keeps at least until it leaves. Without waiting for anything, so that of several
   * workers who ask at once no two get the last place.
   */
  take(run: RunObject): boolean;
  /** The run keeps what it took only if it is at work by now; keys of those who may have it otherwise. */
  leave(run: RunObject): readonly ObjectKey[];
  /** Keys of those that wait and are next, as many as there are places. */
  next(): readonly ObjectKey[];
}

/** Runs that had Jobs under way when this process began to lead, in truth: its caches may be late. */
export interface Predecessors {
  /** As values of the index `owner`. */
  readonly atWork: ReadonlySet<string>;
  /** Until when one that the caches have not heard of keeps its place. */
  readonly until: Date;
}

/**
 * @param most how many runs may be at work at once
 * @param predecessors undefined where nobody led before
 */
export function createRoom(
  most: number,
  caches: Pick<Caches, 'programs' | 'runs' | 'jobs' | 'isLost'>,
  { newest, hasMadeFor }: Pick<OwnWrites, 'newest' | 'hasMadeFor'>,
  clock: Pick<Clock, 'now'>,
  predecessors?: Predecessors,
): Room {
  const unheard = new Set(predecessors?.atWork);
  const reserved = new Set<string>();
  /** They had a place and could not begin. They try again by themselves, and nobody waits for them meanwhile. */
  const stumbled = new Set<string>();

  function isWorking(run: RunObject): boolean {
    const jobs = caches.jobs.byIndex('owner', ownedBy(run)).map((job) => newest(job));
    // Its first Job was made just now, and neither its status nor a watch says so yet.
    const hasJustBegun = run.status?.startTime === undefined && hasMadeFor(run.metadata.uid);
    return reserved.has(run.metadata.uid) || hasJustBegun || unheard.has(ownedBy(run)) || hasPlace(run, jobs);
  }

  /** Once the caches have a Job of a run, they say whether it is at work. */
  function hear(): void {
    const isLate = predecessors !== undefined && clock.now() >= predecessors.until;
    for (const owner of unheard) {
      if (isLate || caches.jobs.byIndex('owner', owner).length > 0) unheard.delete(owner);
    }
  }

  const isTaken = ({ metadata }: RunObject) => reserved.has(metadata.uid) || stumbled.has(metadata.uid);

  /** How many places are free for others than the run, and who waits for one. */
  function look(run?: RunObject) {
    const others = caches.runs
      .byIndex('state', UNFINISHED)
      .map((other) => newest(other))
      .filter((other) => !isFinal(other) && other.metadata.uid !== run?.metadata.uid)
      // Of a namespace that is gone nobody hears that its runs are, too.
      .filter(({ metadata }) => !caches.isLost(metadata.namespace));
    const working = others.filter(isWorking);
    const waiting = others.filter((other) => waitsForRoom(other) && !isTaken(other));
    // Of these not even the runs may be in the caches.
    const known = new Set([...working, ...(run === undefined ? [] : [run])].map(ownedBy));
    const unknown = [...unheard].filter((owner) => !known.has(owner)).length;
    return { free: most - working.length - unknown, waiting, working, others };
  }

  /** Those from which a run may come; from a program that is not as it should be none does. */
  function namespaces(): ReadonlySet<string> {
    const enabled = caches.programs.list().filter(({ spec }) => spec?.enabled);
    return new Set(enabled.map(({ metadata }) => metadata.namespace).filter((name) => !caches.isLost(name)));
  }

  function next(): readonly ObjectKey[] {
    hear();
    const { free, waiting, working, others } = look();
    const known = new Set(others.map(({ metadata }) => metadata.uid));
    for (const uid of stumbled) if (!known.has(uid)) stumbled.delete(uid);
    return nextInRoom(waiting, working, free, namespaces()).map(keyOf);
  }

  return {
    take(run) {
      hear();
      if (isWorking(run)) return true;
      stumbled.delete(run.metadata.uid);
      const { free, waiting, working } = look(run);
      if (!nextInRoom([...waiting, run], working, free, namespaces()).includes(run)) return false;
      reserved.add(run.metadata.uid);
      return true;
    },
    leave(run) {
      const { uid } = run.metadata;
      if (!reserved.delete(uid) || isWorking(run)) return [];
      stumbled.add(uid);
      return next();
    },
    next,
  };
}
