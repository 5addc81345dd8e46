import { parentPort, workerData } from 'node:worker_threads';
import { loadOnnxRuntime, SESSION, scoreBatch } from './onnx-runtime.ts';
import type { ThreadAnswer, ThreadModel, ThreadRequest } from './onnx-threads.ts';

/*
 * A thread that scores batches of one model (onnx-threads.ts): told the model at its start, then asked in messages.
 */

const { bytes, ...names } = workerData as ThreadModel;
const { InferenceSession, Tensor } = await loadOnnxRuntime();
const session = await InferenceSession.create(bytes, SESSION);

parentPort?.on('message', ({ id, features, rows }: ThreadRequest) => {
  void score(id, features, rows);
});

async function score(id: number, features: Float32Array, rows: number): Promise<void> {
  let answer: ThreadAnswer;
  try {
    // A copy of its own: what the runtime gives may not be handed to another thread.
    answer = { id, scores: Float32Array.from(await scoreBatch(Tensor, session, names, features, rows)) };
  } catch (error) {
    answer = { id, failure: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer, 'scores' in answer ? [answer.scores.buffer as ArrayBuffer] : []);
}
