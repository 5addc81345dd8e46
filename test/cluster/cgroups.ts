import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
const GONE_MS = 20_000;

/**
 * Makes a control group in every hierarchy, for the kubelet to put its pods under.
 * @returns its path within each hierarchy
 */
export async function makeControlGroup(name: string): Promise<string> {
  for (const hierarchy of await hierarchies()) {
    if (existsSync(join(hierarchy, 'cgroup.controllers'))) await offerControllers(hierarchy);
    const group = join(hierarchy, name);
    await mkdir(group, { recursive: true });
    // In version 1 a new group may use no processor and no memory until told which.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (existsSync(join(hierarchy, file)) && !existsSync(join(group, 'cgroup.controllers'))) {
        await writeFile(join(group, file), await readFile(join(hierarchy, file)));
      }
    }
  }
  return `/${name}`;
}

/** In version 2 a group has the controllers that its parent offers. */
async function offerControllers(group: string): Promise<void> {
  const controllers = (await readFile(join(group, 'cgroup.controllers'), 'utf8')).split(/\s+/).filter(Boolean);
  for (const controller of controllers) await writeFile(join(group, 'cgroup.subtree_control'), `+${controller}`);
}

/**
 * Kills every process in a control group and below, and removes it everywhere; nothing happens where there is none.
 * @throws Error when a process does not end
 */
export async function removeControlGroup(name: string): Promise<void> {
  const deadline = Date.now() + GONE_MS;
  for (const hierarchy of await hierarchies()) {
    // From the bottom up: a group goes only after those in it.
    const groups = (await groupsUnder(join(hierarchy, name))).reverse();
    for (;;) {
      const pids = groups.flatMap(processesOf);
      if (pids.length === 0) break;
      if (Date.now() > deadline) throw new Error(`processes ${pids.join(', ')} in ${name} do not end`);
      for (const pid of pids) kill(pid);
      await pause(20);
    }
    for (const group of groups) await remove(group, deadline);
  }
}

async function hierarchies(): Promise<readonly string[]> {
  if (existsSync(join(ROOT, 'cgroup.procs'))) return [ROOT];
  const entries = await readdir(ROOT, { withFileTypes: true });
  // Some names are links to a hierarchy of several controllers.
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(ROOT, entry.name));
}

async function groupsUnder(group: string): Promise<string[]> {
  if (!existsSync(group)) return [];
  const entries = await readdir(group, { recursive: true, withFileTypes: true });
  return [group, ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))];
}

function processesOf(group: string): readonly number[] {
  return readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The kernel takes a moment after the last process has ended. */
async function remove(group: string, deadline: number): Promise<void> {
  for (;;) {
    try {
      return await rmdir(group);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || Date.now() > deadline) throw error;
      await pause(20);
    }
  }
}
