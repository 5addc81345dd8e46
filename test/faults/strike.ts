import { settle } from './converge.ts';
import type { World } from './world.ts';

/** The run came to its end, and what the fault was to hit never came. */
export class Absent extends Error {}

/**
 * Waits for the fault to happen.
 * @throws Absent when everything is over and it has not
 */
export async function struck<T>(world: World, what: string, happens: Promise<T>): Promise<T> {
  const looking = new AbortController();
  const over = settle(world, looking.signal).then((wrong): never => {
    throw wrong === undefined ? new Absent(what) : new Error(`${what} did not come: ${wrong}`);
  });
  over.catch(() => {});
  try {
    return await Promise.race([happens, over]);
  } finally {
    looking.abort();
  }
}
