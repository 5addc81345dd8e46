import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HoldfastError } from '../../base/errors.ts';
import type { ArtifactDraft, ArtifactKey, ArtifactManifest, ArtifactPart, ArtifactReference } from './artifact.ts';
import { keyFolder } from './key.ts';
import { encodeManifest, MANIFEST, readManifest } from './manifest.ts';
import { PRODUCER } from './producer.ts';
import { openRunFolders } from './run-folders.ts';
import { storageError } from './storage-error.ts';
import type { ArtifactStore } from './store.ts';

/**
 * Artifacts in a folder: `<root>/<namespace>/<program>/<run>/<stage>/<attempt>/`.
 * A draft is a hidden sibling that is renamed into place once its manifest is on the disk, so a crash at any
 * moment leaves either the whole artifact or a hidden folder that the next draft of the same key removes.
 * @throws HF_DISK_FULL, HF_DATA_FOLDER, HF_ARTIFACT_CORRUPT from its methods
 */
export function openFolderStore(root: string): ArtifactStore {
  return {
    draft: (key) => inStorage(join(root, keyFolder(key)), (folder) => beginDraft(key, folder)),
    open: (key) => inStorage(join(root, keyFolder(key)), (folder) => openArtifact(key, folder)),
    runFolders: openRunFolders(root),
  };
}

async function inStorage<Result>(folder: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  try {
    return await work(folder);
  } catch (error) {
    throw storageError(error, folder);
  }
}

const draftPrefix = (folder: string) => `.${basename(folder)}.draft-`;
const failedFolder = (folder: string) => `${folder}.failed`;

async function beginDraft(key: ArtifactKey, folder: string): Promise<ArtifactDraft> {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const left = join(parent, name);
    if (name.startsWith(draftPrefix(folder)) || left === failedFolder(folder))
      await rm(left, { recursive: true, force: true });
  }
  const draft = await mkdtemp(join(parent, draftPrefix(folder)));
  return {
    folder: draft,
    commit: (details) =>
      inStorage(folder, async () => {
        const manifest = await describeParts(key, draft, details);
        const encoded = encodeManifest(manifest);
        await writeDurably(join(draft, MANIFEST), encoded);
        await sync(draft);
        await moveIntoPlace(draft, folder);
        return { key, digest: createHash('sha256').update(encoded).digest('hex'), folder, manifest };
      }),
    keep: (part) =>
      inStorage(folder, async () => {
        const kept = join(failedFolder(folder), part);
        await mkdir(dirname(kept), { recursive: true });
        await rename(join(draft, part), kept);
        return kept;
      }),
    discard: () => inStorage(folder, () => rm(draft, { recursive: true, force: true })),
  };
}

async function describeParts(
  key: ArtifactKey,
  draft: string,
  details: Parameters<ArtifactDraft['commit']>[0],
): Promise<ArtifactManifest> {
  const named = details.parts.map((part) => part.path).sort();
  const found = (await readdir(draft)).sort();
  if (JSON.stringify(named) !== JSON.stringify(found)) {
    const sentence = `Stage ${key.stage} names the parts ${named.join(', ')} but wrote ${found.join(', ') || 'none'}.`;
    throw new HoldfastError('HF_INTERNAL', sentence);
  }
  const parts: ArtifactPart[] = [];
  for (const { path, rows, schema } of details.parts) {
    const file = join(draft, path);
    await sync(file);
    parts.push({ path, rows, ...(await fingerprint(file)), schema });
  }
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const { rows, counts, madeFrom } = details;
  const made = { version: 1, stage: key.stage, producer: PRODUCER, rows, bytes, parts, counts } as const;
  return madeFrom === undefined ? made : { ...made, madeFrom };
}

async function moveIntoPlace(draft: string, folder: string): Promise<void> {
  // The same attempt may run twice; the later one takes the place of the earlier. A folder cannot be renamed
  // onto another that has files, so the old one steps aside under a draft's name, which the next draft removes.
  const aside = `${draft}-old`;
  const stepsAside = await rename(folder, aside).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  await rename(draft, folder);
  await sync(dirname(folder));
  if (stepsAside) await rm(aside, { recursive: true, force: true });
}

async function openArtifact(key: ArtifactKey, folder: string): Promise<ArtifactReference> {
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
  return { key, digest: createHash('sha256').update(encoded).digest('hex'), folder, manifest };
}

async function fingerprint(file: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return { bytes: (await stat(file)).size, sha256: hash.digest('hex') };
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  await using handle = await open(path, 'wx');
  await handle.writeFile(bytes);
  await handle.sync();
}

/** Makes a file, or the names in a folder, survive a power cut. */
async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
