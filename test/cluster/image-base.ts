import { createHash } from 'node:crypto';
import { access, chmod, copyFile, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { contained, openImages } from './buildah.ts';
import { run } from './command.ts';
import { npmFolder } from './machine-npm.ts';

/** What the official image of Node has of Debian, as far as anything here needs it. */
const SUITE = 'bookworm';
const PACKAGES = ['ca-certificates', 'libatomic1', 'libstdc++6'];
const NPM_COMMANDS = { npm: 'npm-cli.js', npx: 'npx-cli.js' };

const ROOT = join(import.meta.dirname, '..', '..');
const NODE = join(ROOT, 'node_modules', 'node', 'bin', 'node');

/** An image of Debian with this project's Node and the machine's npm in /usr/local. */
export interface BaseImage {
  /** An OCI archive. */
  readonly archive: string;
  /** Names what is in it. */
  readonly id: string;
}

/**
 * Stands in for the official image of Node where no registry of images can be reached; made of Debian packages once
 * and kept in `folder`.
 */
export async function baseImage(folder: string): Promise<BaseImage> {
  const npm = await npmFolder();
  const versions = [await run(NODE, ['--version']), await versionOf(npm), process.arch];
  const recipe = await readFile(import.meta.filename);
  const id = createHash('sha256')
    .update(`${versions.join(' ')}\0`)
    .update(recipe)
    .digest('hex')
    .slice(0, 12);
  const archive = join(folder, `base-${id}.tar`);
  if (!(await exists(archive))) await makeBase(archive, npm);
  return { archive, id };
}

async function makeBase(archive: string, npm: string): Promise<void> {
  await using images = await openImages();
  const container = await images.buildah('from', 'scratch');
  const root = await images.buildah('mount', container);
  await contained('debootstrap', ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, root]);
  for (const folder of ['var/cache/apt', 'var/lib/apt/lists', 'var/log']) {
    await rm(join(root, folder), { recursive: true, force: true });
    await mkdir(join(root, folder));
  }
  const local = join(root, 'usr/local');
  await copyFile(NODE, join(local, 'bin/node'));
  await chmod(join(local, 'bin/node'), 0o755);
  await cp(npm, join(local, 'lib/node_modules/npm'), { recursive: true, dereference: true });
  for (const [command, file] of Object.entries(NPM_COMMANDS)) {
    await symlink(`../lib/node_modules/npm/bin/${file}`, join(local, 'bin', command));
  }
  await images.buildah(
    'config',
    '--env',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    container,
  );
  await images.buildah('config', '--arch', process.arch === 'x64' ? 'amd64' : process.arch, container);
  await mkdir(dirname(archive), { recursive: true });
  const temporary = `${archive}.${process.pid}`;
  try {
    await images.buildah('commit', '--quiet', '--rm', container, `oci-archive:${temporary}`);
    await rename(temporary, archive);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function versionOf(npm: string): Promise<string> {
  return (JSON.parse(await readFile(join(npm, 'package.json'), 'utf8')) as { version: string }).version;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
