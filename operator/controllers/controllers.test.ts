import { afterEach, expect, test } from '@jest/globals';
import { type Fate, openWorld, picture, type World } from '../../test/support/operator-world.ts';
import { KEEP, pipelineStatusOf, program, programSpec, run, STAGE_SETTINGS } from '../../test/support/program.ts';
import { type KubeObject, RESOURCES } from '../kube/api.ts';
import type { JobObject, ProgramObject, RunObject } from '../kube/objects.ts';
import { buildRevision } from '../objects/revision.ts';

const { retentionPrograms, retentionRuns, jobs, pods, configMaps } = RESOURCES;
const FRIDAY = new Date('2026-11-20T12:00:00Z');
/** From Friday noon to two seconds past the slot of Monday at two. */
const TO_SLOT = 62 * 3_600_000 + 2_000;
/** Nearer to the slot, for what is done a hundred times. */
const BEFORE_SLOT = new Date('2026-11-23T01:59:00Z');
const TO_SLOT_FROM_BEFORE = 62_000;
const RUN = 'keep-20261123t0200z';

let world: World;

afterEach(() => world?.stop());

async function toSlot(milliseconds = TO_SLOT, made = program()): Promise<void> {
  world.kube.put(retentionPrograms, made);
  await world.settle();
  await world.clock.advance(milliseconds);
  await world.settle();
}

test('at a slot a program is run as one Job per task, in order, and says how it went', async () => {
  world = openWorld({ start: FRIDAY });
  await toSlot();
  expect(world.errors).toEqual([]);
  const [made] = world.kube.all<RunObject>(retentionRuns);
  expect(made?.metadata.name).toBe(RUN);
  expect(made?.status).toMatchObject({ phase: 'Succeeded', slot: '2026-11-23T02:00:00Z' });
  expect(made?.status?.stages?.map(({ name, phase, rowsOut }) => [name, phase, rowsOut])).toEqual([
    ['extract', 'Succeeded', 10],
    ['filter', 'Succeeded', 10],
    ['score', 'Succeeded', 10],
    ['offer', 'Succeeded', 10],
    ['store', 'Succeeded', 10],
  ]);
  expect(made?.status?.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
    'Complete=True',
    'Failed=False',
    'Reconciling=False',
    'Stalled=False',
  ]);
  expect(world.kube.all(jobs).map(({ metadata }) => metadata.name)).toEqual([
    `${RUN}-extract-migrate-1`,
    `${RUN}-extract-1`,
    `${RUN}-filter-1`,
    `${RUN}-score-1`,
    `${RUN}-offer-1`,
    `${RUN}-store-1`,
  ]);
  expect(pipelineStatusOf(world.kube.all<ProgramObject>(retentionPrograms)[0])).toMatchObject({
    lastRun: { name: RUN, phase: 'Succeeded', candidates: 10 },
    nextSlot: '2026-11-30T02:00:00Z',
    lastSlot: '2026-11-23T02:00:00Z',
    lastSucceededSlot: '2026-11-23T02:00:00Z',
  });
});

test('a run of six tasks costs at most 24 writes', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  await world.settle();
  const before = world.writes.length;
  await world.clock.advance(TO_SLOT);
  await world.settle();
  expect(world.kube.all<RunObject>(retentionRuns)[0]?.status?.phase).toBe('Succeeded');
  const made = world.writes.slice(before).map(({ verb, kind }) => `${verb} ${kind}`);
  expect(made).toHaveLength(24);
});

test('nothing is written while nothing happens', async () => {
  world = openWorld({ start: FRIDAY });
  await toSlot();
  const before = world.writes.length;
  await world.clock.advance(3 * 24 * 3_600_000);
  await world.settle();
  expect(world.writes.slice(before)).toEqual([]);
});

test('a run that a person makes is run at once, as of the newest slot', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle();
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status).toMatchObject({
    phase: 'Succeeded',
    slot: '2026-11-16T02:00:00Z',
  });
});

test('two runs of one program take turns', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run('first'));
  world.kube.put(retentionRuns, run('second'));
  await world.settle(() => undefined);
  const waiting = world.kube.get<RunObject>(retentionRuns, 'shop/second');
  expect(waiting?.status?.phase).toBe('Pending');
  expect(waiting?.status?.conditions?.[0]).toMatchObject({ reason: 'WaitingForRun' });
  await world.settle();
  expect(world.kube.all<RunObject>(retentionRuns).map(({ status }) => status?.phase)).toEqual([
    'Succeeded',
    'Succeeded',
  ]);
});

test('of many runs of one program each has its turn, the oldest first, and those that wait are not written again', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const name of names) {
    world.kube.put(retentionRuns, run(name));
    await world.clock.advance(1_000);
  }
  await world.settle(() => undefined);
  const last = world.kube.get(retentionRuns, 'shop/f')?.metadata.resourceVersion;
  await world.settle((job) => (job.metadata.name.startsWith('a-') ? { exitCode: 0 } : undefined));
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/b')?.status?.phase).toBe('Running');
  expect(world.kube.get(retentionRuns, 'shop/f')?.metadata.resourceVersion).toBe(last);
  world.kube.remove(retentionRuns, 'shop/c');
  world.kube.change(retentionRuns, 'shop/d', (object) => {
    object['spec'].suspend = true;
  });
  await world.settle();
  world.kube.change(retentionRuns, 'shop/d', (object) => {
    object['spec'].suspend = false;
  });
  await world.settle();
  const began = world.kube
    .all(jobs)
    .filter(({ metadata }) => metadata.name.endsWith('-migrate-1'))
    .map(({ metadata }) => metadata.name[0]);
  expect(began).toEqual(['a', 'b', 'e', 'f', 'd']);
  expect(world.kube.all<RunObject>(retentionRuns).every(({ status }) => status?.phase === 'Succeeded')).toBe(true);
});

/** Programs and runs that no schema would let in now, such as those of another version. */
const POISONED: Readonly<Record<string, (kube: World['kube']) => void>> = {
  'a program without a chain of filters': ({ change }) =>
    void change(retentionPrograms, 'shop/bad', (object) => {
      delete object['spec'].filterChain;
    }),
  'a program without a spec': ({ change }) =>
    void change(retentionPrograms, 'shop/bad', (object) => {
      delete object['spec'];
    }),
  'a program whose schedule is a number': ({ change }) =>
    void change(retentionPrograms, 'shop/bad', (object) => {
      object['spec'].batchSchedule = 5;
    }),
};

test.each(Object.entries(POISONED))('%s says that it cannot be read, and holds up nobody', async (_name, poison) => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program({ programId: 'bad' }, 'bad'));
  poison(world.kube);
  await toSlot();
  expect(world.kube.get<RunObject>(retentionRuns, `shop/${RUN}`)?.status?.phase).toBe('Succeeded');
  const bad = world.kube.get<ProgramObject>(retentionPrograms, 'shop/bad');
  expect(bad?.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False' });
  // Looked at again, but less and less often.
  const before = world.errors.length;
  await world.clock.advance(10 * 60_000);
  await world.settle();
  expect(world.errors.length - before).toBeLessThan(6);
});

test('a run without a spec says that it cannot be read, and the operator starts and goes on with the others', async () => {
  world = openWorld({ start: FRIDAY });
  const { spec: _spec, ...bad } = run('bad');
  world.kube.put(retentionRuns, bad);
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle();
  const { spec: _other, ...late } = run('late');
  world.kube.put(retentionRuns, late);
  await world.settle();
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Succeeded');
  for (const name of ['bad', 'late']) {
    const { status } = world.kube.get<RunObject>(retentionRuns, `shop/${name}`)!;
    expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
      status: 'True',
      reason: 'InternalError',
    });
  }
});

test('a run under way whose status holds what cannot be read says so, and goes on once that is mended', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle((job) => (job.metadata.name === 'by-hand-filter-1' ? undefined : { exitCode: 0, message: {} }));
  const stages = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.stages;
  const setStages = (value: unknown) =>
    world.kube.change(retentionRuns, 'shop/by-hand', (object) => {
      object['status'].stages = value;
    });
  setStages({ not: 'a list' });
  await world.settle();
  const { status } = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')!;
  expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({ reason: 'InternalError' });
  setStages(stages);
  await world.settle();
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Succeeded');
});

test('a spec of more than 256 KiB is not looked at, and says so; the run of before goes on', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle((job) => (job.metadata.name === 'by-hand-filter-1' ? undefined : { exitCode: 0, message: {} }));
  world.kube.change(retentionPrograms, 'shop/keep', (object) => {
    object['spec'].programName = 'x'.repeat(256 * 1024);
  });
  await world.settle();
  world.kube.put(retentionRuns, run('another'));
  await world.settle();
  expect(world.errors).toEqual([]);
  const ready = world.kube
    .get<ProgramObject>(retentionPrograms, 'shop/keep')
    ?.status?.conditions?.find(({ type }) => type === 'Ready');
  expect(ready).toMatchObject({
    status: 'False',
    reason: 'SpecInvalid',
    message: expect.stringMatching(/^spec has \d{6} bytes; at most/),
  });
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Succeeded');
  const another = world.kube.get<RunObject>(retentionRuns, 'shop/another')?.status;
  expect(another?.conditions?.[0]).toMatchObject({ reason: 'SpecInvalid' });
});

/** A program whose scoring is divided. */
const divided = (shards: number) => program({ execution: { ...programSpec().execution, shards } });

test('a stage in shards is one Job of several pods and one that gathers, which reports for it', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, divided(3));
  world.kube.put(retentionRuns, run());
  await world.settle((job, index) => ({
    exitCode: 0,
    message: { rowsOut: job.metadata.name.includes('shards') ? 100 + index : 7 },
  }));
  expect(world.errors).toEqual([]);
  const { status } = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')!;
  expect(status?.phase).toBe('Succeeded');
  expect(status?.stages?.map(({ task, rowsOut }) => `${task} ${rowsOut}`)).toEqual([
    'extract 7',
    'filter 7',
    'score 7',
    'offer 7',
    'store 7',
  ]);
  expect(world.kube.all(jobs).map(({ metadata }) => metadata.name)).toEqual([
    'by-hand-extract-migrate-1',
    'by-hand-extract-1',
    'by-hand-filter-1',
    'by-hand-score-shards-1',
    'by-hand-score-1',
    'by-hand-offer-1',
    'by-hand-store-1',
  ]);
  const names = world.kube.all(pods).map(({ metadata }) => metadata.name);
  expect(names.filter((name) => name.includes('shards'))).toEqual([
    'by-hand-score-shards-1-0-pod',
    'by-hand-score-shards-1-1-pod',
    'by-hand-score-shards-1-2-pod',
  ]);
});

test('a shard that fails for good fails the run with its code, and its sentence says which it was', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, divided(3));
  world.kube.put(retentionRuns, run());
  const error = { code: 'HF_MODEL_MISSING', message: 'the model risk is not there' };
  await world.settle((job, index) => {
    if (!job.metadata.name.includes('shards') || index === 0) return { exitCode: 0, message: {} };
    return index === 1 ? undefined : { exitCode: 78, message: { error } };
  });
  const { status } = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')!;
  expect(status?.phase).toBe('Failed');
  expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
    message: 'score/shards: HF_MODEL_MISSING: shard 2: the model risk is not there',
  });
});

test.each([
  ['suspended and resumed', (name: string) => name],
  ['without its Job, which somebody deleted', (name: string) => world.kube.remove(jobs, `shop/${name}`)],
])('a run in the middle of its shards that is %s goes on to its end', async (_name, disturb) => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, divided(2));
  world.kube.put(retentionRuns, run());
  await world.settle((job, index) =>
    job.metadata.name.includes('shards') && index === 1 ? undefined : { exitCode: 0, message: {} },
  );
  const suspend = (suspended: boolean) =>
    world.kube.change(retentionRuns, 'shop/by-hand', (object) => {
      object['spec'].suspend = suspended;
    });
  suspend(true);
  await world.settle(() => undefined);
  expect(world.kube.get<JobObject>(jobs, 'shop/by-hand-score-shards-1')?.spec?.suspend).toBe(true);
  disturb('by-hand-score-shards-1');
  suspend(false);
  await world.settle();
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Succeeded');
});

test('a run that an older version pinned, whose revision names no shards, has none', async () => {
  world = openWorld({ start: FRIDAY });
  const old = program();
  delete (old as any).spec.execution.shards;
  world.kube.put(retentionPrograms, old);
  world.kube.put(retentionRuns, run());
  await world.settle();
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Succeeded');
  expect(world.kube.all(jobs)).toHaveLength(6);
});

test('a task that fails for good fails the run with its code and sentence', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  const error = { code: 'HF_MODEL_MISSING', message: 'the model risk is not there' };
  await world.settle((job) =>
    job.metadata.name.includes('score') ? { exitCode: 78, message: { error } } : { exitCode: 0, message: {} },
  );
  const { status } = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')!;
  expect(status?.phase).toBe('Failed');
  expect(status?.stages?.find(({ name }) => name === 'score')).toMatchObject({
    phase: 'Failed',
    errorCode: 'HF_MODEL_MISSING',
    message: 'the model risk is not there',
  });
  expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
    status: 'True',
    message: 'score/score: HF_MODEL_MISSING: the model risk is not there',
  });
  expect(world.kube.all(jobs)).toHaveLength(4);
});

test('a Job that somebody deletes is made again as the next attempt', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle((job) => (job.metadata.name === 'by-hand-filter-1' ? undefined : { exitCode: 0, message: {} }));
  world.kube.remove(jobs, 'shop/by-hand-filter-1');
  await world.settle();
  const { status } = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')!;
  expect(status?.phase).toBe('Succeeded');
  expect(status?.stages?.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 1, 1]);
});

test('Jobs of a finished run may all be gone without any of them being made again', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle();
  for (const { metadata } of world.kube.all(jobs)) world.kube.remove(jobs, `shop/${metadata.name}`);
  await world.settle();
  expect(world.kube.all(jobs)).toEqual([]);
});

test('a foreign Job under our name fails the run and is left alone', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(jobs, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'by-hand-filter-1', namespace: 'shop' },
    status: { conditions: [] },
  });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle();
  const { status } = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')!;
  expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
    status: 'True',
    reason: 'NameTaken',
  });
  expect(world.kube.get(jobs, 'shop/by-hand-filter-1')?.metadata.ownerReferences).toBeUndefined();
});

test('a foreign run under the name of a slot skips the slot', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionRuns, run(RUN, { programRef: { name: 'another' } }));
  await toSlot();
  expect(world.kube.all(retentionRuns)).toHaveLength(1);
  expect(pipelineStatusOf(world.kube.all<ProgramObject>(retentionPrograms)[0])).toMatchObject({
    lastSlot: '2026-11-23T02:00:00Z',
    skippedSlots: 1,
  });
});

test('a suspended run suspends its Job, and goes on when it is resumed', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle((job) => (job.metadata.name === 'by-hand-filter-1' ? undefined : { exitCode: 0, message: {} }));
  const suspend = (suspended: boolean) =>
    world.kube.change(retentionRuns, 'shop/by-hand', (object) => {
      object['spec'].suspend = suspended;
    });
  suspend(true);
  await world.settle();
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Suspended');
  expect(world.kube.get<JobObject>(jobs, 'shop/by-hand-filter-1')?.spec?.suspend).toBe(true);
  suspend(false);
  await world.settle();
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Succeeded');
});

test('a cancelled run ends its Job and starts no other', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle((job) => (job.metadata.name === 'by-hand-filter-1' ? undefined : { exitCode: 0, message: {} }));
  world.kube.change(retentionRuns, 'shop/by-hand', (object) => {
    object['spec'].cancel = true;
  });
  await world.settle();
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.phase).toBe('Cancelled');
  expect(world.kube.all(jobs).map(({ metadata }) => metadata.name)).toEqual([
    'by-hand-extract-migrate-1',
    'by-hand-extract-1',
  ]);
});

test('a run under way keeps to its revision when the program changes', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle((job) => (job.metadata.name === 'by-hand-filter-1' ? undefined : { exitCode: 0, message: {} }));
  const revision = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.revision;
  world.kube.change(retentionPrograms, 'shop/keep', (object) => {
    object['spec'].programName = 'Another';
  });
  await world.settle();
  const { status } = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')!;
  expect(status).toMatchObject({ phase: 'Succeeded', revision });
  const pinned = world.kube.all(jobs).map(({ metadata }) => metadata.annotations?.['holdfast.dev/revision']);
  expect(new Set(pinned)).toEqual(new Set([revision]));
  expect(world.kube.all(configMaps).map(({ metadata }) => metadata.name)).toEqual([revision]);
});

test('a run whose first Job was made before a crash keeps to the revision of that Job, though the program was edited', async () => {
  let isEdited = false;
  world = openWorld({
    start: FRIDAY,
    fate({ kind }) {
      if (kind !== 'Job' || isEdited) return 'live';
      isEdited = true;
      world.kube.change(retentionPrograms, 'shop/keep', (object) => {
        object['spec'].programName = 'Another';
      });
      return 'killed after';
    },
  });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run());
  await world.settle();
  const { status } = world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')!;
  expect(status?.phase).toBe('Succeeded');
  const pinned = world.kube.all(jobs).map(({ metadata }) => metadata.annotations?.['holdfast.dev/revision']);
  expect(new Set(pinned)).toEqual(new Set([status?.revision]));
});

test('a run of a program that has not changed finds its revision there, and does not try to make it again', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  for (const name of ['first', 'second']) {
    world.kube.put(retentionRuns, run(name));
    await world.settle();
  }
  expect(world.kube.all<RunObject>(retentionRuns).map(({ status }) => status?.phase)).toEqual([
    'Succeeded',
    'Succeeded',
  ]);
  expect(world.writes.filter(({ kind }) => kind === 'ConfigMap')).toHaveLength(1);
});

test('a ConfigMap of our name and owner that holds something else is not taken for the revision: nothing is run', async () => {
  world = openWorld({ start: FRIDAY });
  const made = world.kube.put(retentionPrograms, program()) as ProgramObject;
  const revision = buildRevision(KEEP, made, STAGE_SETTINGS);
  const image = 'elsewhere.example/other:1';
  world.kube.put(configMaps, { ...revision, data: { ...revision.data, image } } as KubeObject);
  world.kube.put(retentionRuns, run());
  await world.settle();
  expect(world.kube.all(jobs)).toEqual([]);
  expect(world.kube.get<RunObject>(retentionRuns, 'shop/by-hand')?.status?.conditions?.[0]).toMatchObject({
    reason: 'RevisionLost',
  });
});

test('deleting the program takes its runs, Jobs and revisions with it', async () => {
  world = openWorld({ start: FRIDAY });
  await toSlot();
  world.kube.remove(retentionPrograms, 'shop/keep');
  await world.settle();
  expect([retentionRuns, jobs, configMaps].flatMap((resource) => world.kube.all(resource))).toEqual([]);
  expect(world.errors).toEqual([]);
});

/** Kills the operator before and after each of its writes, or of those that are chosen, and says where it ended otherwise. */
async function killedAtEach(
  made: KubeObject,
  chosen: (writes: World['writes']) => { readonly from: number; readonly to: number },
): Promise<readonly string[]> {
  const play = async (fate?: Fate) => {
    world = openWorld({ start: BEFORE_SLOT, ...(fate === undefined ? {} : { fate }) });
    await toSlot(TO_SLOT_FROM_BEFORE, made);
    const seen = JSON.stringify(picture(world.kube));
    await world.stop();
    return seen;
  };
  const undisturbed = await play();
  const { from, to } = chosen(world.writes);
  const diverged: string[] = [];
  for (let number = from; number <= to; number += 1) {
    for (const fate of ['killed before', 'killed after'] as const) {
      const seen = await play((_write, at) => (at === number ? fate : 'live'));
      if (seen !== undisturbed || world.lives() !== 2) diverged.push(`${fate} write ${number}`);
    }
  }
  return diverged;
}

test('wherever the operator is killed, its successor brings the cluster to the same state', async () => {
  expect(await killedAtEach(program(), ({ length }) => ({ from: 1, to: length }))).toEqual([]);
}, 120_000);

test('wherever the operator is killed about the shards of a stage, its successor brings the cluster to the same state', async () => {
  const about = (writes: World['writes']) => {
    const made = writes.flatMap(({ verb, kind }, index) => (verb === 'create' && kind === 'Job' ? [index + 1] : []));
    expect(made).toHaveLength(7);
    // The shards are the fourth task, and what gathers them the fifth.
    return { from: made[3] ?? 0, to: (made[4] ?? 0) + 1 };
  };
  expect(await killedAtEach(divided(3), about)).toEqual([]);
}, 120_000);
