import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from './command.ts';

/** Where the node is. In the namespace it is on the loopback interface, so nothing of it can leave the machine. */
export const HOST_ADDRESS = '10.245.0.1';

/** Where pods ask for names: an address of its own, because the machine may have a name server on its port. */
export const DNS_ADDRESS = '10.245.0.2';

export const POD_RANGE = '10.244.0.0/16';

const BRIDGE = 'cni0';
const GONE_MS = 20_000;

/** Where Debian puts the plugins. */
export const PLUGIN_FOLDER = '/usr/lib/cni';

/** Writes the configuration of the pods' network and resolves to its folder: one bridge, no way out but the node. */
export async function writePodNetwork(folder: string): Promise<string> {
  const configuration = join(folder, 'net.d');
  await mkdir(configuration, { recursive: true });
  const network = {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: BRIDGE,
        isGateway: true,
        // A pod may reach itself through its Service.
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: join(folder, 'addresses'),
          ranges: [[{ subnet: POD_RANGE }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  await writeFile(join(configuration, 'pods.conflist'), JSON.stringify(network));
  // Set by the kernel where bridges are filtered at all. Without it, what a Service's pod answers to a neighbour would
  // bypass the translation of its address.
  await run('sysctl', ['-q', '-w', 'net.bridge.bridge-nf-call-iptables=1', 'net.ipv4.ip_forward=1']);
  return configuration;
}

/**
 * Removes what the plugins and the Services left in the namespace, when its pods have been unmounted.
 * @throws Error when an interface stays
 */
export async function removePodNetwork(): Promise<void> {
  await run('nft', ['flush', 'ruleset']);
  const deadline = Date.now() + GONE_MS;
  for (;;) {
    const names = (await interfaces()).filter((name) => name !== 'lo');
    if (names.length === 0) return;
    if (Date.now() > deadline) throw new Error(`network interfaces ${names.join(', ')} stay`);
    if (names.includes(BRIDGE)) await run('ip', ['link', 'delete', BRIDGE]);
    // The kernel removes a pod's a moment after its namespace.
    else await pause(20);
  }
}

async function interfaces(): Promise<readonly string[]> {
  const links = JSON.parse(await run('ip', ['-json', 'link', 'show'])) as readonly { ifname: string }[];
  return links.map(({ ifname }) => ifname);
}
