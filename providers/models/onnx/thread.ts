import { parentPort, workerData } from 'node:worker_threads';
import { loadOnnxRuntime, SESSION, scoreBatch } from './runtime.ts';
import type { ThreadAnswer, ThreadBatch, ThreadModel, ThreadRequest } from './threads.ts';

/*
 * A thread that scores batches of one model (onnx-threads.ts): told the model at its start, then asked in messages.
 */

const { bytes, ...names } = workerData as ThreadModel;
const { InferenceSession, Tensor } = await loadOnnxRuntime();
const session = await InferenceSession.create(bytes, SESSION);

// One after the other: the runtime gives a batch's scores in a later turn than it is asked in.
let work = Promise.resolve();
parentPort?.on('message', (request: ThreadRequest) => {
  work = work.then(() => (request === 'end' ? end() : score(request)));
});

async function end(): Promise<void> {
  await session.release();
  parentPort?.close();
}

async function score({ id, features, rows }: ThreadBatch): Promise<void> {
  let answer: ThreadAnswer;
  try {
    // A copy of its own: what the runtime gives may not be handed to another thread.
    answer = { id, scores: Float32Array.from(await scoreBatch(Tensor, session, names, features, rows)) };
  } catch (error) {
    answer = { id, failure: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer, 'scores' in answer ? [answer.scores.buffer as ArrayBuffer] : []);
}
