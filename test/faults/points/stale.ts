import { setTimeout as pause } from 'node:timers/promises';
import { RESOURCES } from '../../../operator/kube/api.ts';
import { CUT, type Interference } from '../interference.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { JOBS_COLLECTED, ONE_RUN, PROGRAM_EDITED } from '../scenarios/one-run.ts';
import { struck } from '../strike.ts';
import type { World } from '../world.ts';
import { keyOf } from './kills.ts';

/** What a stale cache holds: all of it as of one moment, or each resource as of another. */
type Staleness = 'as it was at the start' | 'as it was a little before' | 'each resource as of another moment';

const WATCHED = ['retentionprograms', 'retentionruns', 'jobs', 'pods', 'configmaps'];

/** For so long after the restart. */
const FROZEN_MS = 2_500;

/**
 * The operator is killed, and its successor is shown the past: lists and watches come from an API server whose cache lags.
 * What the operator reads past its cache is true.
 */
export function stalePoints(writes: readonly string[], random: Random): readonly Point[] {
  const jobs = writes.filter((write) => write.startsWith('POST jobs'));
  const later = writes.slice(5);
  return [
    stale('POST retentionruns of keep-due #1', 'as it was at the start', ONE_RUN),
    stale(random.pick(jobs), 'as it was at the start', ONE_RUN),
    stale(random.pick(later), 'as it was at the start', ONE_RUN),
    stale(random.pick(jobs), 'as it was a little before', ONE_RUN),
    stale(random.pick(later), 'as it was a little before', ONE_RUN),
    stale(random.pick(jobs), 'each resource as of another moment', ONE_RUN),
    stale(random.pick(later), 'each resource as of another moment', ONE_RUN),
    stale(random.pick(later), 'each resource as of another moment', ONE_RUN),
    stale('PATCH retentionprograms/status of keep #3', 'as it was at the start', ONE_RUN),
    onlyRunsAreStale(),
    doneAndCollected('POST configmaps of keep-revision #1'),
    doneAndCollected('POST jobs of keep-due-score-1 #1'),
  ];
}

export function stale(key: string, staleness: Staleness, scenario: Scenario): Point {
  return {
    name: `after ${key} killed and shown the past, ${staleness}`,
    scenario,
    async play(world) {
      const operator = await world.replica('a');
      const dead = Promise.withResolvers<void>();
      // Versions are of the whole of etcd: that of any answer is a moment.
      const moments = [await versionNow(world)];
      let alive = true;
      operator.proxy.interference = {
        async write(write, act) {
          const outcome = await act();
          if (!alive) return outcome;
          moments.push(await versionNow(world));
          if (keyOf(write) !== key) return outcome;
          alive = false;
          await operator.kill();
          dead.resolve();
          return CUT;
        },
      };
      await operator.start();
      await struck(world, key, dead.promise);
      await world.freeLease();
      // Meanwhile the pods of what was made may end.
      await pause(world.random.between(0, 500));
      await showPast(world, revisions(staleness, moments, world.random));
      return undefined;
    },
  };
}

function revisions(staleness: Staleness, moments: readonly string[], random: Random): (resource: string) => string {
  const first = moments[0] as string;
  if (staleness === 'as it was at the start') return () => first;
  if (staleness === 'as it was a little before') {
    const before = moments.at(-random.between(2, 4)) ?? first;
    return () => before;
  }
  const chosen = new Map(WATCHED.map((resource) => [resource, random.pick(moments)]));
  return (resource) => chosen.get(resource) ?? first;
}

/** Starts the successor and shows it the past for a while. */
async function showPast(world: World, revisionOf: (resource: string) => string | undefined): Promise<void> {
  const [operator] = world.replicas;
  if (operator === undefined) throw new Error('There is no operator.');
  const thawed = Promise.withResolvers<void>();
  operator.proxy.interference = frozen(revisionOf, thawed.promise);
  await operator.start();
  await pause(FROZEN_MS);
  operator.proxy.interference = {};
  thawed.resolve();
}

/** The list is that of the revision, and the watch from there brings nothing until it thaws. */
function frozen(revisionOf: (resource: string) => string | undefined, thawed: Promise<void>): Interference {
  const filled = new Set<string>();
  return {
    async read({ resource, name, query }, act) {
      const revision = revisionOf(resource);
      // What fills a cache comes in pages, before the watch; what is read past the cache comes after.
      const fillsCache =
        name === undefined && query.has('limit') && WATCHED.includes(resource) && !filled.has(resource);
      if (!fillsCache || revision === undefined) return await act();
      const past = new URLSearchParams(query);
      past.set('resourceVersion', revision);
      past.set('resourceVersionMatch', 'Exact');
      return await act(past);
    },
    async watch({ resource }) {
      filled.add(resource);
      if (revisionOf(resource) !== undefined) await thawed;
      return undefined;
    },
  };
}

/**
 * The program was edited while its run goes on, and the successor's cache has the edit but not the run: the revision that
 * the run is pinned to looks as if nobody needed it.
 */
function onlyRunsAreStale(): Point {
  return {
    name: 'after an edit of the program killed and shown the past, only the runs as they were at the start',
    scenario: PROGRAM_EDITED,
    async play(world) {
      const operator = await world.replica('a');
      const first = await versionNow(world);
      await operator.start();
      await world.until('the program was edited', async () => {
        const program = await world.client.get(RESOURCES.retentionPrograms, `${world.namespace}/keep`);
        return program?.metadata.generation === 2 ? true : undefined;
      });
      await operator.kill();
      await world.freeLease();
      await showPast(world, (resource) => (resource === 'retentionruns' ? first : undefined));
      return undefined;
    },
  };
}

/**
 * What the successor's cache takes for yet to be done is done long since, and its Job collected: that a name is free does
 * not mean that it never was taken.
 */
function doneAndCollected(key: string): Point {
  return {
    name: `after Jobs that are done were collected killed and shown the past, as it was just before ${key}`,
    scenario: JOBS_COLLECTED,
    long: true,
    async play(world) {
      const operator = await world.replica('a');
      let moment: string | undefined;
      operator.proxy.interference = {
        async write(write, act) {
          if (keyOf(write) === key) moment = await versionNow(world);
          return await act();
        },
      };
      await operator.start();
      await world.until('the Jobs were collected', async () => {
        const { items } = await world.client.list(RESOURCES.jobs, { namespace: world.namespace });
        return items.some(({ metadata }) => metadata.name.endsWith('-offer-1')) && items.length === 1
          ? true
          : undefined;
      });
      await operator.kill();
      await world.freeLease();
      await showPast(world, () => moment);
      return undefined;
    },
  };
}

async function versionNow({ client, namespace }: World): Promise<string> {
  return (await client.list(RESOURCES.leases, { namespace })).resourceVersion;
}
