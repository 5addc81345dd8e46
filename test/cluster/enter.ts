import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { DNS_ADDRESS, HOST_ADDRESS } from './network.ts';
import { obstacle } from './obstacle.ts';
import { makeRunFolder } from './run-folder.ts';

const SETPRIV = '/usr/bin/setpriv';
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a command in namespaces of its own for network (nothing but a loopback, with the addresses of a node on it),
 * mounts and processes. The kernel ends whatever runs in them with the command, or with this process.
 * @returns the command's status, as a shell would give it
 */
async function enter(command: readonly string[]): Promise<number> {
  let passOn = (_signal: NodeJS.Signals): void => {
    process.exitCode = 143;
  };
  for (const signal of PASSED_ON) process.on(signal, () => passOn(signal));

  await using folder = await makeRunFolder();
  if (process.exitCode !== undefined) return 143;
  // Signals of a terminal go to everything in the session; without one, this process is told alone.
  const terminal = process.stdin.isTTY;
  const script = join(import.meta.dirname, 'namespace-init.sh');
  const namespaces = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child'];
  const child = spawn(SETPRIV, ['--pdeathsig', 'KILL', '--', ...namespaces, 'sh', script, folder.path, ...command], {
    stdio: 'inherit',
    detached: !terminal,
    env: {
      ...process.env,
      // Where some programs of the cluster are, and others look for them.
      PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
      HOLDFAST_NAMESPACE_ADDRESSES: `${HOST_ADDRESS} ${DNS_ADDRESS}`,
    },
  });
  passOn = (signal) => {
    if (terminal && signal === 'SIGINT') return;
    const init = firstProcess(folder.path);
    try {
      if (init === undefined) child.kill('SIGKILL');
      else process.kill(init, signal);
    } catch {
      // It has just ended.
    }
  };
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal as NodeJS.Signals]));
  });
  try {
    return await ended;
  } finally {
    passOn = () => {};
  }
}

/** Of the namespaces, by the number that the machine knows it by; undefined as long as it is not there. */
function firstProcess(runFolder: string): number | undefined {
  const file = join(runFolder, 'init.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined;
}

/** node test/cluster/enter.ts COMMAND… */
if (import.meta.main) {
  const command = process.argv.slice(2);
  const reason = command.length === 0 ? 'usage: node test/cluster/enter.ts COMMAND…' : await obstacle();
  if (reason === undefined) process.exitCode = await enter(command);
  else {
    console.error(reason);
    process.exitCode = 1;
  }
}
