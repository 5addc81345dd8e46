import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Past this, a process is stuck. */
const STOP_MS = 20_000;

/** What the kernel needs to take a process away. */
const KILLED_MS = 20_000;

const SETPRIV = '/usr/bin/setpriv';

/** One program of a cluster, as a child of this process. */
export interface ClusterProcess {
  readonly name: string;
  readonly pid: number;
  /** Where its output goes. */
  readonly logFile: string;
  /** Whether it has ended, by itself or otherwise. */
  readonly ended: boolean;
  /** Sends a signal, such as SIGSTOP or SIGKILL. */
  signal(name: NodeJS.Signals): void;
  /** Ends it, gently at first and by force after `graceMs`, and waits until it is gone. */
  stop(graceMs?: number): Promise<void>;
}

export interface ProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts a program whose life is tied to this process: where the machine has setpriv, the kernel ends it even when
 * this process is killed.
 */
export async function startProcess({ program, args, logFile, environment }: ProcessOptions): Promise<ClusterProcess> {
  const name = basename(program);
  const log = openSync(logFile, 'a');
  const command = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--', program] : [program];
  const child = spawn(command[0] as string, [...command.slice(1), ...args], {
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
  });
  closeSync(log);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const pid = await pidOf(child);
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    pid,
    logFile,
    get ended() {
      return ended();
    },
    signal: (signal) => {
      child.kill(signal);
    },
    async stop(graceMs = STOP_MS) {
      if (ended()) return;
      child.kill('SIGTERM');
      // A stopped process sees the signal only once it goes on.
      child.kill('SIGCONT');
      if (!(await endsWithin(gone, graceMs))) {
        child.kill('SIGKILL');
        if (!(await endsWithin(gone, KILLED_MS)))
          throw new Error(`not within ${KILLED_MS / 1000} s: the end of ${name} (${pid}), which was killed`);
      }
    },
  };
}

async function endsWithin(gone: Promise<void>, milliseconds: number): Promise<boolean> {
  const over = new AbortController();
  const late = pause(milliseconds, false, { signal: over.signal }).catch(() => false);
  const ended = await Promise.race([gone.then(() => true), late]);
  over.abort();
  return ended;
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid as number));
  });
}

/**
 * Asks again and again until the answer is yes.
 * @throws Error with the end of the process's log when it ended or the time is over
 */
export async function untilReady(
  started: ClusterProcess,
  ask: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await ask().catch(() => false))) {
    if (started.ended) throw await failure(started, 'ended');
    if (Date.now() > deadline) throw await failure(started, `was not ready after ${timeoutMs / 1000} s`);
    await pause(50);
  }
}

async function failure(started: ClusterProcess, what: string): Promise<Error> {
  const lines = (await readFile(started.logFile, 'utf8')).trimEnd().split('\n');
  return new Error(`${started.name} ${what}:\n${lines.slice(-20).join('\n')}`);
}
