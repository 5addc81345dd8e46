import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';

const MOST_OUTPUT = 64 * 1024 * 1024;

/**
 * Runs a program to its end and resolves to what it wrote to its standard output.
 * @param environment added to this process's
 * @throws Error with the end of what it wrote when it fails
 */
export async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { ...process.env, ...environment };
  try {
    const { stdout } = await promisify(execFile)(program, args, { env, maxBuffer: MOST_OUTPUT });
    return stdout;
  } catch (cause) {
    const { message, stdout = '', stderr = '' } = cause as Error & { stdout?: string; stderr?: string };
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-30).join('\n');
    throw new Error(`${basename(program)} ${args.join(' ')}: ${said || message}`, { cause });
  }
}
