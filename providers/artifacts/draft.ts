import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import type { ArtifactDraft, ArtifactKey, ArtifactManifest, ArtifactPart } from './artifact.ts';
import { digestOf, fingerprint, sync, writeDurably } from './durable.ts';
import { encodeManifest, MANIFEST } from './manifest.ts';
import { PRODUCER } from './producer.ts';
import { storageError } from './storage-error.ts';

/** What goes wrong with files in a folder, as an error that a person can act on. */
export async function inStorage<Result>(folder: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  try {
    return await work(folder);
  } catch (error) {
    throw storageError(error, folder);
  }
}

const draftPrefix = (folder: string) => `.${basename(folder)}.draft-`;
const failedFolder = (folder: string) => `${folder}.failed`;

/** Makes the hidden folder that becomes `folder`, and removes what an earlier, unfinished try left. */
export async function makeDraft(folder: string): Promise<string> {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const left = join(parent, name);
    if (name.startsWith(draftPrefix(folder)) || left === failedFolder(folder))
      await rm(left, { recursive: true, force: true });
  }
  return mkdtemp(join(parent, draftPrefix(folder)));
}

export async function beginDraft(key: ArtifactKey, folder: string): Promise<ArtifactDraft> {
  const draft = await makeDraft(folder);
  return {
    folder: draft,
    commit: (details) =>
      inStorage(folder, async () => {
        const manifest = await describeParts(key, draft, details);
        const encoded = encodeManifest(manifest);
        await finishDraft(draft, encoded, folder);
        return { key, digest: digestOf(encoded), folder, manifest };
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

/** Writes the manifest last, and makes the draft the artifact in `folder`. */
export async function finishDraft(draft: string, manifest: Buffer, folder: string): Promise<void> {
  await writeDurably(join(draft, MANIFEST), manifest);
  await sync(draft);
  await moveIntoPlace(draft, folder);
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
