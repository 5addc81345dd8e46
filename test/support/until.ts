import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 150;
const PATIENCE_MS = 90_000;
const LONGEST_STATE = 3000;

/**
 * Looks again and again until what it sees holds, and resolves to that.
 * @throws Error with `what` and the last state that was seen
 */
export async function until<State>(
  what: string,
  look: () => Promise<State>,
  holds: (state: State) => boolean,
  patienceMs = PATIENCE_MS,
): Promise<State> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const state = await look();
    if (holds(state)) return state;
    if (Date.now() > deadline) {
      const last = (JSON.stringify(state, undefined, 1) ?? 'nothing').slice(0, LONGEST_STATE);
      throw new Error(`not within ${patienceMs / 1000} s: ${what}; the last that was seen:\n${last}`);
    }
    await pause(POLL_MS);
  }
}
