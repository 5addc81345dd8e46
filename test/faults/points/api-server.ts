import { setTimeout as pause } from 'node:timers/promises';
import { CUT } from '../interference.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { SLOW_RUN } from '../scenarios/one-run.ts';
import { struck } from '../strike.ts';
import type { World } from '../world.ts';
import { keyOf } from './kills.ts';

/** The API server itself is the one in trouble: these points have one of their own. */
export function apiServerPoints(writes: readonly string[], random: Random): readonly Point[] {
  const jobs = writes.filter((write) => write.startsWith('POST jobs'));
  return [
    restarted('POST retentionruns of keep-due #1'),
    restarted(random.pick(jobs)),
    restarted(random.pick(writes)),
    compacted(random.pick(jobs)),
    compacted(random.pick(writes.slice(5))),
  ];
}

export function restarted(key: string, scenario: Scenario = SLOW_RUN): Point {
  return {
    name: `the API server is restarted after ${key}`,
    scenario,
    alone: true,
    async play(world) {
      await startUntil(world, key);
      await pause(world.random.between(0, 500));
      await world.plane.restartApiServer();
      return undefined;
    },
  };
}

/**
 * The watches are cut, much happens, and the API server forgets it: it compacts, and has no events in memory either, having
 * been restarted. What the operator then resumes from is too old.
 */
function compacted(key: string): Point {
  return {
    name: `after ${key} the watches are away, and what they missed is compacted: 410`,
    scenario: SLOW_RUN,
    alone: true,
    async play(world) {
      const operator = await startUntil(world, key);
      operator.proxy.interference = { watch: async () => ({ refuse: CUT }) };
      for (const watch of operator.proxy.watches.open()) watch.cut();
      // The task under way ends, and nobody hears of it.
      await pause(1_000);
      await world.plane.compact();
      await world.plane.restartApiServer();
      operator.proxy.interference = {};
      return () => (operator.proxy.watches.refused(410) > 0 ? [] : ['no watch was answered with 410']);
    },
  };
}

/** Starts the operator, and resolves when it has made that write. */
async function startUntil(world: World, key: string) {
  const operator = await world.replica('a');
  const done = Promise.withResolvers<void>();
  operator.proxy.interference = {
    async write(write, act) {
      const outcome = await act();
      if (keyOf(write) === key) done.resolve();
      return outcome;
    },
  };
  await operator.start();
  await struck(world, key, done.promise);
  return operator;
}
