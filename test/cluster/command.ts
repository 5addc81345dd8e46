import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';

const MOST_OUTPUT = 64 * 1024 * 1024;
/** Longer than anything that limits its own time (buildah.ts). */
const MOST_MS = 20 * 60_000;

type Ended = Error & { readonly killed?: boolean; readonly stdout?: string; readonly stderr?: string };

/**
 * Runs a program to its end and resolves to what it wrote to its standard output.
 * @param environment added to this process's
 * @throws Error with the end of what it wrote when it fails or does not end
 */
export async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { ...process.env, ...environment };
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      env,
      maxBuffer: MOST_OUTPUT,
      timeout: MOST_MS,
      killSignal: 'SIGKILL',
    });
    return stdout;
  } catch (cause) {
    const { message, killed, stdout = '', stderr = '' } = cause as Ended;
    const late = killed === true ? `not within ${MOST_MS / 1000} s: its end\n` : '';
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-30).join('\n');
    throw new Error(`${basename(program)} ${args.join(' ')}: ${late}${said || message}`, { cause });
  }
}
