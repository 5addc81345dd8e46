import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SessionNames } from './runtime.ts';

/** What a thread is started with. */
export interface ThreadModel extends SessionNames {
  /** The model's file. */
  readonly bytes: Uint8Array;
}

/** A batch, or `end`: the thread ends once it has answered what came before. */
export type ThreadRequest = ThreadBatch | 'end';

export interface ThreadBatch {
  readonly id: number;
  readonly features: Float32Array;
  readonly rows: number;
}

export type ThreadAnswer =
  | { readonly id: number; readonly scores: Float32Array }
  | { readonly id: number; readonly failure: string };

/** The program of a thread, as it lies here: TypeScript in a clone, JavaScript in a package. */
const PROGRAM = join(import.meta.dirname, `thread${extname(import.meta.filename)}`);

interface Thread {
  readonly worker: Worker;
  /** Batches that it has been given and has not answered. */
  load: number;
  /** Settled when it has ended, however that came. */
  readonly ended: Promise<void>;
}

interface Waiting {
  readonly resolve: (scores: Float32Array) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A model in threads of its own, each of which scores one batch at a time: the runtime's binding works in the thread that
 * calls it, whatever its promises look like. They start with the first batch.
 */
export class OnnxThreads {
  readonly #model: ThreadModel;
  readonly #count: number;
  readonly #waiting = new Map<number, Waiting>();
  #threads: Thread[] = [];
  #asked = 0;
  #failure: Error | undefined;

  constructor(model: ThreadModel, count: number) {
    this.#model = model;
    this.#count = count;
  }

  /** @throws Error with what the runtime said */
  score(features: Float32Array, rows: number): Promise<Float32Array> {
    // Whoever asks a thread that has ended would wait for ever.
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#threads.length === 0) this.#start();
    const idle = this.#threads.reduce((least, thread) => (thread.load < least.load ? thread : least));
    const id = this.#asked++;
    const own = features.slice(0, rows * this.#model.width);
    idle.load += 1;
    return new Promise<Float32Array>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      idle.worker.postMessage({ id, features: own, rows } satisfies ThreadBatch, [own.buffer]);
    }).finally(() => {
      idle.load -= 1;
    });
  }

  /**
   * Ends the threads, after the batches that they hold. They end by themselves: one that is terminated while it is in the
   * runtime, loading the model or scoring, takes the whole process with it (SIGABRT from the runtime's binding).
   */
  async close(): Promise<void> {
    const threads = this.#threads.splice(0);
    for (const { worker } of threads) worker.postMessage('end' satisfies ThreadRequest, []);
    await Promise.all(threads.map(({ ended }) => ended));
    this.#fail(new Error('the model has been closed'));
  }

  #start(): void {
    this.#threads = Array.from({ length: this.#count }, () => {
      const worker = new Worker(PROGRAM, { workerData: this.#model });
      worker.on('message', (answer: ThreadAnswer) => {
        const waiting = this.#waiting.get(answer.id);
        this.#waiting.delete(answer.id);
        if ('scores' in answer) waiting?.resolve(answer.scores);
        else waiting?.reject(new Error(answer.failure));
      });
      worker.once('error', (cause) => this.#fail(new Error('a thread of the model has ended', { cause })));
      const ended = new Promise<void>((resolve) => {
        worker.once('exit', () => {
          // Not where `close` has ended it.
          if (this.#threads.some((thread) => thread.worker === worker)) {
            this.#fail(new Error('a thread of the model has ended'));
          }
          resolve();
        });
      });
      return { worker, load: 0, ended };
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
