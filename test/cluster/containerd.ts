import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from './command.ts';
import { PLUGIN_FOLDER } from './network.ts';
import { PAUSE_IMAGE, writePauseImage } from './pause-image.ts';
import { type ClusterProcess, startProcess, untilReady } from './process.ts';

const READY_MS = 30_000;
const GONE_MS = 20_000;
const SHIM = 'containerd-shim-runc-v2';

export interface Containerd {
  readonly process: ClusterProcess;
  /** Where the kubelet reaches it, as a URL. */
  readonly endpoint: string;
  /** Makes the images of an OCI archive known to the node, under the names that the archive gives them. */
  importImage(ociArchive: string): Promise<void>;
}

/**
 * Starts a containerd that has nothing in common with the machine's own.
 * @param folder its configuration, images and containers
 * @param networkFolder configuration of the pods' network
 */
export async function startContainerd(folder: string, networkFolder: string): Promise<Containerd> {
  await mkdir(folder, { recursive: true });
  const socket = socketOf(folder);
  const configuration = join(folder, 'containerd.toml');
  await writeFile(configuration, toml(folder, networkFolder));
  const process = await startProcess({
    program: 'containerd',
    args: ['--config', configuration],
    logFile: join(folder, 'containerd.log'),
  });
  const ctr = (...args: string[]) => run('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args]);
  const importImage = async (archive: string) => {
    await ctr('images', 'import', archive);
  };
  await untilReady(process, async () => existsSync(socket) && (await ctr('version')) !== '', READY_MS);
  await importImage(await writePauseImage(join(folder, 'pause')));
  return { process, endpoint: `unix://${socket}`, importImage };
}

function socketOf(folder: string): string {
  return join(folder, 'containerd.sock');
}

function toml(folder: string, networkFolder: string): string {
  const text = JSON.stringify;
  const cri = '[plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${text(join(folder, 'root'))}
state = ${text(join(folder, 'state'))}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = ${text(socketOf(folder))}

[plugins."io.containerd.internal.v1.opt"]
path = ${text(join(folder, 'opt'))}

${cri}]
sandbox_image = ${text(PAUSE_IMAGE)}
# A machine need not have the right to protect a process from the killer of last resort.
restrict_oom_score_adj = true
disable_hugetlb_controller = true
tolerate_missing_hugetlb_controller = true

${cri}.containerd]
snapshotter = "overlayfs"

${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

${cri}.cni]
bin_dir = ${text(PLUGIN_FOLDER)}
conf_dir = ${text(networkFolder)}
`;
}

/**
 * Kills the shims of a containerd that has ended, which outlive it by design.
 * @param folder what startContainerd was given, or one above
 */
export async function endShims(folder: string): Promise<void> {
  const deadline = Date.now() + GONE_MS;
  for (;;) {
    const shims = await shimsOf(folder);
    if (shims.length === 0) return;
    if (Date.now() > deadline) throw new Error(`shims ${shims.join(', ')} do not end`);
    for (const pid of shims) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
    await pause(20);
  }
}

async function shimsOf(folder: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const line = await readFile(join('/proc', entry, 'cmdline'), 'utf8').catch(() => '');
    const [program = '', ...args] = line.split('\0');
    const address = args[args.indexOf('-address') + 1] ?? '';
    if (program.endsWith(SHIM) && address.startsWith(`${folder}/`)) found.push(Number(entry));
  }
  return found;
}
