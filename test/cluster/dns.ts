import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DNS_ADDRESS } from './network.ts';
import { type ClusterProcess, startProcess, untilReady } from './process.ts';

const READY_MS = 30_000;
const READY_PORT = 8181;

/** Starts the name server of the cluster, beside it rather than in it: so it needs no image. */
export async function startDns(options: {
  readonly program: string;
  readonly folder: string;
  readonly kubeconfig: string;
}): Promise<ClusterProcess> {
  const configuration = join(options.folder, 'Corefile');
  await writeFile(configuration, corefile(options.kubeconfig));
  const started = await startProcess({
    program: options.program,
    args: ['-conf', configuration],
    logFile: join(options.folder, 'coredns.log'),
  });
  const ready = async () => (await fetch(`http://${DNS_ADDRESS}:${READY_PORT}/ready`)).ok;
  await untilReady(started, ready, READY_MS);
  return started;
}

/** Names outside of the cluster do not exist, rather than being asked for in vain. */
function corefile(kubeconfig: string): string {
  return `cluster.local in-addr.arpa {
  bind ${DNS_ADDRESS}
  errors
  ready ${DNS_ADDRESS}:${READY_PORT}
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
    ttl 1
  }
}
. {
  bind ${DNS_ADDRESS}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}
