import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** One way in which things go wrong. */
export interface Point {
  readonly name: string;
  readonly scenario: Scenario;
  /** It disturbs the API server, and with it every namespace. */
  readonly alone?: boolean;
  /** Most of its time is waiting, such as for a lease to expire. */
  readonly long?: boolean;
  /**
   * Starts the operator, makes the fault happen, and takes it away again; from then on the world must come to its end.
   * @returns what else must hold at the end: a line for each thing that does not
   * @throws Absent when what the fault was to hit did not come
   */
  play(world: World): Promise<(() => readonly string[]) | undefined>;
}
