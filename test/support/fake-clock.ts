import type { Clock } from '../../operator/kube/clock.ts';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock whose hands the test turns. */
export interface FakeClock extends Clock {
  /** Turns the hands so far, calling what falls due on the way, in order, and letting promises settle in between. */
  advance(milliseconds: number): Promise<void>;
  /** Lets the hands jump without calling anything: what a process that was stopped sees when it goes on. */
  jump(milliseconds: number): void;
  /** Resolves once a timer waits that is due between `atLeast` and `atMost` milliseconds from now. */
  timer(atLeast: number, atMost: number): Promise<void>;
  /** Milliseconds until each timer that waits, soonest first. */
  timers(): readonly number[];
}

/** Lets everything that is ready run: promises, and what they start. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function fakeClock(start = new Date('2026-11-23T02:00:00Z')): FakeClock {
  let elapsed = 0;
  const waiting = new Set<Timer>();
  const awaited = new Set<() => void>();

  const soonest = (): Timer | undefined => [...waiting].sort((a, b) => a.due - b.due)[0];

  return {
    now: () => new Date(start.getTime() + elapsed),
    elapsed: () => elapsed,
    setTimeout(callback, milliseconds) {
      const timer = { due: elapsed + milliseconds, callback };
      waiting.add(timer);
      for (const look of awaited) {
        look();
      }
      return () => {
        waiting.delete(timer);
      };
    },
    async advance(milliseconds) {
      const end = elapsed + milliseconds;
      await settle();
      for (let next = soonest(); next !== undefined && next.due <= end; next = soonest()) {
        elapsed = Math.max(elapsed, next.due);
        waiting.delete(next);
        next.callback();
        await settle();
      }
      elapsed = Math.max(elapsed, end);
    },
    jump(milliseconds) {
      elapsed += milliseconds;
    },
    timer: (atLeast, atMost) =>
      new Promise((resolve) => {
        const look = (): void => {
          if ([...waiting].some(({ due }) => due - elapsed >= atLeast && due - elapsed <= atMost)) {
            awaited.delete(look);
            resolve();
          }
        };
        awaited.add(look);
        look();
      }),
    timers: () => [...waiting].map(({ due }) => due - elapsed).sort((a, b) => a - b),
  };
}
