import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { contained, openImages } from './buildah.ts';
import { type BaseImage, baseImage } from './image-base.ts';
import { checkImage } from './image-checks.ts';
import { npmSettings } from './machine-npm.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Never the name of an image that could be pulled: `.test` is reserved. */
const REPOSITORY = 'registry.test/holdfast';

/** What nobody has used for so long is forgotten when another is made. */
const KEPT_MS = 24 * 3600 * 1000;

export interface BuiltImage {
  /** An OCI archive, which names the image by `reference`. */
  readonly archive: string;
  /** REPOSITORY:TAG, other for each content. */
  readonly reference: string;
  /** What the image takes on a node. */
  readonly unpackedBytes: number;
}

/**
 * Builds the image by the Dockerfile, and keeps it in the user's cache as long as nothing that goes into it changes. Needs
 * root, buildah and debootstrap.
 * @throws Error with what the build said, or what is wrong with the image
 */
export async function buildImage(): Promise<BuiltImage> {
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'holdfast', 'images');
  const base = await baseImage(folder);
  const tag = await digestOf(base);
  const archive = join(folder, `holdfast-${tag}.tar`);
  const known = await readFile(`${archive}.json`, 'utf8').catch(() => undefined);
  if (known !== undefined) {
    const now = new Date();
    for (const file of [base.archive, archive, `${archive}.json`]) await utimes(file, now, now);
    return JSON.parse(known) as BuiltImage;
  }
  await mkdir(folder, { recursive: true });
  const image = { archive, reference: `${REPOSITORY}:${tag}` };
  const built = { ...image, unpackedBytes: await build(image, base) };
  // Written last: what it describes is whole.
  await writeFile(`${archive}.json`, JSON.stringify(built));
  await forgetOthers(folder, [archive, base.archive]);
  return built;
}

async function build(image: Omit<BuiltImage, 'unpackedBytes'>, base: BaseImage): Promise<number> {
  await using images = await openImages();
  const npmrc = join(images.folder, 'npmrc');
  const temporary = `${image.archive}.${process.pid}`;
  try {
    await writeFile(npmrc, await npmSettings(), { mode: 0o600 });
    await contained('make', ['-C', ROOT, 'image'], {
      ...images.environment,
      BUILDER: 'buildah',
      BUILDAH_ISOLATION: 'chroot',
      NODE_IMAGE: `oci-archive:${base.archive}`,
      NPMRC: npmrc,
      IMAGE: image.reference,
    });
    const unpackedBytes = await checkImage(images, image.reference);
    await images.buildah('push', '--quiet', image.reference, `oci-archive:${temporary}:${image.reference}`);
    await rename(temporary, image.archive);
    return unpackedBytes;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** SHA-256, cut short, over all that the builder is given. */
async function digestOf(base: BaseImage): Promise<string> {
  const ignore = await readFile(join(ROOT, '.dockerignore'), 'utf8');
  const given = [...ignore.matchAll(/^!(.+)$/gm)].map(([, name]) => name as string);
  const hash = createHash('sha256').update(base.id);
  for (const name of ['Dockerfile', '.dockerignore', 'bin/build-image', ...given]) {
    for (const file of await filesUnder(join(ROOT, name))) {
      hash.update(`\0${relative(ROOT, file)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 12);
}

async function filesUnder(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Images of earlier states of the project; but those of today may be another checkout's. */
async function forgetOthers(folder: string, current: readonly string[]): Promise<void> {
  for (const name of await readdir(folder)) {
    const [archive] = /^(base|holdfast)-[0-9a-f]{12}\.tar/.exec(name) ?? [];
    if (archive === undefined || current.includes(join(folder, archive))) continue;
    const file = await stat(join(folder, name)).catch(() => undefined);
    if (file !== undefined && Date.now() - file.mtimeMs > KEPT_MS) await rm(join(folder, name), { force: true });
  }
}

/** node test/cluster/image.ts: builds it, unless it is there, and prints where it is as JSON. */
if (import.meta.main) {
  const began = performance.now();
  const built = await buildImage();
  console.log(JSON.stringify({ ...built, seconds: Math.round((performance.now() - began) / 100) / 10 }));
}
