import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 50;

/** `getconf CLK_TCK` of Linux. */
const TICKS_PER_SECOND = 100;

/** What a process and all that it started took. */
export interface Footprint {
  /** The greatest proportional set size of all at one moment, in MB. */
  readonly maxPssMb: number;
  /** Time of processors, which says more than that of a clock where other things run too. */
  readonly cpuSeconds: number;
}

export interface Watch {
  /** Ends the watch. */
  end(): Promise<Footprint>;
}

/**
 * Watches the proportional set size (what a process has of its own, and its share of what it shares) of a process and
 * its descendants, those that outlive their parents too: whatever has `mark` in its command line.
 */
export function watchProcesses(root: number, mark: string): Watch {
  let most = 0;
  const ended = new AbortController();
  const ticks = new Map<number, number>();
  const seen = new Set<number>([root]);
  const watching = (async () => {
    while (!ended.signal.aborted) {
      const pids = await family(seen, mark);
      most = Math.max(most, await proportionalBytes(pids));
      for (const pid of pids) ticks.set(pid, (await ticksOf(pid)) ?? ticks.get(pid) ?? 0);
      await pause(LOOK_MS);
    }
  })();
  return {
    async end() {
      ended.abort();
      await watching;
      const all = [...ticks.values()].reduce((sum, own) => sum + own, 0);
      return { maxPssMb: Math.round(most / 1e6), cpuSeconds: all / TICKS_PER_SECOND };
    },
  };
}

/** Those of `seen` that live, and their children, and theirs; remembered, so that an orphan stays one of them. */
async function family(seen: Set<number>, mark: string): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readOrNothing(`/proc/${name}/stat`);
    // The command, in brackets, may hold blanks.
    const parent = /\) \S (\d+) /.exec(stat)?.[1];
    if (parent === undefined) continue;
    parents.set(Number(name), Number(parent));
    if (!seen.has(Number(name)) && (await readOrNothing(`/proc/${name}/cmdline`)).includes(mark)) {
      seen.add(Number(name));
    }
  }
  for (let grown = -1; grown !== seen.size; ) {
    grown = seen.size;
    for (const [pid, parent] of parents) if (seen.has(parent)) seen.add(pid);
  }
  return [...seen].filter((pid) => parents.has(pid) && pid !== process.pid);
}

async function proportionalBytes(pids: readonly number[]): Promise<number> {
  const sizes = await Promise.all(pids.map((pid) => readOrNothing(`/proc/${pid}/smaps_rollup`)));
  return sizes.reduce((sum, text) => sum + Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024, 0);
}

/** User and system time so far, in ticks; of children that have ended, it is among their own. */
async function ticksOf(pid: number): Promise<number | undefined> {
  const fields = (await readOrNothing(`/proc/${pid}/stat`)).split(') ').at(-1)?.split(' ') ?? [];
  return fields.length < 14 ? undefined : Number(fields[11]) + Number(fields[12]);
}

/** A process may end while it is looked at. */
function readOrNothing(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
