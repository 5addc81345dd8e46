import type { InferenceSession, Tensor } from 'onnxruntime-node';

export interface OnnxRuntime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
}

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
