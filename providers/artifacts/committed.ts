import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import type { ArtifactKey, ArtifactReference } from './artifact.ts';
import { digestOf, fingerprint } from './durable.ts';
import { MANIFEST, readManifest } from './manifest.ts';

/**
 * Opens the artifact in a folder, and verifies the size and SHA-256 of each part.
 * @throws HF_ARTIFACT_CORRUPT
 */
export async function openArtifact(key: ArtifactKey, folder: string): Promise<ArtifactReference> {
  const name = `The artifact of stage ${key.stage} of run ${key.run}`;
  const encoded = await readFile(join(folder, MANIFEST)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new HoldfastError('HF_ARTIFACT_CORRUPT', `${name} is not there or was not finished.`, { cause: error });
  });
  const manifest = readManifest(encoded, name);
  for (const part of manifest.parts) {
    const { sha256, bytes } = await fingerprint(join(folder, part.path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw new HoldfastError('HF_ARTIFACT_CORRUPT', `${name} has lost its part ${part.path}.`, { cause: error });
    });
    if (sha256 !== part.sha256 || bytes !== part.bytes) {
      throw new HoldfastError(
        'HF_ARTIFACT_CORRUPT',
        `${name} was changed: ${part.path} is not what its manifest says.`,
      );
    }
  }
  return { key, digest: digestOf(encoded), folder, manifest };
}
