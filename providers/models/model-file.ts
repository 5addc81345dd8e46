import { readFile, stat } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { lastingReason } from '../../base/unread-file.ts';
import type { ModelReference } from './model.ts';

export const MAXIMUM_MANIFEST_BYTES = 2 ** 20;

/**
 * A file, whole.
 * @throws HF_MODEL_MISSING when it is not there, HF_MODEL_REFUSED when it is larger than `maximum` bytes
 */
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
  return new HoldfastError(
    'HF_MODEL_MISSING',
    `Model ${modelId}: ${file} ${lastingReason(cause) ?? 'cannot be read'}.`,
    { cause },
  );
}

/** @throws HF_MODEL_DIGEST_MISMATCH */
export function assertDigest(
  actual: string,
  pinned: string | undefined,
  reference: Pick<ModelReference, 'modelId' | 'endpoint'>,
  where: string,
): void {
  if (pinned === undefined || pinned === actual) return;
  throw new HoldfastError(
    'HF_MODEL_DIGEST_MISMATCH',
    `Model ${reference.modelId}: ${reference.endpoint} has SHA-256 ${actual.slice(0, 12)}…, but ${where} pins ${pinned.slice(0, 12)}….`,
  );
}
