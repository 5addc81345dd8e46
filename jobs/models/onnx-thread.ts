import { parentPort, workerData } from 'node:worker_threads';
import { loadOnnxRuntime, SESSION } from './onnx-runtime.ts';
import type { ThreadAnswer, ThreadModel, ThreadRequest } from './onnx-threads.ts';

/*
 * A thread that scores batches of one model (onnx-threads.ts): told the model at its start, then asked in messages.
 */

const { bytes, input, output, width } = workerData as ThreadModel;
const { InferenceSession, Tensor } = await loadOnnxRuntime();
const session = await InferenceSession.create(bytes, SESSION);

parentPort?.on('message', ({ id, features, rows }: ThreadRequest) => {
  void score(id, features, rows);
});

async function score(id: number, features: Float32Array, rows: number): Promise<void> {
  let answer: ThreadAnswer;
  try {
    const result = await session.run({ [input]: new Tensor('float32', features, [rows, width]) }, [output]);
    const data = result[output]?.data;
    if (!(data instanceof Float32Array)) throw new TypeError('its output holds no float32');
    // A copy of its own: what the runtime gives may not be handed to another thread.
    answer = { id, scores: Float32Array.from(data) };
  } catch (error) {
    answer = { id, failure: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer, 'scores' in answer ? [answer.scores.buffer as ArrayBuffer] : []);
}
