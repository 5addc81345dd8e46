import { readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A server that says, in its data folder's `postmaster.pid`, that it serves that folder. */
export interface Postmaster {
  readonly pid: number;
  readonly socketFolder: string;
  /** Whether it has finished starting and has not begun to stop. */
  readonly ready: boolean;
}

const POLL_MS = 10;
const FAST_SHUTDOWN_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/**
 * The live server of a data folder, whoever started it. A lock file whose process is another program (the number
 * was given out again, after a reboot say) is removed: Postgres would refuse to start on it.
 */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const file = join(data, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // process id, data folder, start time, port, socket folder, TCP address, shared memory, status
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  if (!(await serves(pid, data))) {
    await rm(file, { force: true });
    return undefined;
  }
  return { pid, socketFolder: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' };
}

/** Asks for a fast shutdown (open transactions roll back), insists after half a minute; resolves once it is gone. */
export async function stopPostmaster(data: string, server: Postmaster): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
  ] as const) {
    try {
      process.kill(server.pid, signal);
    } catch {
      return;
    }
    if (await waitUntilGone(data, server, patience)) return;
  }
}

/** Whether the server no longer holds the data folder, after at most `milliseconds`. */
export async function waitUntilGone(data: string, { pid }: Postmaster, milliseconds: number): Promise<boolean> {
  for (let waited = 0; waited < milliseconds; waited += POLL_MS) {
    if (!isAlive(pid) || !(await holds(data, pid))) return true;
    await pause(POLL_MS);
  }
  return false;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The lock file goes last; the process may stay as a zombie where nobody reaps orphans. */
async function holds(data: string, pid: number): Promise<boolean> {
  return readFile(join(data, 'postmaster.pid'), 'utf8').then(
    (text) => text.startsWith(`${pid}\n`),
    () => false,
  );
}

async function serves(pid: number, data: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  // Where there is no /proc the lock file has to be believed.
  if (command === undefined || command.split('\0').includes(data)) return true;
  return (await readlink(`/proc/${pid}/cwd`).catch(() => undefined)) === data;
}
