import { once } from 'node:events';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { kernelOf, type Work } from './kernel.ts';
import type { Layout, Space } from './space.ts';

/** What a thread is started with. */
export interface ThreadStart {
  readonly memory: WebAssembly.Memory;
  readonly layout: Layout;
  readonly part: number;
}

/** The program of a thread, as it lies here: TypeScript in a clone, JavaScript in a package. */
const PROGRAM = join(import.meta.dirname, `thread${extname(import.meta.filename)}`);

/** Those who work on the parts of a space at once. */
export interface Team extends AsyncDisposable {
  /** Has the same done to every part; resolves to what each answered, by part. */
  do(work: Work): Promise<readonly (number | bigint)[]>;
}

/** A thread for each part of the space; none where there is one part, which is worked on here. */
export function openTeam({ memory, layout }: Space): Team {
  if (layout.parts === 1) {
    const worker = kernelOf(memory, layout, 0);
    return {
      async do(work) {
        // Signals are heard between two pieces of work.
        await new Promise(setImmediate);
        return [worker(work)];
      },
      async [Symbol.asyncDispose]() {},
    };
  }
  const threads = Array.from({ length: layout.parts }, (_, part) => {
    const thread = new Worker(PROGRAM, { workerData: { memory, layout, part } satisfies ThreadStart });
    const ended = new AbortController();
    thread.once('exit', () => ended.abort(new Error('a thread of the clustering has ended')));
    return { thread, ended: ended.signal };
  });
  return {
    // The wait for an answer ends with an error of the thread, and with the thread.
    do: (work) =>
      Promise.all(
        threads.map(async ({ thread, ended }) => {
          const answered = once(thread, 'message', { signal: ended }) as Promise<[number | bigint]>;
          thread.postMessage(work, []);
          return (await answered)[0];
        }),
      ),
    async [Symbol.asyncDispose]() {
      await Promise.all(threads.map(({ thread }) => thread.terminate()));
    },
  };
}
