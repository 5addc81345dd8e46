import { spawn } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endOf } from './ending.ts';
import { KUBERNETES_VERSION, type Program } from './programs.ts';

/** A busy machine takes 25 minutes for the largest. */
const BUILD_MS = 60 * 60_000;

/** Without these a program of Kubernetes says that it is version 0.0.0, and helm refuses it. Others have no such variables. */
const [MAJOR, MINOR] = KUBERNETES_VERSION.split('.');
const VERSION = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((variables) => [
  `${variables}.gitVersion=v${KUBERNETES_VERSION}`,
  `${variables}.gitMajor=${MAJOR}`,
  `${variables}.gitMinor=${MINOR}`,
]);

/**
 * Builds a program from Go modules. kube-apiserver comes first and takes some minutes, the others share most of it.
 * @throws Error with what the compiler said
 */
export async function buildProgram(program: Program, file: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  try {
    await go(join(import.meta.dirname, 'go', program.module), [
      'build',
      '-trimpath',
      `-ldflags=${['-s -w', ...VERSION].join(' -X ')}`,
      '-o',
      temporary,
      program.package,
    ]);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function go(folder: string, args: readonly string[]): Promise<void> {
  // The machine stays usable meanwhile.
  const child = spawn('nice', ['-n', '19', 'go', ...args], { cwd: folder, stdio: ['ignore', 'inherit', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const status = await endOf(child, 'the end of a build', BUILD_MS);
  if (status !== 0) throw new Error(`go ${args.join(' ')} failed:\n${said}`);
}
