import { lstat, open, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Images } from './buildah.ts';
import { checkPrograms } from './image-programs.ts';

/** The promise that the image is no larger on a node. */
const MOST_BYTES = 450_000_000;

const HOME = 'opt/holdfast';

/** `e_machine` of an ELF header, by the name that Node has for a processor. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

interface Configuration {
  readonly User?: string;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
}

/**
 * Holds an image against what it promises.
 * @returns bytes of its files
 * @throws Error with every promise that it breaks
 */
export async function checkImage(images: Images, reference: string): Promise<number> {
  const container = await images.buildah('from', '--pull-never', reference);
  const root = await images.buildah('mount', container);
  const files = await filesOf(root);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const inspected = JSON.parse(await images.buildah('inspect', '--type=image', reference));
  const broken = [
    ...(bytes > MOST_BYTES ? [`it has ${bytes} bytes of files, more than ${MOST_BYTES}`] : []),
    ...configurationFaults(inspected.OCIv1.config),
    ...(await contentFaults(root, files)),
    ...(await checkPrograms(root, HOME)),
  ];
  if (broken.length > 0) throw new Error(`the image does not keep what it promises:\n- ${broken.join('\n- ')}`);
  return bytes;
}

interface ImageFile {
  /** From the image's root. */
  readonly path: string;
  readonly size: number;
  readonly mode: number;
}

/** Files with several names count once. Links are not followed: those of the image lead out of it. */
async function filesOf(root: string): Promise<readonly ImageFile[]> {
  const files: ImageFile[] = [];
  const seen = new Set<number>();
  const folders = [root];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      if (!entry.isFile()) continue;
      const { size, mode, ino } = await lstat(path);
      files.push({ path: relative(root, path), size: seen.has(ino) ? 0 : size, mode });
      seen.add(ino);
    }
  }
  return files;
}

function configurationFaults({ User, Entrypoint, Cmd, WorkingDir }: Configuration): readonly string[] {
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])].join(' ');
  return [
    // By number, or `runAsNonRoot` cannot be checked.
    ...(/^[1-9]\d*(:[1-9]\d*)?$/.test(User ?? '') ? [] : [`its user is ${User}`]),
    ...(command === 'node operator/main.js' && WorkingDir === `/${HOME}`
      ? []
      : [`it starts ${command} in ${WorkingDir}`]),
  ];
}

async function contentFaults(root: string, files: readonly ImageFile[]): Promise<readonly string[]> {
  const ours = files.filter(({ path }) => path.startsWith(`${HOME}/`));
  const lock = JSON.parse(await readFile(join(import.meta.dirname, '..', '..', 'package-lock.json'), 'utf8'));
  const isDevelopment = ({ path }: ImageFile) => {
    const [, name] = /^opt\/holdfast\/(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return name !== undefined && lock.packages[name]?.dev === true;
  };
  const foreign = [];
  for (const file of ours.filter(({ path }) => /\.(node|dll|dylib)$|\.so(\.[\d.]+)?$/.test(path))) {
    if (!(await isForThisMachine(join(root, file.path)))) foreign.push(file);
  }
  return [
    ...listed(
      'a TypeScript source',
      ours.filter(({ path }) => /\.[cm]?ts$/.test(path)),
    ),
    ...listed('a file of a development dependency', ours.filter(isDevelopment)),
    ...listed('a package without its licence', withoutLicence(ours, Object.keys(lock.packages))),
    ...(files.some(({ path }) => /^usr\/share\/doc\/[^/]+\/copyright$/.test(path))
      ? []
      : ['it has no licences of Debian packages']),
    ...listed('a binary of another platform', foreign),
    ...listed(
      'a file that gives its user other rights',
      files.filter(({ mode }) => (mode & 0o6000) !== 0),
    ),
    ...listed(
      'a file that not every user can read',
      ours.filter(({ mode }) => (mode & 0o004) === 0),
    ),
    ...listed(
      'a file that others than root can write to',
      ours.filter(({ mode }) => (mode & 0o022) !== 0),
    ),
    ...listed(
      'settings of npm',
      files.filter(({ path }) => path.endsWith('.npmrc')),
    ),
  ];
}

/** By their package.json; a licence may be in the README. */
function withoutLicence(ours: readonly ImageFile[], packages: readonly string[]): readonly ImageFile[] {
  const licensed = new Set(
    ours
      .map(({ path }) => /^(.*)\/(?:licen[cs]e|copying|readme)[^/]*$/i.exec(path)?.[1])
      .filter((folder) => folder !== undefined),
  );
  const manifests = new Set(packages.map((name) => `${HOME}/${name}/package.json`));
  return ours.filter(({ path }) => manifests.has(path) && !licensed.has(path.slice(0, -'/package.json'.length)));
}

function listed(what: string, files: readonly ImageFile[]): readonly string[] {
  const [first] = files;
  return first === undefined ? [] : [`it has ${what}: ${first.path}${files.length > 1 ? ` (of ${files.length})` : ''}`];
}

async function isForThisMachine(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(20), 0, 20, 0);
    return buffer.toString('latin1', 0, 4) === '\x7fELF' && buffer.readUInt16LE(18) === MACHINES[process.arch];
  } finally {
    await file.close();
  }
}
