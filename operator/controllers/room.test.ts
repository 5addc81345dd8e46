import { afterEach, expect, test } from '@jest/globals';
import { PIPELINES } from '../../contract/pipelines.ts';
import { fakeClock } from '../../test/support/fake-clock.ts';
import { fakeKube } from '../../test/support/fake-kube.ts';
import { openWorld, type World } from '../../test/support/operator-world.ts';
import { program, run } from '../../test/support/program.ts';
import { type KubeApi, KubeError, RESOURCES } from '../kube/api.ts';
import type { JobObject, ProgramObject, RunObject } from '../kube/objects.ts';
import { createStore } from '../kube/store.ts';
import { ownersAtWork } from './at-work.ts';
import { startCaches } from './caches.ts';
import type { OwnWrites } from './own-writes.ts';
import { createRoom } from './room.ts';
import { runsConcerned } from './runs-concerned.ts';
import { type Caches, WATCHED } from './watched.ts';

/*
 * How many runs of all programs are at work at once.
 */
const { retentionPrograms, retentionRuns, jobs } = RESOURCES;
const FRIDAY = new Date('2026-11-20T12:00:00Z');
const SLOT = '2026-11-16T02:00:00Z';
const MOST = 3;
const COMPLETE = [{ type: 'Complete', status: 'True' }];

/** Of a process that has written nothing. */
const WRITES: Pick<OwnWrites, 'newest' | 'hasMadeFor'> = { newest: (object) => object, hasMadeFor: () => false };

let world: World;

afterEach(() => world?.stop());

interface Made {
  readonly trigger?: RunObject['spec']['trigger'];
  readonly slot?: string;
  readonly namespace?: string;
}

/** A program with one run, both of that name. */
async function put(name: string, { namespace = 'shop', ...spec }: Made = {}): Promise<void> {
  const made = program({ programId: name }, name);
  world.kube.put(retentionPrograms, { ...made, metadata: { ...made.metadata, namespace } });
  const one = run(name, { programRef: { name }, ...spec });
  world.kube.put(retentionRuns, { ...one, metadata: { ...one.metadata, namespace } });
  await world.clock.advance(1_000);
}

const phaseOf = (name: string, namespace = 'shop') =>
  world.kube.get<RunObject>(retentionRuns, `${namespace}/${name}`)?.status?.phase;
const reasonOf = (name: string) =>
  world.kube.get<RunObject>(retentionRuns, `shop/${name}`)?.status?.conditions?.[0]?.reason;
const running = () =>
  world.kube
    .all<RunObject>(retentionRuns)
    .filter(({ status }) => status?.phase === 'Running')
    .map(({ metadata }) => metadata.name);
/** Runs with a Job that is not over. */
const atWork = () =>
  new Set(
    world.kube
      .all<JobObject>(jobs)
      .filter(({ spec, status }) => spec?.suspend !== true && status?.conditions === undefined)
      .map(({ metadata }) => metadata.ownerReferences?.[0]?.name),
  );
/** Ends every task of these runs; of others none. */
const ending =
  (...names: readonly string[]) =>
  ({ metadata }: JobObject) =>
    names.some((name) => metadata.name.startsWith(`${name}-`)) ? { exitCode: 0 } : undefined;

test('of many runs in several namespaces never more are at work than may be, and all of them get done', async () => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: MOST } });
  const names = Array.from({ length: 24 }, (_, index) => `run-${String(index).padStart(2, '0')}`);
  for (const [index, name] of names.entries()) {
    const namespace = `shop-${index % 5}`;
    const made = program({ programId: name }, name);
    world.kube.put(retentionPrograms, { ...made, metadata: { ...made.metadata, namespace } });
    const one = run(name, { programRef: { name } });
    world.kube.put(retentionRuns, { ...one, metadata: { ...one.metadata, namespace } });
  }
  let most = 0;
  await world.settle(() => {
    most = Math.max(most, atWork().size);
    return { exitCode: 0 };
  });
  expect(most).toBe(MOST);
  expect(new Set(world.kube.all<RunObject>(retentionRuns).map(({ status }) => status?.phase))).toEqual(
    new Set(['Succeeded']),
  );
  // All six tasks of each, its revision, its statuses; and once that it waits.
  expect(world.writes.length / names.length).toBeLessThan(25);
  expect(world.errors).toEqual([]);
}, 30_000);

test('the oldest run begins next, and backfills last, of those the oldest slot first', async () => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 1 } });
  await put('first');
  await put('late-backfill', { trigger: 'backfill', slot: '2026-11-09T02:00:00Z' });
  await put('early-backfill', { trigger: 'backfill', slot: '2026-11-02T02:00:00Z' });
  await put('second');
  await put('third');
  await world.settle(() => undefined);
  expect(running()).toEqual(['first']);
  expect(reasonOf('third')).toBe('WaitingForCapacity');
  const order: string[] = [];
  await world.settle(({ metadata }) => {
    const [name] = running();
    if (name !== undefined && order.at(-1) !== name) order.push(name);
    return metadata.name.startsWith(`${name}-`) ? { exitCode: 0 } : undefined;
  });
  expect(order).toEqual(['first', 'second', 'third', 'early-backfill', 'late-backfill']);
});

test('a run that somebody deletes, and keeps by a finalizer, has a place no longer than its Job', async () => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 1 } });
  await put('kept');
  await put('next');
  await world.settle(() => undefined);
  expect(running()).toEqual(['kept']);
  world.kube.change(retentionRuns, 'shop/kept', ({ metadata }) => {
    metadata['finalizers'] = ['shop.example/mine'];
    metadata['deletionTimestamp'] = FRIDAY.toISOString();
  });
  await world.settle(() => undefined);
  expect(phaseOf('next')).toBe('Pending');
  await world.settle(ending('kept'));
  expect(phaseOf('kept')).toBe('Running');
  expect(phaseOf('next')).toBe('Running');
});

test('whoever has many runs takes turns with those of other namespaces', async () => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 2 } });
  for (let index = 0; index < 8; index += 1) await put(`flood-${index}`, { namespace: 'flood' });
  await world.settle(() => undefined);
  for (const name of ['one', 'two']) await put(name, { namespace: 'shop' });
  await put('past', { namespace: 'attic', trigger: 'backfill', slot: '2026-11-09T02:00:00Z' });
  await world.settle(() => undefined);
  expect(running()).toEqual(['flood-0', 'flood-1']);
  const order: string[] = [];
  await world.settle(() => {
    for (const name of running()) if (!order.includes(name)) order.push(name);
    return { exitCode: 0 };
  });
  expect(order.slice(2, 4)).toContain('one');
  expect(order.slice(2, 6)).toContain('two');
  // A backfill has what is left to its namespace, and no more.
  expect(order.indexOf('past')).toBeGreaterThan(order.indexOf('two'));
  expect(order).toHaveLength(11);
});

test('a namespace whose pods find no node leaves a place to whoever comes later, and has all where nobody may', async () => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 4 } });
  for (let index = 0; index < 5; index += 1) await put(`stuck-${index}`, { namespace: 'stuck' });
  await world.settle(() => undefined);
  expect(running()).toHaveLength(4);
  await world.stop();
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 4 } });
  const idle = program({ programId: 'late' }, 'late');
  world.kube.put(retentionPrograms, { ...idle, metadata: { ...idle.metadata, namespace: 'shop' } });
  for (let index = 0; index < 5; index += 1) await put(`stuck-${index}`, { namespace: 'stuck' });
  await world.settle(() => undefined);
  expect(running()).toEqual(['stuck-0', 'stuck-1', 'stuck-2']);
  world.kube.put(retentionRuns, run('late', { programRef: { name: 'late' } }));
  await world.settle(() => undefined);
  expect(running()).toEqual(['stuck-0', 'stuck-1', 'stuck-2', 'late']);
  await world.settle(ending('late'));
  expect([phaseOf('late'), running()]).toEqual(['Succeeded', ['stuck-0', 'stuck-1', 'stuck-2']]);
});

test.each<[string, () => void]>([
  ['is gone', () => world.kube.remove(retentionPrograms, 'other/idle')],
  [
    'is turned off',
    () => world.kube.change(retentionPrograms, 'other/idle', ({ spec }) => Object.assign(spec, { enabled: false })),
  ],
])('a place that was left to a namespace is free once the last program of it %s', async (_name, change) => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 2 } });
  const idle = program({ programId: 'idle' }, 'idle');
  world.kube.put(retentionPrograms, { ...idle, metadata: { ...idle.metadata, namespace: 'other' } });
  await put('a');
  await put('b');
  await world.settle(() => undefined);
  expect(running()).toEqual(['a']);
  change();
  await world.settle(() => undefined);
  expect(running()).toEqual(['a', 'b']);
});

test('those that wait are not written again whenever one ends', async () => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 1 } });
  for (const name of ['first', 'second', 'third', 'fourth']) await put(name);
  await world.settle(() => undefined);
  const versions = () =>
    ['third', 'fourth'].map((name) => world.kube.get(retentionRuns, `shop/${name}`)?.metadata.resourceVersion);
  const before = versions();
  await world.settle(ending('first'));
  expect(running()).toEqual(['second']);
  expect(versions()).toEqual(before);
});

test.each(['killed before', 'killed after'] as const)(
  'another leader keeps to it as well, whatever the first one left half done: %s',
  async (fate) => {
    let most = 0;
    // Around each write in turn, as long as the first ones are being begun.
    world = openWorld({
      start: FRIDAY,
      settings: { maxRuns: 2 },
      fate: (_write, number) => (number % 5 === 0 && number < 60 ? fate : 'live'),
    });
    for (const name of ['first', 'second', 'third', 'fourth']) await put(name);
    await world.settle(() => {
      most = Math.max(most, atWork().size);
      return { exitCode: 0 };
    });
    expect(world.lives()).toBeGreaterThan(5);
    expect(most).toBe(2);
    expect(['first', 'second', 'third', 'fourth'].map((name) => phaseOf(name))).toEqual(
      Array.from({ length: 4 }, () => 'Succeeded'),
    );
  },
  30_000,
);

test('a run that is suspended lets another begin, and goes on when there is room again', async () => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 1 } });
  await put('first');
  await put('second');
  await world.settle(() => undefined);
  const suspend = (suspended: boolean) =>
    world.kube.change(retentionRuns, 'shop/first', (object) => {
      object['spec'].suspend = suspended;
    });
  suspend(true);
  await world.settle(() => undefined);
  expect([phaseOf('first'), phaseOf('second')]).toEqual(['Suspended', 'Running']);
  suspend(false);
  await world.settle(() => undefined);
  expect([phaseOf('first'), reasonOf('first')]).toEqual(['Suspended', 'WaitingForCapacity']);
  expect([...atWork()]).toEqual(['second']);
  await world.settle(ending('second'));
  expect([phaseOf('first'), phaseOf('second')]).toEqual(['Running', 'Succeeded']);
  await world.settle();
  expect(phaseOf('first')).toBe('Succeeded');
});

test.each<[string, (world: World) => void]>([
  ['is cancelled', ({ kube }) => kube.change(retentionRuns, 'shop/first', (object) => (object['spec'].cancel = true))],
  ['is deleted', ({ kube }) => kube.remove(retentionRuns, 'shop/first')],
])('when the run at work %s, the next begins', async (_name, happen) => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 1 } });
  await put('first');
  await put('second');
  await world.settle(() => undefined);
  happen(world);
  await world.settle(() => undefined);
  expect(phaseOf('second')).toBe('Running');
});

test.each<[string, (world: World) => void]>([
  ['is suspended', ({ kube }) => kube.change(retentionRuns, 'shop/b', (object) => (object['spec'].suspend = true))],
  ['is cancelled', ({ kube }) => kube.change(retentionRuns, 'shop/b', (object) => (object['spec'].cancel = true))],
  ['is deleted', ({ kube }) => kube.remove(retentionRuns, 'shop/b')],
  [
    'is of a program that is turned off',
    ({ kube }) => kube.change(retentionPrograms, 'shop/b', (object) => (object['spec'].enabled = false)),
  ],
])('a run that waits and %s is in nobody’s way', async (_name, happen) => {
  world = openWorld({ start: FRIDAY, settings: { maxRuns: 1 } });
  for (const name of ['a', 'b', 'c']) await put(name);
  await world.settle(() => undefined);
  happen(world);
  await world.settle(ending('a'));
  expect(running()).toEqual(['c']);
});

test('a run that has a place and cannot begin keeps it from nobody, and has no worse one once it tries again', () => {
  const runs = createStore<RunObject>(WATCHED.runs.indexes);
  const [a, b, c] = ['a', 'b', 'c'].map((name): RunObject => {
    const metadata = { name, namespace: 'shop', uid: name, resourceVersion: '1', creationTimestamp: SLOT };
    const conditions = [{ type: 'Reconciling', status: 'True', reason: 'WaitingForCapacity', message: '' }];
    const stored = { ...run(name), metadata, status: { phase: 'Pending', conditions } } as unknown as RunObject;
    runs.set(stored);
    return stored;
  }) as [RunObject, RunObject, RunObject];
  const room = createRoom(
    1,
    {
      programs: createStore<ProgramObject>(WATCHED.programs.indexes),
      runs,
      jobs: createStore<JobObject>(WATCHED.jobs.indexes),
      isLost: () => false,
    },
    WRITES,
    fakeClock(FRIDAY),
  );
  expect(room.next()).toEqual(['shop/a']);
  expect([room.take(b), room.take(a), room.take(b)]).toEqual([false, true, false]);
  expect(room.leave(a)).toEqual(['shop/b']);
  expect([room.take(b), room.take(a)]).toEqual([true, false]);
  // It waits like the others again.
  expect(room.leave(b)).toEqual(['shop/a']);
  expect([room.take(c), room.take(a)]).toEqual([false, true]);
});

test('the runs of a namespace that is gone, and our rights with it, have no place', async () => {
  const clock = fakeClock(FRIDAY);
  const kube = fakeKube(() => clock.now());
  let gone = false;
  const unlessGone = (namespace: string | undefined) => {
    if (gone && namespace === 'gone') throw new KubeError(403, 'Forbidden', 'cannot list in the namespace gone');
  };
  const api: KubeApi = {
    ...kube.api,
    list: async (resource, options) => {
      unlessGone(options.namespace);
      return await kube.api.list(resource, options);
    },
    async *watch(resource, options, signal) {
      unlessGone(options.namespace);
      for await (const event of kube.api.watch(resource, options, signal)) {
        unlessGone(options.namespace);
        yield event as never;
      }
    },
  };
  const made = kube.put(retentionRuns, { ...run('ghost'), metadata: { name: 'ghost', namespace: 'gone' } });
  await kube.api.applyStatus(retentionRuns, { ...made, status: { phase: 'Running' } } as RunObject);
  const caches = startCaches(api, WATCHED, {
    namespaces: ['shop', 'gone'],
    clock,
    random: () => 0.5,
    onError: () => {},
  });
  await clock.advance(100);
  await caches.synced;
  const room = createRoom(1, caches, WRITES, clock);
  const metadata = { name: 'next', namespace: 'shop', uid: 'next', resourceVersion: '1', creationTimestamp: SLOT };
  const next = { ...run('next'), metadata } as RunObject;
  expect(room.take(next)).toBe(false);
  gone = true;
  kube.remove(retentionRuns, 'gone/ghost');
  for (let hour = 0; hour < 3; hour += 1) await clock.advance(3_600_000);
  expect(caches.runs.get('gone/ghost')).toBeDefined();
  expect(room.take(next)).toBe(true);
  await caches.stop();
});

test.each<[string, NonNullable<RunObject['status']>['phase'], Partial<JobObject>, readonly string[]]>([
  ['the Job of a run that was suspended stops', 'Suspended', { spec: { suspend: true } }, ['shop/a', 'shop/next']],
  ['the Job of a run that is under way ends', 'Running', { status: { conditions: COMPLETE } }, ['shop/a']],
  ['a Job gets on', 'Suspended', { status: { active: 1 } }, ['shop/a']],
])('when %s, a place is free only if the run has none any more', (_name, phase, change, concerned) => {
  const owner = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'RetentionRun', name: 'a', uid: 'a', controller: true };
  const common = { namespace: 'shop', resourceVersion: '1', creationTimestamp: SLOT };
  const runs = createStore<RunObject>(WATCHED.runs.indexes);
  runs.set({ ...run('a'), metadata: { ...common, name: 'a', uid: 'a' }, status: { phase } } as RunObject);
  const metadata = { ...common, name: 'a-1', uid: 'j', ownerReferences: [owner] };
  const before: JobObject = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: {} };
  const caches = { runs, jobs: createStore<JobObject>(WATCHED.jobs.indexes) } as unknown as Caches;
  const room = { take: () => true, leave: () => [], next: () => ['shop/next'] };
  const keys = runsConcerned(
    { cache: 'jobs', before, after: { ...before, ...change } },
    { caches, pipelines: PIPELINES, room },
  );
  expect([...new Set(keys)]).toEqual(concerned);
});

/** What a process has in its caches that has just begun to lead, of an API server whose cache lags. */
function empty() {
  return {
    programs: createStore<ProgramObject>(WATCHED.programs.indexes),
    runs: createStore<RunObject>(WATCHED.runs.indexes),
    jobs: createStore<JobObject>(WATCHED.jobs.indexes),
    isLost: () => false,
  };
}

const stored = (name: string): RunObject => {
  const metadata = { name, namespace: 'shop', uid: name, resourceVersion: '1', creationTimestamp: SLOT };
  return { ...run(name), metadata } as RunObject;
};

const jobOf = (owner: string, more: Partial<JobObject> = {}): JobObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name: `${owner}-extract-1`,
    namespace: 'shop',
    uid: `${owner}-extract`,
    resourceVersion: '1',
    creationTimestamp: SLOT,
    labels: { 'app.kubernetes.io/managed-by': 'holdfast' },
    ownerReferences: [
      { apiVersion: 'holdfast.dev/v1alpha1', kind: 'RetentionRun', name: owner, uid: owner, controller: true },
    ],
  },
  ...more,
});

test('runs that were at work before this process led keep their places, though its caches have not heard of them', () => {
  const clock = fakeClock(FRIDAY);
  const caches = empty();
  const until = new Date(FRIDAY.getTime() + 60_000);
  const room = createRoom(2, caches, WRITES, clock, { atWork: new Set(['shop/a', 'shop/b']), until });
  const c = stored('c');
  caches.runs.set(c);
  expect([room.take(c), room.take(stored('a'))]).toEqual([false, true]);
  // What the caches have is what counts from then on.
  caches.jobs.set(jobOf('b', { status: { conditions: [{ type: 'Complete', status: 'True' }] } }));
  expect([room.take(c), room.take(stored('d'))]).toEqual([true, false]);
});

test('a run that the caches never hear of keeps its place for a minute', async () => {
  const clock = fakeClock(FRIDAY);
  const until = new Date(FRIDAY.getTime() + 60_000);
  const room = createRoom(1, empty(), WRITES, clock, { atWork: new Set(['shop/gone']), until });
  expect(room.take(stored('c'))).toBe(false);
  await clock.advance(60_000);
  expect(room.take(stored('c'))).toBe(true);
});

test('at work are the owners of Jobs that are neither over nor suspended', async () => {
  const kube = fakeKube(() => FRIDAY);
  kube.put(jobs, jobOf('works'));
  kube.put(jobs, jobOf('waits', { spec: { suspend: true } }));
  kube.put(jobs, jobOf('done', { status: { conditions: [{ type: 'Complete', status: 'True' }] } }));
  const signal = new AbortController().signal;
  expect([...(await ownersAtWork(kube.api, undefined, signal))]).toEqual(['shop/works']);
  expect([...(await ownersAtWork(kube.api, ['bank', 'shop'], signal))]).toEqual(['shop/works']);
  expect([...(await ownersAtWork(kube.api, ['bank'], signal))]).toEqual([]);
});
