import { BinariesMissing, CONTROL_PLANE, findBinaries } from './binaries.ts';
import { run } from './command.ts';
import { missingPackages } from './packages.ts';

/** Programs of Kubernetes that a node has besides its control plane, or that people use on it. */
export const NODE_PROGRAMS = ['kube-scheduler', 'kubelet', 'kube-proxy', 'coredns', 'kubectl', 'helm'] as const;

/**
 * Why this machine cannot have a node, in a sentence, or undefined. The first call on a machine may download or build
 * programs for some minutes.
 * @param image whether the image is to be built as well
 */
export async function obstacle({ image = false } = {}): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'a node needs Linux';
  if (process.getuid?.() !== 0) return 'a node needs root';
  const packages = await missingPackages(image);
  if (packages.length > 0) {
    const missing = packages.join(' ');
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
