import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';

const PREFIX = 'holdfast-images-';

/** Images and containers in a folder that goes with them: nothing of this is seen by, or left to, the machine's own. */
export interface Images extends AsyncDisposable {
  /** For what goes with them, such as secrets of a build. */
  readonly folder: string;
  /** Has every buildah that is started with it work in the folder. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves to what it printed, without the line's end. */
  buildah(...args: string[]): Promise<string>;
}

/** Past this, a build waits for what does not come. */
const MOST_SECONDS = 900;

/**
 * What goes before a program that changes files of another root as root: it ends with this process, however that ends, and
 * so do its own processes and mounts.
 */
const CONTAINED = [
  ...['setpriv', '--pdeathsig', 'KILL', '--'],
  ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ...['timeout', '--verbose', String(MOST_SECONDS)],
] as const;

/** @throws Error with the end of what it wrote when it fails, or takes longer than any of its kind should */
export async function contained(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [first, ...rest] = CONTAINED;
  return await run(first, [...rest, program, ...args], environment);
}

/** Needs root, and nothing else that a container or a machine without kernel modules would lack. */
export async function openImages(): Promise<Images> {
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  await removeAbandoned();
  const environment = { TMPDIR: join(folder, 'tmp'), CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf') };
  await mkdir(environment.TMPDIR);
  const places = `graphroot = "${join(folder, 'root')}"\nrunroot = "${join(folder, 'run')}"\n`;
  await writeFile(environment.CONTAINERS_STORAGE_CONF, `[storage]\ndriver = "vfs"\n${places}`);
  return {
    folder,
    environment,
    buildah: async (...args) => (await contained('buildah', args, environment)).trimEnd(),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What processes that were killed have left. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}
