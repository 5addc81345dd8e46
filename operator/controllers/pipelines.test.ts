import { afterEach, expect, test } from '@jest/globals';
import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';
import { GOOD } from '../../test/support/fake-kubelet.ts';
import { openWorld, type World } from '../../test/support/operator-world.ts';
import { WITH_CAMPAIGN } from '../../test/support/pipelines.ts';
import { program, run } from '../../test/support/program.ts';
import { RESOURCES } from '../kube/api.ts';
import type { JobObject, RunObject } from '../kube/objects.ts';

/*
 * The operator over another table of pipelines than its own: what comes after what, what is tried again, what is replaced.
 */
const { retentionPrograms, retentionRuns, jobs } = RESOURCES;
const FRIDAY = new Date('2026-11-20T12:00:00Z');
/** The newest of the batch on that day. */
const SLOT = '2026-11-16T02:00:00Z';

let world: World;

afterEach(() => world?.stop());

function open(maxRuns = 100, pipelines: Pipelines = WITH_CAMPAIGN): void {
  world = openWorld({ start: FRIDAY, pipelines, settings: { maxRuns } });
}

async function put(name: string, spec: object = {}): Promise<void> {
  world.kube.put(retentionRuns, run(name, spec));
  await world.clock.advance(1_000);
}

const stored = (name: string) => world.kube.get<RunObject>(retentionRuns, `shop/${name}`);
const phases = (...names: readonly string[]) => names.map((name) => stored(name)?.status?.phase);
const reasonOf = (name: string) => stored(name)?.status?.conditions?.[0]?.reason;
const jobsOf = (name: string) =>
  world.kube
    .all(jobs)
    .map(({ metadata }) => metadata.name)
    .filter((job) => job.startsWith(`${name}-`));
/** Ends every task of these runs; of others none. */
const ending =
  (...names: readonly string[]) =>
  (job: JobObject) =>
    names.some((name) => job.metadata.name.startsWith(`${name}-`)) ? GOOD(job, 0) : undefined;

test('a pipeline of another table is taken through its tasks, beside the runs of another lane', async () => {
  open();
  world.kube.put(retentionPrograms, program());
  await put('done');
  await world.settle();
  await put('batch');
  await put('first', { pipeline: 'campaign' });
  await put('second', { pipeline: 'campaign', dryRun: true });
  await world.settle(() => undefined);
  expect(phases('batch', 'first', 'second')).toEqual(['Running', 'Running', 'Pending']);
  await world.settle(ending('first', 'second'));
  expect(phases('batch', 'first', 'second')).toEqual(['Running', 'Succeeded', 'Succeeded']);
  expect(jobsOf('first')).toEqual(['first-plan-migrate-1', 'first-plan-1', 'first-deliver-check-1', 'first-deliver-1']);
  expect(world.errors).toEqual([]);
});

test('a run waits for the batch of its slot, in the way of none, and begins when that has succeeded', async () => {
  open(1);
  world.kube.put(retentionPrograms, program());
  await put('campaign', { pipeline: 'campaign' });
  await put('report', { pipeline: 'report' });
  await world.settle(() => undefined);
  expect([reasonOf('campaign'), reasonOf('report')]).toEqual(['WaitingForBatch', 'WaitingForBatch']);
  await put('batch');
  await world.settle(() => undefined);
  expect(phases('campaign', 'report', 'batch')).toEqual(['Pending', 'Pending', 'Running']);
  await world.settle(ending('batch'));
  expect(phases('campaign', 'report', 'batch')).toEqual(['Running', 'Pending', 'Succeeded']);
  expect(reasonOf('report')).toBe('WaitingForCapacity');
  await world.settle();
  expect(phases('campaign', 'report')).toEqual(['Succeeded', 'Succeeded']);
});

test('a pipeline of a series is none of a program: its schedule is not followed, and no run of it begins', async () => {
  open();
  world.kube.put(retentionPrograms, program());
  await world.clock.advance(3 * 86_400_000);
  await world.settle();
  const followed = world.kube.all(retentionRuns).map(({ spec }) => (spec as RunObject['spec']).pipeline);
  expect(followed.toSorted()).toEqual(['batch', 'campaign']);
  await put('wrong', { pipeline: 'cohorts' });
  await world.settle();
  expect([reasonOf('wrong'), jobsOf('wrong')]).toEqual(['PipelineUnknown', []]);
});

test('a run of a pipeline that nobody knows, or of a series, holds up no slot of its program', async () => {
  open();
  world.kube.put(retentionPrograms, program());
  await put('wrong', { pipeline: 'cohorts' });
  await put('unknown', { pipeline: 'unheard-of' });
  await world.clock.advance(3 * 86_400_000);
  await world.settle();
  expect([reasonOf('wrong'), reasonOf('unknown')]).toEqual(['PipelineUnknown', 'PipelineUnknown']);
  expect(phases('keep-20261123t0200z')).toEqual(['Succeeded']);
});

test('a run that waits for a batch holds up none of its lane that need not', async () => {
  const { campaign } = WITH_CAMPAIGN;
  open(100, { ...WITH_CAMPAIGN, campaign: { ...campaign!, lane: 'batch' } });
  world.kube.put(retentionPrograms, program());
  await put('campaign', { pipeline: 'campaign' });
  await put('batch');
  await put('prune', { pipeline: 'prune' });
  await world.settle();
  expect(phases('campaign', 'batch', 'prune')).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
});

test('a batch that fails lets nobody begin, and one that is tried again does', async () => {
  open();
  world.kube.put(retentionPrograms, program());
  await put('campaign', { pipeline: 'campaign' });
  await put('batch');
  await world.settle((job) => ({ ...GOOD(job, 0), exitCode: job.metadata.name.startsWith('batch-score') ? 78 : 0 }));
  expect([phases('batch', 'campaign'), reasonOf('campaign')]).toEqual([['Failed', 'Pending'], 'WaitingForBatch']);
  await put('again', { trigger: 'retry', retryOf: { name: 'batch', uid: stored('batch')!.metadata.uid } });
  await world.settle();
  expect(phases('again', 'campaign')).toEqual(['Succeeded', 'Succeeded']);
});

test('until its deadline it waits, and fails then, of itself', async () => {
  open();
  world.kube.put(retentionPrograms, program({ startingDeadlineSeconds: 3600 }));
  await put('report', { pipeline: 'report' });
  await world.settle(() => undefined);
  const before = world.writes.length;
  await world.clock.advance(3_590_000);
  await world.settle(() => undefined);
  expect([phases('report'), world.writes.length]).toEqual([['Pending'], before]);
  await world.clock.advance(10_000);
  await world.settle(() => undefined);
  expect(reasonOf('report')).toBe('BatchMissed');
  expect(stored('report')?.status).toMatchObject({ phase: 'Failed' });
});

test('a run that is tried again does what is left, and says what it reused', async () => {
  open();
  world.kube.put(retentionPrograms, program());
  await put('batch');
  await world.settle((job) => ({ ...GOOD(job, 0)!, exitCode: job.metadata.name.startsWith('batch-score') ? 78 : 0 }));
  world.kube.change(retentionPrograms, 'shop/keep', (object) => {
    object['spec'].programName = 'Changed since';
  });
  const { metadata, status } = stored('batch')!;
  await put('again', { trigger: 'retry', retryOf: { name: 'batch', uid: metadata.uid } });
  await world.settle((job) =>
    job.metadata.name.endsWith('-migrate-1')
      ? { exitCode: 0, message: { reused: ['extract', 'filter', 'store', 'nonsense'] } }
      : GOOD(job, 0),
  );
  const retried = stored('again')?.status;
  expect(retried).toMatchObject({ phase: 'Succeeded', slot: SLOT });
  expect([retried?.revision, retried?.revisionDigest]).toEqual([status?.revision, status?.revisionDigest]);
  expect(jobsOf('again')).toEqual(['again-extract-migrate-1', 'again-score-1', 'again-offer-1', 'again-store-1']);
  expect(retried?.stages?.map(({ name, phase, message, rowsOut }) => [name, phase, message, rowsOut])).toEqual([
    ['extract', 'Succeeded', 'reused from batch', 10],
    ['filter', 'Succeeded', 'reused from batch', 10],
    ['score', 'Succeeded', undefined, 10],
    ['offer', 'Succeeded', undefined, 10],
    ['store', 'Succeeded', undefined, 10],
  ]);
  const [job] = world.kube.all<JobObject>(jobs).filter((one) => one.metadata.name === 'again-extract-migrate-1');
  const { env } = (job!.spec as any).template.spec.containers[0];
  expect(env).toContainEqual({ name: 'HOLDFAST_RETRY_OF', value: 'batch' });
  expect(env).toContainEqual({ name: 'HOLDFAST_RETRY_OF_UID', value: metadata.uid });
});

/** A program by which newer runs of a schedule take the place of older ones; makes one as the operator does. */
function replacing(spec: Parameters<typeof program>[0] = {}) {
  const owner = world.kube.put(retentionPrograms, program({ concurrencyPolicy: 'Replace', ...spec }));
  const { apiVersion, kind, metadata } = owner;
  return (name: string, slot: string, more: Partial<RunObject['spec']> = {}) => {
    const made = run(name, { trigger: 'schedule', slot, ...more });
    const owners = [{ apiVersion, kind, name: metadata.name, uid: metadata.uid!, controller: true }];
    world.kube.put(retentionRuns, { ...made, metadata: { ...made.metadata, ownerReferences: owners } });
  };
}

test('a newer run of the schedule takes the place of one that goes on, where the program says so', async () => {
  open(100, PIPELINES);
  const scheduled = replacing();
  scheduled('old', '2026-11-09T02:00:00Z');
  await world.settle(ending('nobody'));
  expect(phases('old')).toEqual(['Running']);
  await put('person');
  scheduled('new', SLOT);
  await world.settle(ending('nobody'));
  expect([phases('old', 'person', 'new'), reasonOf('old')]).toEqual([['Cancelled', 'Running', 'Pending'], 'Replaced']);
  expect(jobsOf('old')).toEqual([]);
  await world.settle();
  expect(phases('old', 'person', 'new')).toEqual(['Cancelled', 'Succeeded', 'Succeeded']);
});

test('one that waits for its batch replaces none until it can begin', async () => {
  // Without a campaign, which Replace is not for.
  const { campaign: _campaign, ...pipelines } = WITH_CAMPAIGN;
  open(100, pipelines);
  const scheduled = replacing();
  const report = { pipeline: 'report' as never };
  await put('batch-1', { slot: '2026-11-09T02:00:00Z' });
  await world.settle();
  scheduled('report-1', '2026-11-09T06:00:00Z', report);
  await world.settle(ending('nobody'));
  scheduled('report-2', FRIDAY.toISOString(), report);
  await world.settle(ending('nobody'));
  expect([phases('report-1', 'report-2'), reasonOf('report-2')]).toEqual([['Running', 'Pending'], 'WaitingForBatch']);
  await put('batch-2', { slot: SLOT });
  await world.settle(ending('batch-2'));
  expect([phases('report-1', 'report-2'), reasonOf('report-1')]).toEqual([['Cancelled', 'Running'], 'Replaced']);
});

test('each run that waits names the one that it comes right after, and is told anew only once that is gone', async () => {
  open();
  world.kube.put(retentionPrograms, program());
  for (const name of ['a', 'b', 'c', 'd']) await put(name);
  await world.settle(ending('nobody'));
  const said = (name: string) =>
    /^the run (\S+) goes first/.exec(stored(name)?.status?.conditions?.[0]?.message ?? '')?.[1];
  expect([said('b'), said('c'), said('d')]).toEqual(['a', 'b', 'c']);
  expect(stored('d')?.status?.slot).toBe(SLOT);
  const before = stored('d')?.metadata.resourceVersion;
  await world.settle(ending('a'));
  expect([phases('a', 'b'), said('c'), said('d')]).toEqual([['Succeeded', 'Running'], 'b', 'c']);
  expect(stored('d')?.metadata.resourceVersion).toBe(before);
  world.kube.remove(retentionRuns, 'shop/c');
  await world.settle(ending('nobody'));
  expect(said('d')).toBe('b');
});
