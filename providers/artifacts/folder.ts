import { join } from 'node:path';
import { adoptArtifact } from './adopt.ts';
import { openArtifact } from './committed.ts';
import { beginDraft, inStorage } from './draft.ts';
import { keyFolder } from './key.ts';
import { openRunFolders } from './run-folders.ts';
import type { ArtifactStore } from './store.ts';

/**
 * Artifacts in a folder: `<root>/<namespace>/<program>/<run>/<stage>/<attempt>/`.
 * A draft is a hidden sibling that is renamed into place once its manifest is on the disk, so a crash at any
 * moment leaves either the whole artifact or a hidden folder that the next draft of the same key removes.
 * @throws HF_DISK_FULL, HF_DATA_FOLDER, HF_ARTIFACT_CORRUPT from its methods
 */
export function openFolderStore(root: string): ArtifactStore {
  const folderOf = (key: Parameters<typeof keyFolder>[0]) => join(root, keyFolder(key));
  return {
    draft: (key) => inStorage(folderOf(key), (folder) => beginDraft(key, folder)),
    open: (key) => inStorage(folderOf(key), (folder) => openArtifact(key, folder)),
    adopt: (from, to, digest) =>
      inStorage(folderOf(to), (folder) => adoptArtifact({ key: from, folder: folderOf(from), digest }, to, folder)),
    runFolders: openRunFolders(root),
  };
}
