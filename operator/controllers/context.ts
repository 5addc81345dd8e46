import type { Pipelines } from '../../contract/pipelines.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../kube/clock.ts';
import type { Recorder } from '../kube/events.ts';
import type { StageSettings } from '../settings/settings.ts';
import { type OwnWrites, trackOwnWrites } from './own-writes.ts';
import { createReadOnce, type ReadOnce } from './read-once.ts';
import { createRoom, type Predecessors, type Room } from './room.ts';
import { createTurns, type Turns } from './turns.ts';
import type { Caches } from './watched.ts';

/** What a process brings along to reconcile objects. */
export interface ContextOptions {
  readonly api: KubeApi;
  readonly caches: Caches;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly settings: StageSettings;
  /** What is known of ways to run a program. */
  readonly pipelines: Pipelines;
  /** Runs that were at work before; undefined where nobody led before. */
  readonly predecessors?: Predecessors;
}

/** What a reconcile may touch: shared by all kinds for as long as this process leads. */
export interface Context extends ContextOptions, OwnWrites {
  readonly readOnce: ReadOnce;
  readonly inTurn: Turns;
  readonly room: Room;
}

/** A new one for each term: what another leader wrote meanwhile is newer than what we wrote before. */
export function openContext(options: ContextOptions): Context {
  const writes = trackOwnWrites(options.api);
  const room = createRoom(options.settings.maxRuns, options.caches, writes, options.clock, options.predecessors);
  return { ...options, ...writes, readOnce: createReadOnce(), inTurn: createTurns(), room };
}
