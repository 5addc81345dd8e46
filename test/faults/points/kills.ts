import { CUT, type Write } from '../interference.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import { nameOfAnyDay, type Scenario } from '../scenario.ts';
import { ONE_RUN } from '../scenarios/one-run.ts';
import { struck } from '../strike.ts';
import type { World } from '../world.ts';

/** How a write is found again in another run, whose writes may be in a slightly different order, and on another day. */
export function keyOf({ words, object, occurrence }: Write): string {
  return `${words} of ${nameOfAnyDay(object)} #${occurrence}`;
}

type Moment = 'before' | 'after';

/** Who goes on when the operator is dead. */
type Successor = 'a new process' | 'a new process that waits for the lease' | 'a standby';

/**
 * The operator is killed around each of its writes: just before, so that the write never reaches the API server; just
 * after, so that it is done and nobody knows.
 */
export function killPoints(writes: readonly string[], random: Random): readonly Point[] {
  const chosen = () => random.pick(writes);
  return [
    ...writes.flatMap((key, index) => [
      kill(ONE_RUN, key, 'before', 'a new process', `, write ${index + 1}`),
      kill(ONE_RUN, key, 'after', 'a new process', `, write ${index + 1}`),
    ]),
    // The real way to lead: the lease of the dead one expires.
    kill(ONE_RUN, chosen(), 'before', 'a standby'),
    kill(ONE_RUN, chosen(), 'after', 'a standby'),
    kill(ONE_RUN, chosen(), 'after', 'a standby'),
    kill(ONE_RUN, chosen(), 'before', 'a new process that waits for the lease'),
    kill(ONE_RUN, chosen(), 'after', 'a new process that waits for the lease'),
  ];
}

export function kill(scenario: Scenario, key: string, moment: Moment, successor: Successor, which = ''): Point {
  return {
    name: `killed just ${moment} ${key}${which}; ${successor} goes on`,
    scenario,
    long: successor !== 'a new process',
    async play(world) {
      const operator = await world.replica('a');
      const dead = Promise.withResolvers<void>();
      let alive = true;
      operator.proxy.interference = {
        async write(write, act) {
          if (!alive || keyOf(write) !== key) return await act();
          alive = false;
          if (moment === 'after') await act();
          await operator.kill();
          dead.resolve();
          return CUT;
        },
      };
      await operator.start();
      if (successor === 'a standby') await (await world.replica('b')).start();
      await struck(world, key, dead.promise);
      await follow(world, successor);
      return undefined;
    },
  };
}

async function follow(world: World, successor: Successor): Promise<void> {
  if (successor === 'a standby') return;
  // A dead process cannot hold it; waiting for it to expire is what the other points are for.
  if (successor === 'a new process') await world.freeLease();
  await world.replicas[0]?.start();
}
