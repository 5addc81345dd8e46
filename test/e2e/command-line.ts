import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, type World } from './world.ts';

/** A verb waits for a run, or for several that go before it. */
const MOST_MS = 240_000;

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `holdfast`, as a person types it who has the cluster's kubeconfig, in a namespace. */
export function commandLine({ cluster }: World, namespace: string): (...args: readonly string[]) => Promise<Ended> {
  const { kubeconfig: KUBECONFIG } = cluster.plane;
  return (...args) =>
    new Promise((resolve) => {
      execFile(
        join(ROOT, 'bin', 'holdfast'),
        [...args, '--cluster', '-n', namespace],
        { env: { PATH: process.env['PATH'], HOME: cluster.folder, KUBECONFIG }, cwd: cluster.folder, timeout: MOST_MS },
        (error, stdout, stderr) => {
          // No number where it was killed.
          const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ status, stdout, stderr });
        },
      );
    });
}
