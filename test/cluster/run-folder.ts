import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { removeControlGroup } from './cgroups.ts';
import { tryLock } from './lock.ts';

const PREFIX = 'holdfast-run-';
const LOCK = 'lock';

/** Everything that a run leaves outside of its namespaces: a folder, and a control group of the same name. */
export interface RunFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes a folder that is held as long as this process lives, after removing those of the dead. */
export async function makeRunFolder(): Promise<RunFolder> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(PREFIX)) await removeAbandoned(join(tmpdir(), name));
  }
  for (;;) {
    const path = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    const lock = holdOf(path);
    // Between the two steps another process may have taken it for abandoned.
    if (lock === undefined || !existsSync(join(path, LOCK))) continue;
    return {
      path,
      async [Symbol.asyncDispose]() {
        await removeRun(path);
        lock[Symbol.dispose]();
      },
    };
  }
}

async function removeAbandoned(path: string): Promise<void> {
  using lock = holdOf(path);
  if (lock !== undefined) await removeRun(path);
}

function holdOf(path: string): Disposable | undefined {
  try {
    return tryLock(join(path, LOCK));
  } catch (error) {
    if (existsSync(path)) throw error;
    return undefined;
  }
}

/** Where its processes have just been killed, the last of them may still be on its way out. */
async function removeRun(path: string): Promise<void> {
  await removeControlGroup(basename(path));
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
