import { KubeError, splitKey } from './api.ts';
import { backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import { createRounds } from './rounds.ts';

export interface QueueOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Wait before a key that failed comes again. */
  readonly backoff?: { readonly first: number; readonly longest: number };
  /** What the worker threw; its key comes again by itself. */
  readonly onError?: (key: string, error: unknown) => void;
}

/**
 * Keys waiting to be worked on. A key is in it at most once, and never with two workers: one that is added while it is
 * worked on comes again afterwards, since the worker may have looked too early. Namespaces take turns, and none has all
 * the workers: however much one has waiting, a key of another waits for its turn and for no sync of that one.
 */
export interface Queue {
  add(key: string): void;
  /** Adds the key after so many milliseconds; of several such requests the earliest counts. */
  addAfter(key: string, milliseconds: number): void;
  /** Adds the key after a wait that doubles with each call since `forget`; at least `atLeastMs`. */
  addRateLimited(key: string, atLeastMs?: number): void;
  /** The key went well: its next failure waits as short as a first one. */
  forget(key: string): void;
  /**
   * Starts so many workers. A worker that returns has its key forgotten, unless it asked for it with `addRateLimited`;
   * one that throws has it added again, rate-limited, and not before what the API server asked for.
   */
  run(worker: (key: string) => Promise<void>, concurrency: number): void;
  /** Takes nothing more, hands nothing more out, and resolves once the workers under way are done. */
  stop(): Promise<void>;
  /** Keys that could be worked on now. */
  depth(): number;
}

const BACKOFF = { first: 200, longest: 5 * 60_000 };

export function createQueue(options: QueueOptions): Queue {
  const { clock, random } = options;
  const ready = createRounds();
  const delayed = new Map<string, { readonly due: number; readonly cancel: () => void }>();
  const working = new Map<string, Promise<void>>();
  /** How many workers each namespace has. */
  const busy = new Map<string, number>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  let worker: ((key: string) => Promise<void>) | undefined;
  let concurrency = 0;
  let stopped = false;

  function add(key: string): void {
    if (stopped) {
      return;
    }
    if (working.has(key)) {
      again.add(key);
      return;
    }
    ready.add(key);
    hand();
  }

  function addAfter(key: string, milliseconds: number): void {
    if (stopped) {
      return;
    }
    if (milliseconds <= 0) {
      add(key);
      return;
    }
    const due = clock.elapsed() + milliseconds;
    const waiting = delayed.get(key);
    if (waiting !== undefined && waiting.due <= due) {
      return;
    }
    waiting?.cancel();
    const cancel = clock.setTimeout(() => {
      delayed.delete(key);
      add(key);
    }, milliseconds);
    delayed.set(key, { due, cancel });
  }

  function addRateLimited(key: string, atLeastMs = 0): void {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    addAfter(key, Math.max(atLeastMs, backoff(count, options.backoff ?? BACKOFF, random)));
  }

  /** The last free worker is kept for a namespace that has none. */
  function mayHave(namespace: string): boolean {
    return working.size < concurrency - 1 || !busy.has(namespace);
  }

  function hand(): void {
    const call = worker;
    if (call === undefined || stopped) {
      return;
    }
    while (working.size < concurrency) {
      const key = ready.take(mayHave);
      if (key === undefined) {
        return;
      }
      occupy(key, 1);
      working.set(key, work(key, call));
    }
  }

  function occupy(key: string, workers: 1 | -1): void {
    const { namespace } = splitKey(key);
    const now = (busy.get(namespace) ?? 0) + workers;
    if (now === 0) {
      busy.delete(namespace);
    } else {
      busy.set(namespace, now);
    }
  }

  async function work(key: string, call: (key: string) => Promise<void>): Promise<void> {
    const before = failures.get(key);
    try {
      // One turn later, so that the key counts as worked on before the worker can add it again.
      await Promise.resolve();
      await call(key);
      if (failures.get(key) === before) {
        failures.delete(key);
      }
    } catch (error) {
      try {
        options.onError?.(key, error);
      } catch {
        // An error in reporting an error must not cost the queue a worker.
      }
      addRateLimited(key, error instanceof KubeError ? (error.retryAfterSeconds ?? 0) * 1000 : 0);
    }
    working.delete(key);
    occupy(key, -1);
    if (again.delete(key)) {
      add(key);
    }
    hand();
  }

  return {
    add,
    addAfter,
    addRateLimited,
    forget: (key) => {
      failures.delete(key);
    },
    run(call, workers) {
      worker = call;
      concurrency = workers;
      hand();
    },
    async stop() {
      stopped = true;
      for (const { cancel } of delayed.values()) {
        cancel();
      }
      delayed.clear();
      ready.clear();
      again.clear();
      await Promise.all(working.values());
    },
    depth: () => ready.size(),
  };
}
