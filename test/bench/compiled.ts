import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/command.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The operator as the image has it: JavaScript, in a folder of its own. */
export interface Compiled extends AsyncDisposable {
  /** Path of its main program. */
  readonly main: string;
}

/** @throws Error with what the compiler said */
export async function compileOperator(): Promise<Compiled> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-compiled-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const compiler = join(ROOT, 'node_modules/typescript-native/bin/tsc');
    await run(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', folder]);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  } catch (error) {
    await remove();
    throw error;
  }
  return { main: join(folder, 'operator', 'main.js'), [Symbol.asyncDispose]: remove };
}
