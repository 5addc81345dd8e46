import type { ArtifactDraft, ArtifactKey, ArtifactReference } from './artifact.ts';
import type { RunFolders } from './run-folders.ts';

/** Folder-like storage of what stages hand to each other. */
export interface ArtifactStore {
  /** Starts an artifact; whatever an earlier, uncommitted try left under the same key is removed. */
  draft(key: ArtifactKey): Promise<ArtifactDraft>;
  /**
   * Opens a committed artifact and verifies the size and SHA-256 of each part.
   * @throws HF_ARTIFACT_CORRUPT when the manifest or a part is missing or changed
   */
  open(key: ArtifactKey): Promise<ArtifactReference>;
  /**
   * Makes a committed artifact of one run that of another too, whole or not at all, and where the file system can without a
   * second copy of its bytes: the two outlive each other. Repeating it changes nothing.
   * @param digest SHA-256 that its manifest must have
   * @throws HF_ARTIFACT_CORRUPT when it is gone, was changed, is another one, or was made by another version of Holdfast
   */
  adopt(from: ArtifactKey, to: ArtifactKey, digest: string): Promise<ArtifactReference>;
  /** The folders that artifacts lie in, by run: what prune looks after. */
  readonly runFolders: RunFolders;
}
