import { createHash } from 'node:crypto';
import { isAbsolute, parse, resolve } from 'node:path';
import { HoldfastError } from '../../../base/errors.ts';
import { programFile } from '../../program-file.ts';
import type { ModelManifest, ModelReference, ModelReferenceOf } from '../model.ts';
import { assertAgrees, parseModelManifest } from '../model-card.ts';
import { assertDigest, MAXIMUM_MANIFEST_BYTES, readBounded } from '../model-file.ts';
import type { onnxParameters } from './parameters.ts';
import { MalformedModel } from './protobuf.ts';
import { refusedPart } from './refused-parts.ts';

/** Protobuf's own limit on a message. */
export const MAXIMUM_MODEL_BYTES = 2 ** 31 - 1;

/** How a file begins that Git LFS has not fetched. */
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** Where ONNX Runtime's own format, which is not protobuf, has its mark. */
const ORT_FORMAT = { offset: 4, mark: 'ORTM' };

type OnnxReference = ModelReferenceOf<typeof onnxParameters>;

export interface VerifiedFile {
  readonly bytes: Buffer;
  readonly manifest: ModelManifest;
}

/**
 * Reads a model and the manifest beside it, once, and makes sure that they are what the program pins before
 * any of it reaches a runtime.
 * @throws HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED, HF_PATH_REFUSED
 */
export async function readVerified(reference: OnnxReference): Promise<VerifiedFile> {
  const file = modelPath(reference);
  const { dir, name, base } = parse(file);
  const read = async (path: string, maximum: number) =>
    readBounded(await programFile(path, reference, `Model ${reference.modelId}`), maximum, reference);
  const bytes = await read(file, MAXIMUM_MODEL_BYTES);
  const beside = await read(resolve(dir, `${name}.json`), MAXIMUM_MANIFEST_BYTES);
  const manifest = parseModelManifest(beside.toString('utf8'), `${name}.json`, reference.modelId);

  const digest = createHash('sha256').update(bytes).digest('hex');
  assertDigest(digest, reference.sha256, reference, 'the program');
  assertDigest(digest, manifest.sha256, reference, `${name}.json`);
  assertManifestDigest(beside, `${name}.json`, reference);
  assertAgrees(manifest, reference);
  assertWhole(bytes, base, reference);
  return { bytes, manifest };
}

/**
 * The JSON says what the outputs mean: with its kinds in another order, other customers get other offers.
 * @throws HF_MODEL_DIGEST_MISMATCH
 */
function assertManifestDigest(bytes: Buffer, file: string, { modelId, manifestSha256 }: OnnxReference): void {
  const digest = createHash('sha256').update(bytes).digest('hex');
  assertDigest(digest, manifestSha256, { modelId, endpoint: file }, 'the program (manifestSha256)');
}

/**
 * The file of `onnx://models/churn.onnx` (relative to the manifest's folder, `..` allowed) or
 * `onnx:///srv/models/churn.onnx` (absolute); `%20` and the like are decoded.
 */
export function modelPath(reference: ModelReference): string {
  const encoded = reference.endpoint.slice('onnx://'.length);
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch (cause) {
    throw new HoldfastError(
      'HF_MODEL_MISSING',
      `Model ${reference.modelId}: ${reference.endpoint} is not a valid URI.`,
      { cause },
    );
  }
  if (path === '' || path.includes('\0')) {
    throw new HoldfastError('HF_MODEL_MISSING', `Model ${reference.modelId}: ${reference.endpoint} names no file.`);
  }
  return isAbsolute(path) ? path : resolve(reference.baseFolder, path);
}

/** @throws HF_MODEL_REFUSED when a runtime must not see the bytes, or would not do what they say */
export function assertWhole(bytes: Buffer, file: string, { modelId }: Pick<ModelReference, 'modelId'>): void {
  const refuse = (reason: string, cause?: unknown) =>
    new HoldfastError('HF_MODEL_REFUSED', `Model ${modelId}: ${file} ${reason}.`, { cause });
  if (bytes.toString('latin1', ORT_FORMAT.offset, ORT_FORMAT.offset + ORT_FORMAT.mark.length) === ORT_FORMAT.mark) {
    throw refuse('is in the ORT format; export it as ONNX');
  }
  if (bytes.length === 0) throw refuse('is empty');
  if (bytes.toString('latin1', 0, LFS_POINTER.length) === LFS_POINTER) {
    throw refuse('is a Git LFS pointer, not the model: git lfs pull');
  }
  let reason: string | undefined;
  try {
    reason = refusedPart(bytes);
  } catch (cause) {
    if (cause instanceof MalformedModel) throw refuse(`is not an ONNX model: ${cause.message}`, cause);
    throw cause;
  }
  if (reason !== undefined) throw refuse(reason);
}
