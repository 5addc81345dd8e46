import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { childrenOf, endOf } from './ending.ts';

/** That of the image, and one of a platform that chooses users itself, as OpenShift does: of group 0, with no name. */
const USERS = ['65532:65532', '1000680000:0'];
const STARTED_MS = 30_000;
const STOPPED_MS = 10_000;

/** Nothing listens there: the operator runs, and goes on trying. */
const KUBECONFIG = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'none', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'none', user: { token: 'none' } }],
  contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
  'current-context': 'none',
});

/**
 * Starts each program of an image, as process 1 and as each of its users.
 * @param root where the image is mounted
 * @param home folder of the programs in it
 * @returns what is wrong
 */
export async function checkPrograms(root: string, home: string): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const user of USERS) {
    const found = await programFaults(root, home, user);
    faults.push(...found.map((fault) => `as ${user} ${fault}`));
  }
  return faults;
}

async function programFaults(root: string, home: string, user: string): Promise<readonly string[]> {
  const faults: string[] = [];
  const cli = await finished(start(root, home, user, ['cli/entry.js', 'validate', 'examples/churn-prevention.yaml']));
  if (cli.status !== 0 || !cli.said.includes('0 faults')) faults.push(`cli/entry.js does not work: ${cli.said}`);
  const jobs = await finished(start(root, home, user, ['jobs/main.js', 'batch/extract/none']));
  if (jobs.status !== 78 || !jobs.said.includes('HF_USAGE')) faults.push(`jobs/main.js does not work: ${jobs.said}`);
  await writeFile(join(root, 'tmp', 'kubeconfig'), KUBECONFIG);
  const operator = start(root, home, user, ['operator/main.js'], {
    HOLDFAST_IMAGE: 'none',
    HOLDFAST_PORT: '0',
    KUBECONFIG: '/tmp/kubeconfig',
  });
  const ended = finished(operator);
  if (!(await says(operator, 'listening on port'))) {
    faults.push(`operator/main.js did not say within ${STARTED_MS / 1000} s that it listens`);
  }
  terminate(operator);
  const { status, said } = await ended;
  if (status !== 0) faults.push(`operator/main.js does not end on SIGTERM as process 1: ${said}`);
  return faults;
}

function start(
  root: string,
  home: string,
  user: string,
  args: readonly string[],
  environment: Record<string, string> = {},
) {
  const path = 'PATH=/usr/local/bin:/usr/bin:/bin';
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const apart = ['--pid', '--fork', '--kill-child', `--mount-proc=${join(root, 'proc')}`];
  const inside = ['chroot', `--userspec=${user}`, root, 'env', '-i', '-C', `/${home}`, path, 'HOME=/tmp', ...variables];
  return spawn('unshare', [...apart, '--', ...inside, 'node', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function finished(child: ChildProcess): Promise<{ readonly status: number | null; readonly said: string }> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (said += text));
  const end = () => said.trim().split('\n').slice(-5).join('\n');
  try {
    const status = await endOf(child, `the end of ${child.spawnargs.at(-1)}`, STARTED_MS + STOPPED_MS);
    return { status, said: end() };
  } catch (error) {
    return { status: null, said: `${(error as Error).message}\n${end()}` };
  }
}

function says(child: ChildProcess, text: string): Promise<boolean> {
  let said = '';
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), STARTED_MS);
    child.once('close', () => resolve(false));
    child.stderr?.on('data', (more) => {
      said += more;
      if (!said.includes(text)) return;
      clearTimeout(late);
      resolve(true);
    });
  });
}

/** Signals the program itself, whose parent waits for it. */
function terminate({ pid }: ChildProcess): void {
  for (const child of childrenOf(pid as number)) process.kill(child, 'SIGTERM');
}
