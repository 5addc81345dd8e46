import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, parse, resolve } from 'node:path';
import { HoldfastError } from '../errors.ts';
import { findExternalData } from './external-data.ts';
import { assertAgrees, parseModelManifest } from './manifest.ts';
import type { ModelManifest, ModelReference } from './model.ts';
import { MalformedModel } from './protobuf.ts';

/** Protobuf's own limit on a message. */
export const MAXIMUM_MODEL_BYTES = 2 ** 31 - 1;
export const MAXIMUM_MANIFEST_BYTES = 2 ** 20;

/** Where ONNX Runtime's own format, which is not protobuf, has its mark. */
const ORT_FORMAT = { offset: 4, mark: 'ORTM' };

export interface VerifiedFile {
  readonly bytes: Buffer;
  readonly manifest: ModelManifest;
}

/**
 * Reads a model and the manifest beside it, once, and makes sure that they are what the program pins before
 * any of it reaches a runtime.
 * @throws HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED
 */
export async function readVerified(reference: ModelReference): Promise<VerifiedFile> {
  const file = modelPath(reference);
  const { dir, name, base } = parse(file);
  const bytes = await readBounded(file, MAXIMUM_MODEL_BYTES, reference);
  const beside = await readBounded(resolve(dir, `${name}.json`), MAXIMUM_MANIFEST_BYTES, reference);
  const manifest = parseModelManifest(beside.toString('utf8'), `${name}.json`, reference.modelId);

  const digest = createHash('sha256').update(bytes).digest('hex');
  assertDigest(digest, reference.sha256, reference, 'the program');
  assertDigest(digest, manifest.sha256, reference, `${name}.json`);
  assertAgrees(manifest, reference);
  assertWhole(bytes, base, reference);
  return { bytes, manifest };
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

export async function readBounded(
  file: string,
  maximum: number,
  { modelId }: Pick<ModelReference, 'modelId'>,
): Promise<Buffer> {
  let size: number;
  try {
    const found = await stat(file);
    // Opening a pipe or a device could wait for ever.
    if (!found.isFile()) throw new HoldfastError('HF_MODEL_MISSING', `Model ${modelId}: ${file} is not a file.`);
    size = found.size;
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw unreadable(file, modelId, cause);
  }
  if (size > maximum) {
    throw new HoldfastError('HF_MODEL_REFUSED', `Model ${modelId}: ${file} is larger than ${maximum} bytes.`);
  }
  return readFile(file).catch((cause: unknown) => Promise.reject(unreadable(file, modelId, cause)));
}

function unreadable(file: string, modelId: string, cause: unknown): HoldfastError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  return new HoldfastError(
    'HF_MODEL_MISSING',
    `Model ${modelId}: ${file} ${missing ? 'does not exist' : 'cannot be read'}.`,
    { cause },
  );
}

function assertDigest(actual: string, pinned: string | undefined, reference: ModelReference, where: string): void {
  if (pinned === undefined || pinned === actual) return;
  throw new HoldfastError(
    'HF_MODEL_DIGEST_MISMATCH',
    `Model ${reference.modelId}: ${reference.endpoint} has SHA-256 ${actual.slice(0, 12)}…, but ${where} pins ${pinned.slice(0, 12)}….`,
  );
}

export function assertWhole(bytes: Buffer, file: string, { modelId }: Pick<ModelReference, 'modelId'>): void {
  const refuse = (reason: string, cause?: unknown) =>
    new HoldfastError('HF_MODEL_REFUSED', `Model ${modelId}: ${file} ${reason}.`, { cause });
  if (bytes.toString('latin1', ORT_FORMAT.offset, ORT_FORMAT.offset + ORT_FORMAT.mark.length) === ORT_FORMAT.mark) {
    throw refuse('is in the ORT format; export it as ONNX');
  }
  let external: string | undefined;
  try {
    external = findExternalData(bytes);
  } catch (cause) {
    if (cause instanceof MalformedModel) throw refuse(`is not an ONNX model: ${cause.message}`, cause);
    throw cause;
  }
  if (external !== undefined) {
    throw refuse(
      `keeps the values of its tensor ${JSON.stringify(external.slice(0, 100))} in another file; export it as one file`,
    );
  }
}
