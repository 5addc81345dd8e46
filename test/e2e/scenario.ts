import type { World } from './world.ts';

/** A fact about the program on a real cluster. */
export interface Scenario {
  /** The fact, as a sentence. */
  readonly name: string;
  /** Whether others rest on it, so that it is never left out. */
  readonly always?: boolean;
  /** Rejects when it is not one. */
  run(world: World): Promise<void>;
}
