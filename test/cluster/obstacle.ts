import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { BinariesMissing, CONTROL_PLANE, findBinaries } from './binaries.ts';
import { run } from './command.ts';
import { PLUGIN_FOLDER } from './network.ts';

/** Programs of Kubernetes that a node has besides its control plane, or that people use on it. */
export const NODE_PROGRAMS = ['kube-scheduler', 'kubelet', 'kube-proxy', 'coredns', 'kubectl', 'helm'] as const;

/** What is found under /usr, and the Debian package that brings it. */
const MACHINE: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  runc: 'runc',
  [join(PLUGIN_FOLDER, 'bridge')]: 'containernetworking-plugins',
  [join(PLUGIN_FOLDER, 'host-local')]: 'containernetworking-plugins',
  [join(PLUGIN_FOLDER, 'loopback')]: 'containernetworking-plugins',
  [join(PLUGIN_FOLDER, 'portmap')]: 'containernetworking-plugins',
  nft: 'nftables',
  ip: 'iproute2',
  conntrack: 'conntrack',
  sysctl: 'procps',
  openssl: 'openssl',
  unshare: 'util-linux',
  setpriv: 'util-linux',
};

/**
 * Why this machine cannot have a node, in a sentence, or undefined. The first call on a machine may download or build
 * programs for some minutes.
 * @param besides further programs of the machine that the caller needs, each with the Debian package that brings it
 */
export async function obstacle(besides: Readonly<Record<string, string>> = {}): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'a node needs Linux';
  if (process.getuid?.() !== 0) return 'a node needs root';
  const packages = new Set<string>();
  for (const [program, name] of Object.entries({ ...MACHINE, ...besides })) {
    if (!(await isThere(program))) packages.add(name);
  }
  if (packages.size > 0) {
    const missing = [...packages].join(' ');
    return `a node needs Debian packages that are missing: apt-get install --no-install-recommends ${missing}`;
  }
  try {
    await run('unshare', ['--net', '--mount', '--pid', '--fork', 'true']);
  } catch (error) {
    return `a node needs namespaces of its own, and this machine gives none: ${(error as Error).message}`;
  }
  try {
    await findBinaries([...CONTROL_PLANE, ...NODE_PROGRAMS]);
  } catch (error) {
    if (!(error instanceof BinariesMissing)) throw error;
    return error.message;
  }
  return undefined;
}

async function isThere(program: string): Promise<boolean> {
  const folders = program.startsWith('/') ? [''] : ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin'];
  for (const folder of folders) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
