import type { ControlPlane } from '../cluster/control-plane.ts';
import { refer } from './converge.ts';
import { openWorld } from './open-world.ts';
import type { Reference } from './picture.ts';
import { differences } from './picture.ts';
import { keyOf } from './points/kills.ts';
import type { Scenario } from './scenario.ts';
import { SEVERAL_RUNS } from './scenarios/index.ts';
import { FOUR_RUNS, JOB_DELETED, JOBS_COLLECTED, ONE_RUN, PROGRAM_EDITED, SLOW_RUN } from './scenarios/one-run.ts';

/** How things go when nothing goes wrong. */
export interface Observed {
  /** By the name of the scenario. */
  readonly references: ReadonlyMap<string, Reference>;
  /** The writes of one run, in order, as far as they are the same each time. */
  readonly writes: readonly string[];
  /** How many events of a resource and type come: `jobs ADDED`. */
  readonly events: ReadonlyMap<string, number>;
  /** The writes of each scenario of several runs, by its name. */
  readonly writesOf: ReadonlyMap<string, readonly string[]>;
  /** Events that come only where somebody deletes a Job. */
  readonly eventsOfDeletion: ReadonlyMap<string, number>;
}

interface Sight {
  readonly reference: Reference;
  readonly writes: readonly string[];
  readonly events: ReadonlyMap<string, number>;
}

/** Watches each scenario undisturbed; the first twice, since a state that differs by itself could prove nothing. */
export async function observe(plane: ControlPlane, seed: number): Promise<Observed> {
  const [one, again, deleted, edited, collected, four] = await Promise.all([
    watch(plane, 'undisturbed', ONE_RUN, seed),
    watch(plane, 'undisturbed-again', ONE_RUN, seed),
    watch(plane, 'undisturbed-deleted', JOB_DELETED, seed),
    watch(plane, 'undisturbed-edited', PROGRAM_EDITED, seed),
    watch(plane, 'undisturbed-collected', JOBS_COLLECTED, seed),
    watch(plane, 'undisturbed-four', { ...FOUR_RUNS, taskMs: 0 }, seed),
  ]);
  const several = await Promise.all(
    SEVERAL_RUNS.map(async (scenario, index) => ({
      scenario,
      ...(await watch(plane, `undisturbed-several-${index}`, scenario, seed)),
    })),
  );
  const [difference] = differences(one.reference.picture, again.reference.picture);
  if (difference !== undefined) throw new Error(`Two undisturbed runs differ: ${difference}`);
  const references = new Map([
    [ONE_RUN.name, one.reference],
    [SLOW_RUN.name, one.reference],
    [JOB_DELETED.name, deleted.reference],
    [PROGRAM_EDITED.name, edited.reference],
    [JOBS_COLLECTED.name, collected.reference],
    [FOUR_RUNS.name, four.reference],
    ...several.map(({ scenario, reference }) => [scenario.name, reference] as const),
  ]);
  const least = ([name, count]: [string, number]): [string, number] => [
    name,
    Math.min(count, again.events.get(name) ?? 0),
  ];
  return {
    references,
    writes: one.writes.filter((write) => again.writes.includes(write)),
    events: new Map([...one.events].map(least)),
    writesOf: new Map(several.map(({ scenario, writes }) => [scenario.name, writes])),
    eventsOfDeletion: new Map([...deleted.events].filter(([name]) => !one.events.has(name))),
  };
}

async function watch(plane: ControlPlane, namespace: string, scenario: Scenario, seed: number): Promise<Sight> {
  const world = await openWorld({ plane, namespace, seed, scenario });
  try {
    const operator = await world.replica('a');
    const events = new Map<string, number>();
    operator.proxy.interference = {
      async event({ resource, type, number, line }, stream) {
        events.set(`${resource} ${type}`, number);
        stream.send(line);
      },
    };
    await operator.start();
    const reference = await refer(world, scenario.ends);
    // Only at an orderly end does Node keep what it has compiled, for all operators after these.
    await operator.stop();
    return { reference, writes: operator.proxy.writes.map(keyOf), events };
  } finally {
    await world.close();
  }
}
