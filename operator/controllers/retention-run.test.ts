import { expect, test } from '@jest/globals';
import { fakeClock } from '../../test/support/fake-clock.ts';
import { type FakeKube, fakeKube } from '../../test/support/fake-kube.ts';
import { program, run, STAGE_SETTINGS } from '../../test/support/program.ts';
import { type KubeObject, RESOURCES } from '../kube/api.ts';
import { createRecorder } from '../kube/events.ts';
import { createStore } from '../kube/store.ts';
import type { RunObject } from '../objects.ts';
import type { Caches } from './caches.ts';
import { remember } from './memory.ts';
import { retentionRunController } from './retention-run.ts';

const { retentionPrograms, retentionRuns, jobs, configMaps } = RESOURCES;

const clock = fakeClock(new Date('2026-11-20T12:00:00Z'));

/** Caches that hold just these objects. */
function cachesOf(objects: Partial<Record<keyof Caches, readonly KubeObject[]>>): Caches {
  const none = () => [];
  const stores = (['programs', 'runs', 'jobs', 'pods', 'revisions'] as const).map((name) => {
    const store = createStore<KubeObject>({ owner: none, program: none, programId: none, revision: none });
    for (const object of objects[name] ?? []) store.set(object);
    return [name, store];
  });
  return Object.fromEntries(stores) as Caches;
}

async function reconcile(kube: FakeKube, caches: Caches): Promise<void> {
  await retentionRunController.reconcile('shop/by-hand', {
    ...remember(kube.api),
    caches,
    recorder: createRecorder(kube.api, { clock, instance: 'test' }),
    clock,
    settings: STAGE_SETTINGS,
  });
}

test('a run that has not begun is begun', async () => {
  const kube = fakeKube(() => clock.now());
  const programs = [kube.put(retentionPrograms, program())];
  const runs = [kube.put(retentionRuns, run())];
  await reconcile(kube, cachesOf({ programs, runs }));
  expect(kube.all(jobs).map(({ metadata }) => metadata.name)).toEqual(['by-hand-extract-migrate-1']);
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
