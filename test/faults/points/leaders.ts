import { setTimeout as pause } from 'node:timers/promises';
import { RESOURCES } from '../../../operator/kube/api.ts';
import type { Lease } from '../../../operator/kube/lease.ts';
import { CUT, type Interference } from '../interference.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Replica } from '../replica.ts';
import type { Scenario } from '../scenario.ts';
import { SLOW_RUN } from '../scenarios/one-run.ts';
import { struck } from '../strike.ts';
import type { World } from '../world.ts';
import { keyOf } from './kills.ts';

/** Where the write is on which the leader is stopped. */
type Whereabouts = 'is on its way' | 'is done and unanswered' | 'is answered';

/**
 * The leader stands still, as a process does whose machine is starved or suspended, until another leads; then it goes on,
 * believing that it leads. It must write nothing more; what it had sent before may arrive late.
 */
export function leaderPoints(writes: readonly string[], random: Random): readonly Point[] {
  const jobs = writes.filter((write) => write.startsWith('POST jobs'));
  const states = writes.filter((write) => write.startsWith('PATCH retentionruns/status'));
  return [
    stopped(random.pick(jobs), 'is on its way'),
    stopped(random.pick(states), 'is on its way'),
    stopped('POST retentionruns of keep-due #1', 'is on its way'),
    stopped(random.pick(writes), 'is on its way'),
    stopped(random.pick(jobs), 'is done and unanswered'),
    stopped(random.pick(writes), 'is done and unanswered'),
    stopped(random.pick(jobs), 'is answered'),
    stopped(random.pick(writes.slice(0, -3)), 'is answered'),
  ];
}

export function stopped(key: string, whereabouts: Whereabouts, scenario: Scenario = SLOW_RUN): Point {
  return {
    name: `the leader stands still while ${key} ${whereabouts}, another leads, and it goes on`,
    scenario,
    long: true,
    async play(world) {
      const first = await world.replica('a');
      const second = await world.replica('b');
      const still = Promise.withResolvers<void>();
      const late = Promise.withResolvers<void>();
      first.proxy.interference = standStill(first, key, whereabouts, still.resolve, late.promise);
      await first.start();
      await leads(world, 'a');
      await second.start();
      await struck(world, key, still.promise);
      await leads(world, 'b');
      await pause(world.random.between(0, 1_500));
      late.resolve();
      await pause(world.random.between(0, 500));
      const after: string[] = [];
      first.proxy.interference = {
        async write({ words }, act) {
          const outcome = await act();
          // What was on its way as it stood still may come yet, and is refused where another wrote meanwhile.
          if (outcome !== CUT && outcome.status < 300) after.push(words);
          return outcome;
        },
      };
      first.signal('SIGCONT');
      return () => (after.length === 0 ? [] : [`it wrote though another led: ${after.join(', ')}`]);
    },
  };
}

/** Stops the process at that write, which goes on when it is late. */
function standStill(
  replica: Replica,
  key: string,
  whereabouts: Whereabouts,
  isStill: () => void,
  late: Promise<void>,
): Interference {
  let happened = false;
  return {
    async write(write, act) {
      if (happened || keyOf(write) !== key) return await act();
      happened = true;
      const stop = () => {
        replica.signal('SIGSTOP');
        isStill();
      };
      if (whereabouts === 'is on its way') {
        stop();
        await late;
        return await act();
      }
      const outcome = await act();
      stop();
      if (whereabouts === 'is done and unanswered') await late;
      return outcome;
    },
  };
}

async function leads({ client, namespace, until }: World, name: string): Promise<void> {
  await until(`${name} leads`, async () => {
    const lease = await client.get<Lease>(RESOURCES.leases, `${namespace}/holdfast`);
    return lease?.spec?.holderIdentity?.startsWith(`${name}_`) === true ? true : undefined;
  });
}
