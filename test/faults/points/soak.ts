import { setTimeout as pause } from 'node:timers/promises';
import { RESOURCES } from '../../../operator/kube/api.ts';
import type { ProgramObject } from '../../../operator/kube/objects.ts';
import { pipelineStatusOf } from '../../support/program.ts';
import { CUT, type Interference, refusal } from '../interference.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Replica } from '../replica.ts';
import { FOUR_RUNS } from '../scenarios/one-run.ts';
import type { World } from '../world.ts';

/** Trouble for so long, or until everything is over. */
const TROUBLE_MS = 40_000;

/** Both replicas all the time, killed and drained as it comes, on a network that loses one thing or another. */
export function soakPoints(): readonly Point[] {
  return [
    {
      name: 'two replicas killed at random, four runs',
      scenario: FOUR_RUNS,
      long: true,
      play: (world) => soak(world, {}),
    },
    {
      name: 'two replicas killed at random on a bad network, four runs',
      scenario: FOUR_RUNS,
      long: true,
      play: (world) => soak(world, badNetwork(world.random)),
    },
  ];
}

async function soak(world: World, interference: Interference): Promise<() => readonly string[]> {
  const { random } = world;
  const replicas = [await world.replica('a'), await world.replica('b')];
  for (const replica of replicas) {
    replica.proxy.interference = interference;
    await replica.start();
  }
  let deaths = 0;
  for (const end = performance.now() + TROUBLE_MS; performance.now() < end && !(await isOver(world)); ) {
    await pause(random.between(300, 2_500));
    await die(random.pick(replicas), random, world);
    deaths += 1;
  }
  for (const replica of replicas) {
    replica.proxy.interference = {};
    if (!replica.alive) await replica.start();
  }
  return () => (deaths > 1 ? [] : ['it was over too soon']);
}

async function die(replica: Replica, random: Random, world: World): Promise<void> {
  const gently = random.next() < 0.3;
  await (gently ? replica.stop() : replica.kill());
  // Else the next ten seconds would be quiet ones.
  if (random.next() < 0.5) await world.freeLease();
  await pause(random.between(0, 800));
  await replica.start();
}

async function isOver({ client, namespace }: World): Promise<boolean> {
  const { items } = await client.list<ProgramObject>(RESOURCES.retentionPrograms, { namespace });
  return items.every((program) => pipelineStatusOf(program)?.lastRun?.candidates !== undefined);
}

/** One thing in thirty goes wrong. */
function badNetwork(random: Random): Interference {
  const unlucky = (): boolean => random.next() < 1 / 30;
  return {
    async write(_write, act) {
      if (unlucky()) return refusal(503, 'ServiceUnavailable');
      const outcome = await act();
      return unlucky() ? CUT : outcome;
    },
    read: async (_read, act) => (unlucky() ? CUT : await act()),
    watch: async () => (unlucky() ? { refuse: refusal(410, 'Expired') } : undefined),
    async event({ line }, stream) {
      if (unlucky()) stream.cut();
      if (unlucky()) stream.send(line);
      if (unlucky()) await pause(random.between(0, 1_000));
      stream.send(line);
    },
  };
}
