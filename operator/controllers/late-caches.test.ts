import { beforeEach, expect, test } from '@jest/globals';
import { PIPELINES } from '../../contract/pipelines.ts';
import { fakeClock } from '../../test/support/fake-clock.ts';
import { type FakeKube, fakeKube } from '../../test/support/fake-kube.ts';
import { program, run, STAGE_SETTINGS } from '../../test/support/program.ts';
import { type KubeApi, type KubeObject, RESOURCES } from '../kube/api.ts';
import { createRecorder } from '../kube/events.ts';
import type { JobObject, ProgramObject, RunObject } from '../kube/objects.ts';
import { createStore, type Indexes } from '../kube/store.ts';
import { buildRun } from '../objects/run.ts';
import { openContext } from './context.ts';
import { reconcile } from './reconcile.ts';
import { retentionRun } from './retention-run.ts';
import { type Caches, WATCHED } from './watched.ts';

/* What an operator does whose caches are of before, such as one that has just started beside an API server that lags. */
const { retentionPrograms, retentionRuns, jobs } = RESOURCES;

const clock = fakeClock(new Date('2026-11-17T12:00:00Z'));

let kube: FakeKube;

beforeEach(() => {
  kube = fakeKube(() => clock.now());
});

/** Caches that hold what there is now, and hear of nothing that comes after. */
function cachesNow(): Caches {
  const stores = Object.entries(WATCHED).map(([name, { resource, indexes }]) => {
    const store = createStore<KubeObject>(indexes as Indexes<KubeObject>);
    for (const object of kube.all(resource)) store.set(object);
    return [name, store];
  });
  return { ...Object.fromEntries(stores), isLost: () => false } as Caches;
}

async function look(name: string, caches: Caches = cachesNow(), api = kube.api): Promise<void> {
  const recorder = createRecorder(kube.api, { clock, instance: 'test' });
  const context = openContext({ api, caches, recorder, clock, settings: STAGE_SETTINGS, pipelines: PIPELINES });
  await reconcile(retentionRun, `shop/${name}`, context);
}

/** A run under way, and the name of its Job. */
async function begun(made: KubeObject): Promise<string> {
  const { name } = kube.put(retentionRuns, made).metadata;
  await look(name);
  return jobsThere().find((job) => job.startsWith(name)) ?? 'none';
}

const jobsThere = () => kube.all(jobs).map(({ metadata }) => metadata.name);
const phaseOf = (name: string) => kube.get<RunObject>(retentionRuns, `shop/${name}`)?.status?.phase;

function changeSpec(resource: typeof retentionRuns, name: string, spec: object): void {
  kube.change(resource, `shop/${name}`, (object) => Object.assign(object['spec'], spec));
}

function changeJob(name: string, status: object): void {
  kube.change(jobs, `shop/${name}`, (job) => Object.assign(job, { status }));
}

const COMPLETE = { conditions: [{ type: 'Complete', status: 'True' }] };

test.each([
  ['has ended since it was seen under way is kept', COMPLETE, true],
  ['goes on, otherwise than it was seen, is ended', { active: 1 }, false],
])('of a run that is over a Job that %s', async (_name, status, isKept) => {
  kube.put(retentionPrograms, program());
  const job = await begun(run());
  changeSpec(retentionRuns, 'by-hand', { cancel: true });
  const cancelled = { ...kube.get<RunObject>(retentionRuns, 'shop/by-hand')!, status: { phase: 'Cancelled' as const } };
  await kube.api.applyStatus(retentionRuns, cancelled);
  const caches = cachesNow();
  changeJob(job, status);
  await look('by-hand', caches);
  expect(jobsThere()).toEqual(isKept ? [job] : []);
});

test('a Job is not suspended for what has gone on again', async () => {
  kube.put(retentionPrograms, program());
  const job = await begun(run());
  changeSpec(retentionRuns, 'by-hand', { suspend: true });
  const caches = cachesNow();
  changeSpec(retentionRuns, 'by-hand', { suspend: false });
  await look('by-hand', caches);
  expect(kube.get<JobObject>(jobs, `shop/${job}`)?.spec?.suspend).not.toBe(true);
});

/** Two slots of the program are there as runs, the older of which is under way: names of it and of its Job. */
async function twoSlots(concurrencyPolicy: 'Forbid' | 'Replace') {
  const keep = kube.put(retentionPrograms, program({ batchSchedule: '0 2 * * *', concurrencyPolicy })) as ProgramObject;
  const older = buildRun(keep, new Date('2026-11-16T02:00:00Z'));
  const job = await begun(older);
  // Which says that its turn is all that it waits for.
  await look(kube.put(retentionRuns, buildRun(keep, new Date('2026-11-17T02:00:00Z'))).metadata.name);
  return { older: older.metadata.name, job };
}

test('a run goes on where no newer one takes its place any more', async () => {
  const { older, job } = await twoSlots('Replace');
  const caches = cachesNow();
  changeSpec(retentionPrograms, 'keep', { concurrencyPolicy: 'Forbid' });
  await look(older, caches);
  expect([phaseOf(older), jobsThere()]).toEqual(['Running', [job]]);
});

test('a Job that was ended for a newer run is not made again by who has not heard that it takes its place', async () => {
  const { older, job } = await twoSlots('Forbid');
  kube.remove(jobs, `shop/${job}`);
  const caches = cachesNow();
  changeSpec(retentionPrograms, 'keep', { concurrencyPolicy: 'Replace' });
  await look(older, caches);
  expect([phaseOf(older), jobsThere()]).toEqual(['Cancelled', []]);
});

test.each<[string, Partial<RunObject['spec']>]>([
  ['is of a slot that is yet to come', { slot: '2027-11-16T02:00:00Z' }],
  ['is another try of a run that nobody knows', { trigger: 'retry', retryOf: { name: 'unknown', uid: 'unknown' } }],
])('a run that %s is refused without a look at all others', async (_name, spec) => {
  kube.put(retentionPrograms, program());
  kube.put(retentionRuns, run('by-hand', spec));
  const api: KubeApi = { ...kube.api, list: async () => Promise.reject(new Error('every run was read')) };
  await look('by-hand', cachesNow(), api);
  expect(phaseOf('by-hand')).toBe('Failed');
});

test('a run is not refused for a slot of a schedule that is another by now', async () => {
  kube.put(retentionPrograms, program({ batchSchedule: 'cron(0 2 ? * MON 2027)' }));
  kube.put(retentionRuns, run());
  const caches = cachesNow();
  changeSpec(retentionPrograms, 'keep', { batchSchedule: '0 2 * * MON' });
  await look('by-hand', caches);
  expect(phaseOf('by-hand')).toBe('Running');
});

test('a run is not cancelled whose last Job has succeeded since it was seen under way', async () => {
  kube.put(retentionPrograms, program());
  let job = await begun(run('by-hand', { pipeline: 'prune' }));
  while (!job.endsWith('-prune-1')) {
    changeJob(job, COMPLETE);
    await look('by-hand');
    job = jobsThere().at(-1)!;
  }
  changeSpec(retentionRuns, 'by-hand', { cancel: true });
  const caches = cachesNow();
  changeJob(job, COMPLETE);
  await look('by-hand', caches);
  expect([phaseOf('by-hand'), jobsThere().at(-1)]).toEqual(['Succeeded', job]);
});
