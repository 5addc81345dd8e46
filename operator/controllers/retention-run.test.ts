import { expect, test } from '@jest/globals';
import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';
import { fakeClock } from '../../test/support/fake-clock.ts';
import { type FakeKube, fakeKube } from '../../test/support/fake-kube.ts';
import { WITH_CAMPAIGN } from '../../test/support/pipelines.ts';
import { program, run, STAGE_SETTINGS, storedProgram } from '../../test/support/program.ts';
import { type KubeObject, RESOURCES } from '../kube/api.ts';
import { createRecorder } from '../kube/events.ts';
import type { ProgramObject, RunObject } from '../kube/objects.ts';
import { createStore, type Indexes } from '../kube/store.ts';
import { programOwner } from '../objects/owner.ts';
import { buildRevision } from '../objects/revision.ts';
import { openContext } from './context.ts';
import { reconcile as reconcileOne } from './reconcile.ts';
import { retentionRun } from './retention-run.ts';
import { type CacheChange, type Caches, WATCHED } from './watched.ts';

const { retentionPrograms, retentionRuns, jobs, configMaps } = RESOURCES;

const clock = fakeClock(new Date('2026-11-20T12:00:00Z'));

/** Caches that hold just these objects. */
function cachesOf(objects: Partial<Record<keyof Caches, readonly KubeObject[]>>): Caches {
  const stores = (['programs', 'runs', 'jobs', 'pods', 'revisions'] as const).map((name) => {
    const store = createStore<KubeObject>(WATCHED[name].indexes as Indexes<KubeObject>);
    for (const object of objects[name] ?? []) store.set(object);
    return [name, store];
  });
  return { ...Object.fromEntries(stores), isLost: () => false } as Caches;
}

async function reconcile(kube: FakeKube, caches: Caches, pipelines: Pipelines = PIPELINES): Promise<void> {
  const context = openContext({
    api: kube.api,
    caches,
    recorder: createRecorder(kube.api, { clock, instance: 'test' }),
    clock,
    settings: STAGE_SETTINGS,
    pipelines,
  });
  await reconcileOne(retentionRun, 'shop/by-hand', context);
}

test('a run that has not begun is begun', async () => {
  const kube = fakeKube(() => clock.now());
  const programs = [kube.put(retentionPrograms, program())];
  const runs = [kube.put(retentionRuns, run())];
  await reconcile(kube, cachesOf({ programs, runs }));
  expect(kube.all(jobs).map(({ metadata }) => metadata.name)).toEqual(['by-hand-extract-migrate-1']);
});

test('a ConfigMap of our name and owner, of which the cache has not heard, is not run if it holds something else', async () => {
  const kube = fakeKube(() => clock.now());
  const made = kube.put(retentionPrograms, program()) as ProgramObject;
  const revision = buildRevision(programOwner(made), made, STAGE_SETTINGS);
  kube.put(configMaps, { ...revision, data: { ...revision.data, image: 'elsewhere.example/other:1' } } as KubeObject);
  const runs = [kube.put(retentionRuns, run())];
  await reconcile(kube, cachesOf({ programs: [made], runs }));
  expect(kube.all(jobs)).toEqual([]);
  expect(kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.conditions?.[0]).toMatchObject({
    reason: 'NameTaken',
  });
});

/** Caches in which runs are found by their program, and programs by their id. */
function indexed(programs: readonly ProgramObject[], runs: readonly RunObject[]): Caches {
  const stores = {
    programs: createStore<ProgramObject>(WATCHED.programs.indexes),
    runs: createStore<RunObject>(WATCHED.runs.indexes),
  };
  for (const one of programs) stores.programs.set(one);
  for (const one of runs) stores.runs.set(one);
  return stores as unknown as Caches;
}

/** A run of `keep`, by the hour at which it was made, as the API server holds it. */
function storedRun(hour: number, status?: RunObject['status'], spec: Partial<RunObject['spec']> = {}): RunObject {
  const made = run(`run-${hour}`, spec);
  const creationTimestamp = `2026-11-20T${String(hour).padStart(2, '0')}:00:00Z`;
  const metadata = { ...made.metadata, uid: `uid-${hour}`, resourceVersion: '1', generation: 1, creationTimestamp };
  return { ...made, metadata, ...(status === undefined ? {} : { status }) } as RunObject;
}

const at = '2026-11-20T12:00:00Z';
const RUNNING: RunObject['status'] = { phase: 'Running', startTime: at };
const reconciling = (reason: string) => [
  { type: 'Reconciling', status: 'True' as const, reason, message: '', lastTransitionTime: at },
];
const WAITING: RunObject['status'] = { phase: 'Pending', conditions: reconciling('WaitingForRun') };
const HELD: RunObject['status'] = { phase: 'Pending', conditions: reconciling('StorageMissing') };

/** The run of one o'clock is under way or over; those of two, three and four wait, and that of midnight is held by a person. */
const WAIT = [
  storedRun(2, WAITING),
  storedRun(4, WAITING),
  storedRun(3, WAITING),
  storedRun(0, { phase: 'Suspended' }, { suspend: true }),
];
const KEEP = storedProgram();
const edited = { ...KEEP, metadata: { ...KEEP.metadata, generation: 2, resourceVersion: '2' } };
const noted = { ...KEEP, metadata: { ...KEEP.metadata, resourceVersion: '2' }, status: { observedGeneration: 1 } };
const succeeded = {
  ...noted,
  status: { pipelines: [{ name: 'batch', lastSucceededSlot: at }] },
} as unknown as ProgramObject;
const AWAITING: RunObject['status'] = { phase: 'Pending', conditions: reconciling('WaitingForBatch') };
const CAMPAIGN = { pipeline: 'campaign' as never };
const REPORT = { pipeline: 'report' as never };
const PRUNE = { pipeline: 'prune' as const };
const scheduled = (slot: string) => ({ trigger: 'schedule' as const, slot });
/** Nobody waits for a place. */
const NO_ROOM = { take: () => true, leave: () => [], next: () => [] };
const TWIN = storedProgram({}, { metadata: { name: 'twin', uid: 'twin-uid' } });

test.each<[string, CacheChange, readonly RunObject[], readonly string[], ('Forbid' | 'Replace')?]>([
  [
    'a run that has got on concerns no other, however many wait for it',
    { cache: 'runs', before: storedRun(1, HELD), after: storedRun(1, RUNNING) },
    [...WAIT, storedRun(1, RUNNING)],
    [],
  ],
  ['one that has come concerns no other', { cache: 'runs', after: storedRun(5) }, [...WAIT, storedRun(5)], []],
  [
    'one that has ended concerns the one that is next, and no other',
    { cache: 'runs', before: storedRun(1, RUNNING), after: storedRun(1, { ...RUNNING, phase: 'Succeeded' }) },
    [...WAIT, storedRun(1, { ...RUNNING, phase: 'Succeeded' })],
    ['shop/run-2'],
  ],
  [
    'one that was deleted concerns the one that is next',
    { cache: 'runs', before: storedRun(1, RUNNING) },
    WAIT,
    ['shop/run-2'],
  ],
  [
    'one that was suspended before it began concerns the one that is next',
    {
      cache: 'runs',
      before: storedRun(1, HELD),
      after: storedRun(1, HELD, { suspend: true }),
    },
    [...WAIT, storedRun(1, HELD, { suspend: true })],
    ['shop/run-2'],
  ],
  [
    'what is noted on a program, its status included, concerns no run',
    { cache: 'programs', before: KEEP, after: noted },
    WAIT,
    [],
  ],
  [
    'a program that was edited concerns the run under way, those that it held up, and the one that is next',
    { cache: 'programs', before: KEEP, after: edited },
    [...WAIT, storedRun(1, RUNNING), storedRun(6, HELD)],
    ['shop/run-0', 'shop/run-1', 'shop/run-2', 'shop/run-6'],
  ],
  [
    'a program that goes leaves its programId to the run that waits for it',
    { cache: 'programs', before: TWIN },
    [storedRun(2, HELD)],
    ['shop/run-2'],
  ],
  [
    'a batch that succeeds concerns the runs that wait for it',
    { cache: 'runs', before: storedRun(1, RUNNING), after: storedRun(1, { ...RUNNING, phase: 'Succeeded' }) },
    [storedRun(2, AWAITING, CAMPAIGN), storedRun(3, AWAITING, REPORT), storedRun(4, HELD, REPORT)],
    ['shop/run-2', 'shop/run-3', 'shop/run-4'],
  ],
  [
    'one that fails does not',
    { cache: 'runs', before: storedRun(1, RUNNING), after: storedRun(1, { ...RUNNING, phase: 'Failed' }) },
    [storedRun(2, AWAITING, CAMPAIGN), storedRun(3, AWAITING, REPORT)],
    [],
  ],
  [
    'nor does another pipeline',
    { cache: 'runs', before: storedRun(1, RUNNING, PRUNE), after: storedRun(1, { phase: 'Succeeded' }, PRUNE) },
    [storedRun(2, AWAITING, CAMPAIGN)],
    [],
  ],
  [
    'a slot that the program knows to have succeeded concerns the runs that wait for it',
    { cache: 'programs', before: KEEP, after: succeeded },
    [storedRun(2, AWAITING, CAMPAIGN), storedRun(3, HELD, REPORT)],
    ['shop/run-2'],
  ],
  [
    'a run that comes to wait for a batch leaves its lane to the next',
    { cache: 'runs', before: storedRun(1, HELD, CAMPAIGN), after: storedRun(1, AWAITING, CAMPAIGN) },
    [storedRun(1, AWAITING, CAMPAIGN), storedRun(2, WAITING, CAMPAIGN)],
    ['shop/run-2'],
  ],
  [
    'a new run of a schedule that can begin concerns an older one of it, whose place it takes',
    {
      cache: 'runs',
      before: storedRun(2, undefined, scheduled('2026-11-20T02:00:00Z')),
      after: storedRun(2, WAITING, scheduled('2026-11-20T02:00:00Z')),
    },
    [
      storedRun(1, RUNNING, scheduled('2026-11-20T01:00:00Z')),
      storedRun(2, undefined, scheduled('2026-11-20T02:00:00Z')),
      storedRun(3, HELD, scheduled('2026-11-20T03:00:00Z')),
      storedRun(4, HELD),
    ],
    ['shop/run-1'],
    'Replace',
  ],
  [
    'one that nobody has looked at yet concerns none',
    { cache: 'runs', after: storedRun(2, undefined, scheduled('2026-11-20T02:00:00Z')) },
    [storedRun(1, RUNNING, scheduled('2026-11-20T01:00:00Z'))],
    [],
    'Replace',
  ],
  [
    'a new run of a schedule concerns nobody where it takes no place',
    { cache: 'runs', after: storedRun(2, WAITING, scheduled('2026-11-20T02:00:00Z')) },
    [storedRun(1, RUNNING, scheduled('2026-11-20T01:00:00Z'))],
    [],
  ],
])('%s', (_name, change, runs, concerned, concurrencyPolicy = 'Forbid') => {
  const keys = retentionRun.concerned(change, {
    caches: indexed([storedProgram({ concurrencyPolicy })], runs),
    pipelines: WITH_CAMPAIGN,
    room: NO_ROOM,
  });
  expect([...new Set(keys)].toSorted()).toEqual(concerned);
});

test('a run that is done, its Jobs collected, is not begun again by a cache that is of before it began', async () => {
  const kube = fakeKube(() => clock.now());
  const programs = [kube.put(retentionPrograms, program())];
  const before = kube.put(retentionRuns, run());
  await kube.api.applyStatus(retentionRuns, { ...before, status: { phase: 'Succeeded' } } as RunObject);
  await reconcile(kube, cachesOf({ programs, runs: [before] }));
  expect([...kube.all(jobs), ...kube.all(configMaps)]).toEqual([]);
  expect(kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Succeeded');
});

test('a run does not fail for a batch that has succeeded, and that the cache has not heard of', async () => {
  const kube = fakeKube(() => clock.now());
  const programs = [kube.put(retentionPrograms, program({ startingDeadlineSeconds: 1 }))];
  const before = kube.put(retentionRuns, run('batch'));
  const status = { phase: 'Succeeded', slot: '2026-11-16T02:00:00Z' };
  await kube.api.applyStatus(retentionRuns, { ...before, status } as RunObject);
  const made = kube.put(retentionRuns, run('by-hand', { pipeline: 'report' as never }));
  await clock.advance(2_000);
  await reconcile(kube, cachesOf({ programs, runs: [made] }), WITH_CAMPAIGN);
  expect(kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Running');
  expect(kube.all(jobs).map(({ metadata }) => metadata.name)).toEqual(['by-hand-report-1']);
});

test('a run that has failed is tried again though the cache has it under way, and not where it has that alone', async () => {
  for (const [phase, expected] of [
    ['Failed', 'Running'],
    ['Running', 'Failed'],
  ] as const) {
    const kube = fakeKube(() => clock.now());
    const programs = [kube.put(retentionPrograms, program())];
    const original = kube.put(retentionRuns, run('original', { slot: '2026-11-16T02:00:00Z' })) as RunObject;
    await kube.api.applyStatus(retentionRuns, { ...original, status: { phase } });
    const retryOf = { name: 'original', uid: original.metadata.uid };
    const runs = [original, kube.put(retentionRuns, run('by-hand', { trigger: 'retry', retryOf }))];
    const cached = { ...original, status: { phase: phase === 'Failed' ? 'Running' : undefined } } as RunObject;
    await reconcile(kube, cachesOf({ programs, runs: [cached, ...runs.slice(1)] }));
    expect(kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status).toMatchObject({
      phase: expected,
      ...(expected === 'Running' ? { slot: '2026-11-16T02:00:00Z' } : {}),
    });
  }
});
