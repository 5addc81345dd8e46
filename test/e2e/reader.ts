import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinaries } from '../cluster/binaries.ts';
import { documented } from '../support/documented.ts';
import { ROOT, type World } from './world.ts';

const MOST_MS = 300_000;

/** Somebody who has a clone and a cluster, and types what the documents print. */
export interface Reader {
  /** Where they are: of a clone, what the lines name. */
  readonly folder: string;
  /**
   * Types the lines of that name. What they leave running in the background ends with them.
   * @returns what was printed
   * @throws Error with that when a line fails
   */
  types(file: string, name: string): Promise<string>;
}

/** @param variables what the documents leave to the reader, such as DATABASE_URL */
export async function openReader(world: World, variables: Readonly<Record<string, string>>): Promise<Reader> {
  const { cluster } = world;
  const folder = join(cluster.folder, 'reader');
  const programs = join(folder, 'bin');
  await mkdir(programs, { recursive: true });
  for (const name of ['charts', 'examples']) await symlink(join(ROOT, name), join(folder, name));
  const { kubectl, helm } = await findBinaries(['kubectl', 'helm']);
  for (const [name, path] of Object.entries({ kubectl, helm, holdfast: join(ROOT, 'bin', 'holdfast') })) {
    await symlink(path, join(programs, name));
  }
  // The image was built by `make image` before there was a cluster, and its node has it: there is no registry here.
  for (const name of ['make', 'docker']) {
    await writeFile(join(programs, name), `#!/bin/sh\necho "${name} $*"\n`);
    await chmod(join(programs, name), 0o755);
  }
  const environment = {
    ...process.env,
    ...variables,
    PATH: `${programs}:${process.env['PATH']}`,
    KUBECONFIG: cluster.plane.kubeconfig,
    HELM_CACHE_HOME: cluster.folder,
    HELM_CONFIG_HOME: cluster.folder,
  };
  return {
    folder,
    async types(file, name) {
      const log = join(folder, `${name}.log`);
      const script = `exec > ${log} 2>&1; set -euo pipefail\n${documented(file, name)}`;
      const child = spawn('bash', ['-c', script], { cwd: folder, env: environment, detached: true, stdio: 'ignore' });
      const late = setTimeout(() => endGroup(child.pid), MOST_MS);
      const [status] = (await once(child, 'exit')) as [number | null];
      clearTimeout(late);
      endGroup(child.pid);
      const said = await readFile(log, 'utf8');
      world.show(said.split('\n').slice(-12).join('\n'));
      if (status === 0) return said;
      throw new Error(`the lines ${name} of ${file} ended with ${status}:\n${said.slice(-4000)}`);
    },
  };
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
