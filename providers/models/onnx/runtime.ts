import type { InferenceSession, Tensor } from 'onnxruntime-node';

export interface OnnxRuntime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
}

/**
 * How a session is made. A batch is scored by one thread: given more, the runtime adds up the trees of an ensemble in an
 * order that depends on how many threads and rows there are, and with it the last digits of a score: a customer would be at
 * high risk on one machine and at medium on another. Several batches are scored at once instead (onnx-threads.ts).
 */
export const SESSION: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
  extra: { session: { load_model_format: 'ONNX' } },
};

/**
 * Loads ONNX Runtime, with its telemetry off. Its official builds for Linux and macOS write a device id
 * under the home folder and send events to their maker unless this variable is set before the library is loaded;
 * there is no call that comes early enough.
 */
export async function loadOnnxRuntime(environment: NodeJS.ProcessEnv = process.env): Promise<OnnxRuntime> {
  environment['ORT_DISABLE_TELEMETRY'] = '1';
  // The name that its sources use since then.
  environment['ORT_TELEMETRY_DISABLED'] = '1';
  return import('onnxruntime-node');
}

/** Which input and output of a session are meant, and how many features a row has. */
export interface SessionNames {
  readonly input: string;
  readonly output: string;
  readonly width: number;
}

/**
 * Scores one batch in the calling thread.
 * @param features row-major, at least `rows × width`
 * @throws Error with what the runtime said; TypeError when the output holds no floats
 */
export async function scoreBatch(
  Tensor: OnnxRuntime['Tensor'],
  session: InferenceSession,
  { input, output, width }: SessionNames,
  features: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const tensor = new Tensor('float32', features.subarray(0, rows * width), [rows, width]);
  const scores = (await session.run({ [input]: tensor }, [output]))[output]?.data;
  if (scores instanceof Float32Array) return scores;
  throw new TypeError('its output holds no float32');
}
