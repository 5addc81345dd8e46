import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const IMPORT_MS = 120_000;
/** Far beyond the largest bench. */
const SCRIPT_MS = 3_600_000;

/** Modules by the names that they are imported by, with those that pip knows them by. */
type Modules = Readonly<Record<string, string>>;

/** Runs the script; resolves to what it prints. */
type Peer = (
  args: readonly string[],
  options?: { readonly environment?: NodeJS.ProcessEnv; readonly started?: (pid: number) => void },
) => Promise<string>;

/**
 * A script of this folder, to be run by a Python that has what it needs. Where it lacks something, the
 * process ends with 1 and one sentence: what, and the command that installs it.
 */
export async function peer(python: string, script: string, modules: Modules): Promise<Peer> {
  const run = promisify(execFile);
  const imports = Object.keys(modules).join(', ');
  await run(python, ['-c', `import ${imports}`], { timeout: IMPORT_MS }).catch(
    (error: NodeJS.ErrnoException & { stderr?: string }) => {
      const lacks = error.code === 'ENOENT' ? 'there is no such program' : error.stderr?.trim().split('\n').at(-1);
      const install = `python3 -m venv .venv && .venv/bin/pip install ${Object.values(modules).join(' ')}`;
      process.stderr.write(`${python} cannot be the peer (${lacks}); make one by: ${install}\n`);
      process.exit(1);
    },
  );
  return async (args, { environment = process.env, started } = {}) => {
    const running = run(python, [join(import.meta.dirname, script), ...args], { timeout: SCRIPT_MS, env: environment });
    if (running.child.pid !== undefined) started?.(running.child.pid);
    return (await running).stdout;
  };
}
