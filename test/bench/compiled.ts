import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

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
    await promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', folder], {
      cwd: ROOT,
    });
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  } catch (error) {
    await remove();
    const { stdout = '' } = error as { stdout?: string };
    throw new Error(`the operator does not compile: ${stdout || String(error)}`, { cause: error });
  }
  return { main: join(folder, 'operator', 'main.js'), [Symbol.asyncDispose]: remove };
}
