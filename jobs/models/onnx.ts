import type { InferenceSession } from 'onnxruntime-node';
import { HoldfastError } from '../errors.ts';
import type { Model, ModelManifest, ModelProvider, ModelReference } from './model.ts';
import { readVerified } from './onnx-file.ts';
import { loadOnnxRuntime, type OnnxRuntime } from './onnx-runtime.ts';

/** Models in ONNX files, run in this process on ONNX Runtime's CPU provider. */
export const onnx: ModelProvider = {
  scheme: 'onnx',
  async load(reference) {
    const { bytes, manifest } = await readVerified(reference);
    const runtime = await loadOnnxRuntime();
    const session = await createSession(runtime, bytes, reference);
    try {
      return toModel(runtime, session, manifest, reference);
    } catch (error) {
      await session.release();
      throw error;
    }
  },
};

/**
 * The session is made from the bytes that were verified, never from the path: the file may have changed since.
 *
 * A batch is scored by one thread, several batches at once. Given more threads, the runtime adds up the trees of an
 * ensemble in an order that depends on how many threads and rows there are, and with it the last digits of a score: a
 * customer would be at high risk on one machine and at medium on another. It takes no more time, and less of it is spent
 * waiting where processors are shared (`npm run bench:score`).
 */
export async function createSession(
  runtime: OnnxRuntime,
  bytes: Buffer,
  reference: ModelReference,
): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      extra: { session: { load_model_format: 'ONNX' } },
    });
  } catch (cause) {
    throw refused(reference, 'ONNX Runtime cannot load it', cause);
  }
}

export function toModel(
  { Tensor }: OnnxRuntime,
  session: InferenceSession,
  manifest: ModelManifest,
  reference: ModelReference,
): Model {
  const outputs = manifest.kinds?.length ?? 1;
  const width = manifest.features.length;
  const input = inputName(session, width, reference);
  const output = outputName(session, outputs, reference);
  return {
    manifest,
    outputs,
    concurrency: reference.threads,
    async score(features, rows) {
      if (rows === 0) return new Float32Array(0);
      const result = await session
        .run({ [input]: new Tensor('float32', features.subarray(0, rows * width), [rows, width]) }, [output])
        .catch((cause: unknown) => Promise.reject(refused(reference, 'ONNX Runtime cannot run it', cause)));
      const scores = result[output];
      if (!(scores?.data instanceof Float32Array) || scores.data.length !== rows * outputs) {
        throw refused(
          reference,
          `output ${output} has shape [${scores?.dims.join(', ')}] for ${rows} rows, not ${shape(rows, outputs)}`,
        );
      }
      return scores.data;
    },
    close: () => session.release(),
  };
}

export function inputName(session: InferenceSession, width: number, reference: ModelReference): string {
  const [input, ...others] = session.inputMetadata;
  if (input === undefined || others.length > 0) {
    throw refused(reference, `it has ${session.inputMetadata.length} inputs, not one with all features`);
  }
  const [rows, columns] = input.isTensor ? input.shape : [];
  const takesFeatures = input.isTensor && input.type === 'float32' && input.shape.length === 2;
  if (!takesFeatures || typeof rows === 'number' || (typeof columns === 'number' && columns !== width)) {
    throw refused(reference, `input ${describe(input)} is not float32 [N, ${width}], one column per feature`);
  }
  return input.name;
}

/** The first output that holds floats: a classifier's labels, which are integers, are passed over. */
export function outputName(session: InferenceSession, outputs: number, reference: ModelReference): string {
  const output = session.outputMetadata.find((candidate) => candidate.isTensor && candidate.type === 'float32');
  if (output === undefined) {
    throw refused(reference, `none of its outputs (${session.outputMetadata.map(describe).join(', ')}) holds float32`);
  }
  const dimensions = output.isTensor ? output.shape : [];
  const columns = dimensions.length === 2 ? dimensions[1] : 1;
  if (dimensions.length > 2 || (typeof columns === 'number' && columns !== outputs && dimensions.length > 0)) {
    throw refused(reference, `output ${describe(output)} is not float32 ${shape('N', outputs)}`);
  }
  return output.name;
}

function describe(value: InferenceSession.ValueMetadata): string {
  return value.isTensor ? `${value.name} ${value.type} [${value.shape.join(', ')}]` : `${value.name} (no tensor)`;
}

function shape(rows: number | string, outputs: number): string {
  return `[${rows}, ${outputs}]`;
}

function refused(reference: ModelReference, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HF_MODEL_REFUSED', `Model ${reference.modelId}: ${reason}.`, { cause });
}
