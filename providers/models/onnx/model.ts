import type { InferenceSession } from 'onnxruntime-node';
import { HoldfastError } from '../../../base/errors.ts';
import { printable } from '../../../base/text/printable.ts';
import type { Model, ModelManifest, ModelProvider, ModelReference } from '../model.ts';
import { readVerified } from './file.ts';
import { loadOnnxRuntime, type OnnxRuntime, SESSION, scoreBatch } from './runtime.ts';
import { OnnxThreads } from './threads.ts';

/** Models in ONNX files, run in this process on ONNX Runtime's CPU provider. */
export const onnx: ModelProvider = {
  async load(reference) {
    const { bytes, manifest } = await readVerified(reference);
    const runtime = await loadOnnxRuntime();
    const session = await createSession(runtime, bytes, reference);
    try {
      return toModel(runtime, session, manifest, reference, bytes);
    } catch (error) {
      await session.release();
      throw error;
    }
  },
};

/** The session is made from the bytes that were verified, never from the path: the file may have changed since. */
export async function createSession(
  runtime: OnnxRuntime,
  bytes: Buffer,
  reference: ModelReference,
): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(bytes, SESSION);
  } catch (cause) {
    throw refused(reference, whyNotLoaded(cause), cause);
  }
}

/** What the runtime says, without the paths of its sources, and with what to do where that is known. */
function whyNotLoaded(cause: unknown): string {
  const said = (cause instanceof Error ? cause.message : String(cause)).replace(SOURCE_PLACE, '');
  const version = /IR version: (\d+), max supported IR version: (\d+)/.exec(said);
  if (version !== null) return `it has IR version ${version[1]}, and this runtime reads up to ${version[2]}`;
  const opset = /Opset (\d+) is under development.*domain (\S+) is till opset (\d+)/s.exec(said);
  if (opset !== null) {
    return `it has opset ${opset[1]} of ${opset[2]}, and this runtime reads up to ${opset[3]}: export it with that`;
  }
  const operator = /(\S+?)\(-?\d+\) is not a registered function\/op|No Op registered for (\S+)/.exec(said);
  if (operator !== null) return `operator ${printable(operator[1] ?? operator[2] ?? '')} is not known to this runtime`;
  return `ONNX Runtime cannot load it: ${printable(said.split('\n', 1)[0] ?? '').slice(0, 300)}`.replace(
    /[.:\s]+$/,
    '',
  );
}

/** Where in its own sources the runtime was: a file, a line and a signature. */
const SOURCE_PLACE = /^.*\/onnxruntime\/\S+\.(?:cc|h):\d+ .*?\) (?=[A-Z])/s;

/** Rows that a model scores in the calling thread before it starts threads of its own: fewer are done sooner without. */
const ROWS_ALONE = 30_000;

/**
 * A session as a model.
 * @param bytes the model's file, for the threads of one that may use several processors
 */
export function toModel(
  { Tensor }: OnnxRuntime,
  session: InferenceSession,
  manifest: ModelManifest,
  reference: ModelReference,
  bytes?: Uint8Array,
): Model {
  const outputs = manifest.kinds?.length ?? 1;
  const width = manifest.features.length;
  const input = inputName(session, width, reference);
  const output = outputName(session, outputs, reference);
  const names = { input, output, width };
  const threads =
    bytes === undefined || reference.threads <= 1 ? undefined : new OnnxThreads({ bytes, ...names }, reference.threads);
  let asked = 0;
  return {
    manifest,
    outputs,
    concurrency: threads === undefined ? 1 : reference.threads,
    async score(features, rows) {
      if (rows === 0) return new Float32Array(0);
      asked += rows;
      const scores = await (threads === undefined || asked <= ROWS_ALONE
        ? scoreBatch(Tensor, session, names, features, rows)
        : threads.score(features, rows)
      ).catch((cause: unknown) => Promise.reject(refused(reference, 'ONNX Runtime cannot run it', cause)));
      if (scores.length !== rows * outputs) {
        throw refused(
          reference,
          `output ${output} has ${scores.length} values for ${rows} rows, not ${shape(rows, outputs)}`,
        );
      }
      return scores;
    },
    async close() {
      await threads?.close();
      await session.release();
    },
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

/**
 * The one output that holds floats: a classifier's labels, which are integers, are passed over. Of several that fit,
 * one may well be the probability of staying, so none is taken.
 */
export function outputName(session: InferenceSession, outputs: number, reference: ModelReference): string {
  const floats = session.outputMetadata.filter((candidate) => candidate.isTensor && candidate.type === 'float32');
  const [output] = floats;
  if (output === undefined) {
    const remedy = session.outputMetadata.some(({ isTensor }) => !isTensor)
      ? ': a sequence of maps cannot be read; export it with zipmap=False (scikit-learn, LightGBM) or cut the ZipMap (CatBoost)'
      : '';
    throw refused(
      reference,
      `none of its outputs (${session.outputMetadata.map(describe).join(', ')}) holds float32${remedy}`,
    );
  }
  if (!fits(output, outputs)) {
    const remedy =
      outputs === 1 && fits(output, 2) ? '; it has a column for each class: keep the second with a Gather node' : '';
    throw refused(reference, `output ${describe(output)} is not float32 ${shape('N', outputs)}${remedy}`);
  }
  const fitting = floats.filter((candidate) => fits(candidate, outputs));
  if (fitting.length > 1) {
    const names = fitting.map(({ name }) => printable(name)).join(' and ');
    throw refused(reference, `its outputs ${names} both fit: keep the one that is the risk, and cut the others`);
  }
  return output.name;
}

function fits(value: InferenceSession.ValueMetadata, outputs: number): boolean {
  const dimensions = value.isTensor ? value.shape : [];
  const columns = dimensions.length === 2 ? dimensions[1] : 1;
  if (dimensions.length > 2) return false;
  return dimensions.length === 0 || typeof columns !== 'number' || columns === outputs;
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
