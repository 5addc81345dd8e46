import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from './command.ts';
import { endOf } from './ending.ts';
import { type Cluster, startCluster } from './one-node.ts';
import { PAUSE_IMAGE } from './pause-image.ts';

const ENTER = join(import.meta.dirname, 'enter.ts');
const GONE_MS = 10_000;
const CLUSTER_MS = 5 * 60_000;

/**
 * npm run cluster:leftovers: shows that nothing is left of a cluster with a pod on it: of one that was stopped, and of
 * one whose starter was killed, when the next has come and gone.
 */
async function main(): Promise<void> {
  const stopped = spawn(process.execPath, [ENTER, process.execPath, import.meta.filename, 'stop'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await endOf(stopped, 'the end of a cluster that is stopped', CLUSTER_MS);
  const left = status === 0 ? await ofRun(stopped.pid as number) : ['a cluster that did not stop'];
  report('a cluster that was stopped', left);

  const killed = spawn(process.execPath, [ENTER, process.execPath, import.meta.filename, 'stay'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([
    once(killed.stdout, 'data'),
    endOf(killed, 'the start of a cluster', CLUSTER_MS).then(() =>
      Promise.reject(new Error('a cluster did not start')),
    ),
  ]);
  killed.kill('SIGKILL');
  const deadline = Date.now() + GONE_MS;
  while ((await processesWith(nameOf(killed.pid as number))).length > 0 && Date.now() < deadline) await pause(50);
  report('processes of one that was killed', await processesWith(nameOf(killed.pid as number)));
  await run(process.execPath, [ENTER, 'true']);
  report('one that was killed, after the next', await ofRun(killed.pid as number));
}

function report(what: string, left: readonly string[]): void {
  console.log(left.length === 0 ? `nothing is left of ${what}` : `left of ${what}:\n  ${left.join('\n  ')}`);
  if (left.length > 0) process.exitCode = 1;
}

function nameOf(pid: number): string {
  return `holdfast-run-${pid}-`;
}

/** What the machine still has of the run of an enter.ts. */
async function ofRun(pid: number): Promise<readonly string[]> {
  const name = nameOf(pid);
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n');
  const groups = await readdir('/sys/fs/cgroup', { recursive: true });
  return [
    ...(await processesWith(name)),
    ...mounts.filter((line) => line.includes(name)),
    ...groups.filter((path) => path.includes(name)),
    ...(await readdir(tmpdir())).filter((entry) => entry.startsWith(name)),
  ];
}

async function processesWith(text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const line = (await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (line.includes(text)) found.push(`${pid} ${line}`);
  }
  return found;
}

/** What the namespaces have besides their first process and this one. */
async function inNamespaces(): Promise<readonly string[]> {
  const own = ['1', String(process.pid)];
  const links = JSON.parse(await run('ip', ['-json', 'link'])) as readonly { ifname: string }[];
  const mounts = async (file: string) => (await readFile(file, 'utf8')).trimEnd().split('\n');
  const before = new Set(await mounts(join(process.env['HOLDFAST_NAMESPACE_FOLDER'] as string, 'mountinfo')));
  return [
    ...(await processesWith('')).filter((line) => !own.includes(line.split(' ')[0] as string) && !/^\d+ $/.test(line)),
    ...links.map(({ ifname }) => ifname).filter((name) => name !== 'lo'),
    ...(await mounts('/proc/self/mountinfo')).filter((line) => !before.has(line)),
  ];
}

async function runPod(cluster: Cluster): Promise<void> {
  await cluster.kubectl('run', 'still', `--image=${PAUSE_IMAGE}`, '--image-pull-policy=IfNotPresent');
  await cluster.kubectl('wait', '--for=condition=Ready', 'pod/still', '--timeout=60s');
}

if (process.argv[2] === undefined) await main();
else {
  const cluster = await startCluster();
  await runPod(cluster);
  console.log('a cluster runs a pod');
  if (process.argv[2] === 'stay') await once(process, 'SIGTERM');
  await cluster.stop();
  report('it in its namespaces', await inNamespaces());
}
