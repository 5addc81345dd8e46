import { setTimeout as pause } from 'node:timers/promises';
import type { OperatorProcess } from '../cluster/operator-process.ts';
import { untilLeading, untilReady } from './footprint.ts';
import { leads } from './health.ts';
import { type Distribution, distribution } from './percentiles.ts';
import type { Shop } from './shop.ts';

/** How the leader ends: at once, or by letting go of its lease. */
export type End = 'SIGKILL' | 'SIGTERM';

export interface Failover {
  /** From the signal until the other replica says that it leads. */
  readonly leading: Distribution;
  /** From the signal until the run under way has its next Job, made by the other replica. */
  readonly working: Distribution;
}

/** The lease is renewed this often. */
const RENEWAL_MS = 4_000;
const LEASE = 'holdfast';
const LOOK_MS = 20;
const LONGEST_MS = 60_000;

/**
 * Two replicas; the leader ends in the middle of a task, the task ends while nobody leads, and the other replica goes on.
 * Each run must succeed, with no task begun twice.
 */
export async function measureFailover(
  shop: Shop,
  options: { readonly end: End; readonly times: number; readonly main: string },
): Promise<Failover> {
  const { end, times, main } = options;
  const program = `failover-${end.toLowerCase()}`;
  await shop.makeProgram(program);
  const leading: number[] = [];
  const working: number[] = [];
  let leader = await shop.operator(`${program}-0`, main);
  await untilLeading(leader);
  try {
    for (let time = 0; time < times; time += 1) {
      const standby = await shop.operator(`${program}-${time + 1}`, main);
      await untilReady(standby);
      const run = `${program}-${time + 1}`;
      const held = `${run}-score-1`;
      const next = `${run}-offer-1`;
      const made = (job: string) => shop.times.of(run).find(({ name }) => name === job)?.createdAt;
      shop.hold(held);
      await shop.makeRun(program, run);
      await shop.jobs.until(`the Job ${held} is there`, () => made(held) !== undefined);
      // The worst first: it has just been renewed, and the other has yet to see that. Then ever later in a renewal.
      await renewed(shop);
      await pause((RENEWAL_MS * time) / times);

      const at = performance.now();
      const gone = end === 'SIGKILL' ? kill(leader) : leader.stop();
      shop.release(held);
      const [took] = await Promise.all([
        leadsAfter(standby, at),
        shop.jobs.until(`the Job ${next} is there`, () => made(next) !== undefined),
        gone,
      ]);
      leading.push(took);
      working.push((made(next) as number) - at);
      leader = standby;
      await shop.succeeded(run);
      const jobs = shop.times.of(run);
      const again = jobs.filter(({ attempt }) => attempt > 1);
      if (again.length > 0) throw new Error(`made again: ${again.map(({ name }) => name).join(', ')}`);
    }
  } finally {
    await leader.stop();
  }
  return { leading: distribution(leading), working: distribution(working) };
}

async function renewed({ leases }: Shop): Promise<void> {
  const renewal = () => leases.get(LEASE)?.spec?.renewTime;
  const before = renewal();
  await leases.until('the leader renews its lease', () => renewal() !== before);
}

async function kill(operator: OperatorProcess): Promise<void> {
  operator.signal('SIGKILL');
  await operator.stop();
}

async function leadsAfter(operator: OperatorProcess, since: number): Promise<number> {
  while (!(await leads(operator))) {
    if (performance.now() - since > LONGEST_MS) throw new Error(`${operator.name} does not take over`);
    await pause(LOOK_MS);
  }
  return performance.now() - since;
}
