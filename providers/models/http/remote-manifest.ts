import { createHash } from 'node:crypto';
import { HoldfastError } from '../../../base/errors.ts';
import { programFile } from '../../program-file.ts';
import type { ModelManifest, ModelReferenceOf } from '../model.ts';
import { assertAgrees, parseModelManifest } from '../model-card.ts';
import { assertDigest, MAXIMUM_MANIFEST_BYTES, readBounded } from '../model-file.ts';
import type { httpParameters } from './parameters.ts';

/**
 * Reads the manifest of a model that is elsewhere, from the file that the program names and pins.
 * @throws HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED, HF_PATH_REFUSED
 */
export async function readRemoteManifest(
  reference: ModelReferenceOf<typeof httpParameters>,
): Promise<{ readonly manifest: ModelManifest; readonly digest: string }> {
  const { modelId, manifest: path, sha256 } = reference;
  if (path === undefined || sha256 === undefined) {
    throw new HoldfastError(
      'HF_MODEL_REFUSED',
      `Model ${modelId}: a remote model needs \`manifest\`, the JSON that says what it predicts, and its \`sha256\`.`,
    );
  }
  const file = await programFile(path, reference, `Model ${modelId}`);
  const bytes = await readBounded(file, MAXIMUM_MANIFEST_BYTES, reference);
  const digest = createHash('sha256').update(bytes).digest('hex');
  assertDigest(digest, sha256, { modelId, endpoint: path }, 'the program');
  const manifest = parseModelManifest(bytes.toString('utf8'), path, modelId);
  assertAgrees(manifest, reference);
  return { manifest, digest };
}
