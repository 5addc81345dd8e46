import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { OperatorProcess } from '../cluster/operator-process.ts';
import { isReady, leads, metric, residentMb } from './health.ts';
import { median } from './percentiles.ts';

/** What an operator takes to start, and what it then takes up, with nothing to do; medians. */
export interface Footprint {
  /** From the start of the process to `/readyz`. */
  readonly readyMs: number;
  /** From the start of the process to the lease, which is free. */
  readonly leadingMs: number;
  readonly residentMb: number;
  readonly samples: number;
}

/** So long after it has nothing more to do, its size is read. */
const IDLE_MS = 2_000;
const READY_MS = 30_000;
const LOOK_MS = 20;
const QUEUE_DEPTH = 'holdfast_operator_queue_depth';

export async function measureFootprint(
  samples: number,
  start: (sample: number) => Promise<OperatorProcess>,
): Promise<Footprint> {
  const taken: { readyMs: number; leadingMs: number; residentMb: number }[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const begun = Date.now();
    const operator = await start(sample);
    try {
      await untilLeading(operator);
      const log = await readFile(operator.logFile, 'utf8');
      // Its own log says when, to the millisecond and by the same clock; asking again and again would slow it down.
      const after = (line: RegExp) => Date.parse(line.exec(log)?.[1] ?? '') - begun;
      const readyMs = Math.max(after(/^(\S+) watching$/m), after(/^(\S+) listening on port/m));
      const leadingMs = after(/^(\S+) leading$/m);
      await until(operator, 'done with its queue', async () => (await metric(operator, QUEUE_DEPTH)) === 0);
      await pause(IDLE_MS);
      taken.push({ readyMs, leadingMs, residentMb: await residentMb(operator) });
    } finally {
      await operator.stop();
    }
  }
  const middle = (name: 'readyMs' | 'leadingMs' | 'residentMb') => median(taken.map((one) => one[name]));
  return {
    readyMs: middle('readyMs'),
    leadingMs: middle('leadingMs'),
    residentMb: middle('residentMb'),
    samples: taken.length,
  };
}

/** Resolves once the operator has the lease and its caches are filled. */
export function untilLeading(operator: OperatorProcess): Promise<void> {
  return until(operator, 'leading', async () => (await isReady(operator)) && (await leads(operator)));
}

export function untilReady(operator: OperatorProcess): Promise<void> {
  return until(operator, 'ready', () => isReady(operator));
}

async function until(operator: OperatorProcess, what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`${operator.name} is not ${what}:\n${await readFile(operator.logFile, 'utf8')}`);
    }
    await pause(LOOK_MS);
  }
}
