import { openImpatient } from '../impatient.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { SLOW_RUN } from '../scenarios/one-run.ts';
import { struck } from '../strike.ts';
import { keyOf } from './kills.ts';

/**
 * The other end of a watch is gone, and nobody says so: no bytes come, and the connection stays. The operator takes a watch
 * for dead that does not even bring the bookmark of each minute; here it is told to wait for seconds instead of minutes.
 */
export function halfOpenPoints(writes: readonly string[], random: Random): readonly Point[] {
  const later = writes.slice(4, -6);
  return [
    halfOpen(random.pick(later), undefined),
    halfOpen(random.pick(later), undefined),
    halfOpen(random.pick(later), 'jobs'),
    halfOpen(random.pick(later), 'retentionruns'),
  ];
}

export function halfOpen(key: string, resource: string | undefined, scenario: Scenario = SLOW_RUN): Point {
  return {
    name: `after ${key} ${resource === undefined ? 'every watch is' : `the watch of ${resource} is`} half open`,
    scenario,
    long: true,
    async play(world) {
      const operator = await world.replica('a', openImpatient);
      const done = Promise.withResolvers<void>();
      let muted = 0;
      operator.proxy.interference = {
        async write(write, act) {
          const outcome = await act();
          if (keyOf(write) === key && muted === 0) {
            for (const watch of operator.proxy.watches.open(resource)) {
              watch.mute();
              muted += 1;
            }
            done.resolve();
          }
          return outcome;
        },
      };
      await operator.start();
      await struck(world, key, done.promise);
      return () => (muted > 0 ? [] : ['no watch was open']);
    },
  };
}
