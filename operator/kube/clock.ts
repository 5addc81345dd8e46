/** Time as an argument: what the operator asks of a clock, so that a test can turn its hands. */
export interface Clock {
  /** Wall-clock time: for what people and other machines read. */
  now(): Date;
  /** Milliseconds of a clock that never goes back: for how long something has taken. */
  elapsed(): number;
  /** Calls back once, after so many milliseconds, unless the function that it returns was called before. */
  setTimeout(callback: () => void, milliseconds: number): () => void;
}

/** Longest delay that a timer of Node takes; anything above fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => new Date(),
  elapsed: () => performance.now(),
  setTimeout(callback, milliseconds) {
    const due = performance.now() + milliseconds;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = due - performance.now();
      timer = left > LONGEST_TIMER_MS ? setTimeout(arm, LONGEST_TIMER_MS) : setTimeout(callback, Math.max(0, left));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/** Resolves after so many milliseconds, or at once when the signal is aborted: check the signal afterwards. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.setTimeout(end, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}
