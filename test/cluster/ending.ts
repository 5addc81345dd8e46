import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Waits for the end of a program and what it wrote; resolves to its status. One that is late is killed with all that it
 * has started, each by its own id: what runs behind `unshare` or `setpriv` survives its starter once it changes its user.
 * @param what is waited for, as in "the end of initdb"
 * @throws Error that says so when it is late, or cannot be started
 */
export function endOf(child: ChildProcess, what: string, withinMs: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      if (child.pid !== undefined) killTree(child.pid);
      reject(new Error(`not within ${withinMs / 1000} s: ${what} (${child.spawnargs.join(' ')})`));
    }, withinMs);
    child.once('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    child.once('close', (status) => {
      clearTimeout(late);
      resolve(status);
    });
  });
}

/** Kills a process and all below it. Those below are looked up first: they lose their parent with it. */
function killTree(pid: number): void {
  const below = childrenOf(pid);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
  for (const child of below) killTree(child);
}

/** Processes that a process has started and that are still its own. */
export function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
