import { HoldfastError } from '../../base/errors.ts';
import type { ArtifactKey, ArtifactReference } from './artifact.ts';
import type { ArtifactStore } from './store.ts';

/** Opens an artifact; undefined for one that is not there, or no longer what its manifest says: it is to be made again. */
export async function openWhole(store: ArtifactStore, key: ArtifactKey): Promise<ArtifactReference | undefined> {
  try {
    return await store.open(key);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'HF_ARTIFACT_CORRUPT') return undefined;
    throw error;
  }
}
