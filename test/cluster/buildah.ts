import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';

/** Images and containers in a folder that goes with them: nothing of this is seen by, or left to, the machine's own. */
export interface Images extends AsyncDisposable {
  /** Resolves to what it printed, without the line's end. */
  buildah(...args: string[]): Promise<string>;
}

/** Needs root, and nothing else that a container or a machine without kernel modules would lack. */
export async function openImages(): Promise<Images> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-images-'));
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  await mkdir(join(folder, 'tmp'));
  const environment = { TMPDIR: join(folder, 'tmp') };
  const buildah = async (...args: string[]) => (await run('buildah', [...storage, ...args], environment)).trimEnd();
  return {
    buildah,
    async [Symbol.asyncDispose]() {
      await buildah('umount', '--all').catch(() => {});
      await buildah('rm', '--all').catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}
