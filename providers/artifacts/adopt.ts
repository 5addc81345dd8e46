import { constants, copyFile, link, lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import type { ArtifactKey, ArtifactManifest, ArtifactPart, ArtifactReference } from './artifact.ts';
import { openArtifact } from './committed.ts';
import { finishDraft, makeDraft } from './draft.ts';
import { digestOf, fingerprint, sync } from './durable.ts';
import { MANIFEST, readManifest } from './manifest.ts';
import { PRODUCER } from './producer.ts';

/** The artifact of another run that is to be adopted. */
export interface Adopted {
  readonly key: ArtifactKey;
  readonly folder: string;
  /** SHA-256 that its manifest must have. */
  readonly digest: string;
}

/** How a second name of a file is made; where it cannot be, the file is copied. */
export type Link = (from: string, to: string) => Promise<void>;

/**
 * Makes what one run committed the artifact of another too, whole or not at all; repeating it changes nothing. Each part is
 * verified in its new place, so nothing that happens to the old one meanwhile, or later, can give it other bytes in silence.
 * @throws HF_ARTIFACT_CORRUPT when it is gone, was changed, or another version of Holdfast made it
 */
export async function adoptArtifact(
  from: Adopted,
  to: ArtifactKey,
  folder: string,
  linkFile: Link = link,
): Promise<ArtifactReference> {
  const there = await openArtifact(to, folder).catch(unlessCorrupt);
  if (there?.digest === from.digest) return there;
  const { encoded, manifest } = await readAdopted(from);
  const draft = await makeDraft(folder);
  try {
    for (const part of manifest.parts) await takePart(part, from, draft, linkFile);
    await finishDraft(draft, encoded, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return { key: to, digest: from.digest, folder, manifest };
}

async function readAdopted(from: Adopted): Promise<{ encoded: Buffer; manifest: ArtifactManifest }> {
  const encoded = await readFile(join(from.folder, MANIFEST)).catch(orGone(from, 'is gone'));
  if (digestOf(encoded) !== from.digest) throw unfit(from, 'is not the one that was recorded');
  const manifest = readManifest(encoded, nameOf(from));
  if (manifest.stage !== from.key.stage) throw unfit(from, `is that of the stage ${manifest.stage}`);
  if (manifest.producer === PRODUCER) return { encoded, manifest };
  throw unfit(from, `was made by ${manifest.producer}, and this is ${PRODUCER}`);
}

async function takePart({ path, bytes, sha256 }: ArtifactPart, from: Adopted, draft: string, linkFile: Link) {
  const [source, target] = [join(from.folder, path), join(draft, path)];
  if (!(await isFile(source).catch(orGone(from, `has lost its part ${path}`))))
    throw unfit(from, `has a part that is no file: ${path}`);
  const linked = await linkFile(source, target).then(
    () => true,
    () => false,
  );
  if (!linked) {
    await copyFile(source, target, constants.COPYFILE_FICLONE).catch(orGone(from, `has lost its part ${path}`, source));
    await sync(target);
  }
  const found = (await isFile(target)) ? await fingerprint(target) : undefined;
  if (found?.bytes !== bytes || found.sha256 !== sha256) {
    throw unfit(from, `was changed: ${path} is not what its manifest says`);
  }
}

/** Whether a path is a file itself, and no link to one. */
async function isFile(path: string): Promise<boolean> {
  return (await lstat(path)).isFile();
}

/** A file that is not there, as what it says of the artifact; unless `source` is: then it is the draft that has gone. */
function orGone(from: Adopted, what: string, source?: string): (error: NodeJS.ErrnoException) => Promise<never> {
  return async (error) => {
    if (error.code !== 'ENOENT' || (source !== undefined && (await isThere(source)))) throw error;
    throw unfit(from, what, error);
  };
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function unlessCorrupt(error: unknown): undefined {
  if (error instanceof HoldfastError && error.code === 'HF_ARTIFACT_CORRUPT') return;
  throw error;
}

function unfit(from: Adopted, what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HF_ARTIFACT_CORRUPT', `${nameOf(from)} ${what}.`, { cause });
}

function nameOf({ key }: Adopted): string {
  return `The artifact of stage ${key.stage} of run ${key.run}`;
}
