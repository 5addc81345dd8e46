import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { PLUGIN_FOLDER } from './network.ts';

/** What a node needs of the machine, found under /usr, and the Debian package that brings it. */
const OF_NODE: Readonly<Record<string, string>> = {
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

/** What building the image needs. */
const OF_IMAGE: Readonly<Record<string, string>> = { buildah: 'buildah', debootstrap: 'debootstrap' };

/** What tests that are skipped without it need. */
const OF_TESTS: Readonly<Record<string, string>> = { pgbouncer: 'pgbouncer' };

/** The Debian packages that are missing for a node, and for the image if that is to be built, too. */
export function missingPackages(image: boolean): Promise<readonly string[]> {
  return missing({ ...OF_NODE, ...(image ? OF_IMAGE : {}) });
}

async function missing(packages: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const [program, name] of Object.entries(packages)) {
    if (!(await isThere(program))) names.add(name);
  }
  return [...names];
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

/** node test/cluster/packages.ts: the missing ones, in one line for apt-get. */
if (import.meta.main) console.log((await missing({ ...OF_NODE, ...OF_IMAGE, ...OF_TESTS })).join(' '));
