import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { removeControlGroup } from './cgroups.ts';
import { endShims } from './containerd.ts';
import { unmountBelow } from './mounts.ts';
import { removePodNetwork } from './network.ts';

/** Folders that programs of a node use whatever they are told; under enter.ts they are the run's own. */
const FIXED_FOLDERS = ['/run', '/var/lib', '/var/log'];

/** The control group of everything in a run's pods: enter.ts looks for it by this name. */
export function controlGroupOf(runFolder: string): string {
  return basename(runFolder);
}

/** Removes what a node leaves when its kubelet and containerd have ended, in whichever way: pods, mounts, interfaces. */
export async function removeNodeRemains(runFolder: string): Promise<void> {
  await endShims(runFolder);
  await removeControlGroup(controlGroupOf(runFolder));
  await unmountBelow([runFolder, ...FIXED_FOLDERS], join(runFolder, 'mountinfo'));
  await removePodNetwork();
  for (const folder of ['/run/containerd', '/run/netns', '/var/lib/cni', '/var/lib/kubelet', '/var/log/containers']) {
    await rm(folder, { recursive: true, force: true });
  }
}
