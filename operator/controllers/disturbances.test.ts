import { afterEach, expect, test } from '@jest/globals';
import { openWorld, type World } from '../../test/support/operator-world.ts';
import { program, run } from '../../test/support/program.ts';
import { KubeError, type KubeObject, RESOURCES } from '../kube/api.ts';
import type { JobObject, PodObject, ProgramObject, RunObject } from '../kube/objects.ts';

/* What tenants, people and other controllers do to objects that the operator works with. */
const { retentionPrograms, retentionRuns, jobs, pods, configMaps } = RESOURCES;
const FRIDAY = new Date('2026-11-20T12:00:00Z');

let world: World;

afterEach(() => world?.stop());

const statusOf = (name = 'by-hand') => world.kube.get<RunObject>(retentionRuns, `shop/${name}`)?.status;
const allRunning = () => world.kube.all<RunObject>(retentionRuns).filter(({ status }) => status?.phase === 'Running');
const untilFilter = (job: JobObject) =>
  job.metadata.name === 'by-hand-filter-1' ? undefined : { exitCode: 0, message: {} };
const complete = (object: Record<string, any>) => {
  object['status'] = { conditions: [{ type: 'Complete', status: 'True' }] };
};

function openWithRun(): KubeObject {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  return world.kube.put(retentionRuns, run());
}

test('a Job in another namespace that names our run as its owner is nothing to us', async () => {
  const { metadata } = openWithRun();
  await world.settle(() => undefined);
  world.kube.put(jobs, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'by-hand-extract-migrate-1',
      namespace: 'evil',
      labels: { 'app.kubernetes.io/managed-by': 'holdfast' },
      ownerReferences: [
        {
          apiVersion: 'holdfast.dev/v1alpha1',
          kind: 'RetentionRun',
          name: 'by-hand',
          uid: metadata.uid!,
          controller: true,
        },
      ],
    },
    spec: {},
    status: { conditions: [{ type: 'Complete', status: 'True' }] },
  });
  world.kube.change(retentionRuns, 'shop/by-hand', (object) => {
    object['metadata'].annotations = { touched: 'yes' };
  });
  await world.settle(() => undefined);
  expect(statusOf()?.stages?.[0]).toMatchObject({ task: 'migrate', phase: 'Running' });
});

test('runs of two programs with one programId never go on at once', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  await world.clock.advance(2_000);
  world.kube.put(retentionPrograms, program({}, 'twin'));
  world.kube.put(retentionRuns, run('one'));
  world.kube.put(retentionRuns, run('two', { programRef: { name: 'twin' } }));
  await world.settle(() => undefined);
  expect(allRunning().map(({ metadata }) => metadata.name)).toEqual(['one']);
  expect(statusOf('two')?.conditions?.[0]).toMatchObject({ reason: 'ProgramIdTaken' });
});

test('of two runs made in one second, one waits, whichever is seen first', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  await world.settle(() => undefined);
  world.kube.put(retentionRuns, run('week-48'));
  while (world.kube.all(configMaps).length === 0) await new Promise((resolve) => setImmediate(resolve));
  // By its name it would go first.
  world.kube.put(retentionRuns, run('week-47'));
  await world.settle(() => undefined);
  expect(allRunning().map(({ metadata }) => metadata.name)).toEqual(['week-48']);
  await world.settle();
  expect([statusOf('week-47')?.phase, statusOf('week-48')?.phase]).toEqual(['Succeeded', 'Succeeded']);
});

test('a policy against changing Jobs holds up no run', async () => {
  openWithRun();
  (world.kube.api as { patch: unknown }).patch = async () => {
    throw new KubeError(403, 'Forbidden', 'a policy: Jobs are not patched');
  };
  await world.settle();
  expect(statusOf()?.phase).toBe('Succeeded');
});

test('a program that was deleted without what it owns, and made again, goes on with its revision', async () => {
  openWithRun();
  await world.settle();
  for (const { metadata } of world.kube.all(configMaps)) {
    world.kube.change(configMaps, `shop/${metadata.name}`, (object) => {
      delete object['metadata'].ownerReferences;
    });
  }
  world.kube.remove(retentionPrograms, 'shop/keep');
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run('again'));
  await world.settle();
  expect(statusOf('again')?.phase).toBe('Succeeded');
});

test('a run that cannot be understood fails, and its program goes on', async () => {
  world = openWorld({ start: FRIDAY });
  world.kube.put(retentionPrograms, program());
  world.kube.put(retentionRuns, run('bad', { slot: '2026-11-16T02:00:00,5Z' }));
  await world.settle();
  await world.clock.advance(62 * 3_600_000 + 2_000);
  await world.settle();
  expect(
    world.kube.all<RunObject>(retentionRuns).map(({ metadata, status }) => [metadata.name, status?.phase]),
  ).toEqual([
    ['bad', 'Failed'],
    ['keep-20261123t0200z', 'Succeeded'],
  ]);
});

test('a Job is followed to its end when its annotations are gone', async () => {
  openWithRun();
  await world.settle(untilFilter);
  world.kube.change(jobs, 'shop/by-hand-filter-1', (object) => {
    delete object['metadata'].annotations;
  });
  await world.settle(() => undefined);
  world.kube.change(jobs, 'shop/by-hand-filter-1', complete);
  await world.settle(() => undefined);
  expect(statusOf()?.stages?.[1]?.phase).toBe('Succeeded');
});

test('an events API that does not answer does not delay the suspension of a Job', async () => {
  openWithRun();
  await world.settle(untilFilter);
  const { create } = world.kube.api;
  let answer = () => {};
  (world.kube.api as { create: unknown }).create = async (...request: Parameters<typeof create>) => {
    if (request[0].plural === 'events') await new Promise<void>((resolve) => (answer = resolve));
    return await create(...request);
  };
  world.kube.change(retentionRuns, 'shop/by-hand', (object) => {
    object['spec'].suspend = true;
  });
  await world.settle();
  expect(world.kube.get<JobObject>(jobs, 'shop/by-hand-filter-1')?.spec?.suspend).toBe(true);
  answer();
});

test('counts are those of the try that succeeded, even when only one that failed was heard of', async () => {
  openWithRun();
  let gate: Promise<void> | undefined;
  let open = () => {};
  const { watch } = world.kube.api;
  (world.kube.api as { watch: unknown }).watch = async function* (...request: Parameters<typeof watch>) {
    for await (const event of watch(...request)) {
      if (request[0].plural === 'pods') await gate;
      yield event;
    }
  };
  await world.settle(untilFilter);
  const job = world.kube.get<JobObject>(jobs, 'shop/by-hand-filter-1')!;
  const podOf = (name: string, exitCode: number, message: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      labels: { ...job.metadata.labels, 'batch.kubernetes.io/job-name': job.metadata.name },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, uid: job.metadata.uid, controller: true },
      ],
    },
    status: {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      containerStatuses: [{ name: 'task', state: { terminated: { exitCode, message: JSON.stringify(message) } } }],
    },
  });
  for (const { metadata } of world.kube.all<PodObject>(pods)) {
    if (metadata.name === 'by-hand-filter-1-pod') world.kube.remove(pods, `shop/${metadata.name}`);
  }
  world.kube.put(pods, podOf('try-1', 1, { error: { code: 'HF_DATABASE_UNREACHABLE', message: 'no' } }));
  await world.settle(() => undefined);
  gate = new Promise((resolve) => {
    open = resolve;
  });
  world.kube.put(pods, podOf('try-2', 0, { rowsIn: 7, rowsOut: 5 }));
  world.kube.change(jobs, 'shop/by-hand-filter-1', complete);
  await world.settle(() => undefined, 1_000);
  open();
  await world.settle(() => undefined, 1_000);
  expect(statusOf()?.stages?.[1]).toMatchObject({ phase: 'Succeeded', rowsOut: 5 });
});

test('a Job that others suspend stays suspended until they let it go on', async () => {
  openWithRun();
  await world.settle(untilFilter);
  const suspend = (suspended: boolean) =>
    world.kube.change(jobs, 'shop/by-hand-filter-1', (object) => {
      object['spec'].suspend = suspended;
    });
  suspend(true);
  await world.settle();
  expect(world.kube.get<JobObject>(jobs, 'shop/by-hand-filter-1')?.spec?.suspend).toBe(true);
  expect(statusOf()?.conditions?.find(({ type }) => type === 'Reconciling')).toMatchObject({ reason: 'JobSuspended' });
  suspend(false);
  await world.settle();
  expect(statusOf()?.phase).toBe('Succeeded');
});

test('a slot whose run is refused is told on the program, and run when it no longer is', async () => {
  world = openWorld({ start: FRIDAY });
  const { create } = world.kube.api;
  let full = true;
  (world.kube.api as { create: unknown }).create = async (...request: Parameters<typeof create>) => {
    if (full && request[0].plural === 'retentionruns') throw new KubeError(403, 'Forbidden', 'exceeded quota: runs');
    return await create(...request);
  };
  world.kube.put(retentionPrograms, program());
  await world.settle();
  await world.clock.advance(62 * 3_600_000 + 2_000);
  await world.settle();
  const ready = () =>
    world.kube.all<ProgramObject>(retentionPrograms)[0]?.status?.conditions?.find(({ type }) => type === 'Ready');
  expect(ready()).toMatchObject({
    status: 'False',
    reason: 'Refused',
    message: expect.stringContaining('exceeded quota'),
  });
  full = false;
  await world.clock.advance(20_000);
  await world.settle();
  expect(ready()).toMatchObject({ status: 'True', reason: 'Scheduled' });
  expect(statusOf('keep-20261123t0200z')?.phase).toBe('Succeeded');
});
