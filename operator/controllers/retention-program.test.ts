import { expect, test } from '@jest/globals';
import { PIPELINES } from '../../contract/pipelines.ts';
import { fakeClock } from '../../test/support/fake-clock.ts';
import { type FakeKube, fakeKube } from '../../test/support/fake-kube.ts';
import { KEEP, program, run, STAGE_SETTINGS } from '../../test/support/program.ts';
import { type KubeObject, RESOURCES } from '../kube/api.ts';
import { createRecorder } from '../kube/events.ts';
import type { ProgramObject } from '../kube/objects.ts';
import { createStore, type Indexes } from '../kube/store.ts';
import { buildRevision } from '../objects/revision.ts';
import { openContext } from './context.ts';
import { reconcile as reconcileOne } from './reconcile.ts';
import { retentionProgram } from './retention-program.ts';
import { type Caches, WATCHED, type Watched } from './watched.ts';

const { retentionPrograms, retentionRuns, configMaps } = RESOURCES;

const clock = fakeClock(new Date('2026-11-20T12:00:00Z'));

/** A program that was edited since its revision was made. */
function edited(kube: FakeKube): KubeObject {
  const before = kube.put(retentionPrograms, program()) as ProgramObject;
  const revision = kube.put(configMaps, buildRevision(KEEP, before, STAGE_SETTINGS));
  kube.change(retentionPrograms, 'shop/keep', (object) => {
    object['spec'].programName = 'Another';
  });
  return revision;
}

/** A cache that has heard of everything but runs. */
function withoutRuns(kube: FakeKube): Caches {
  const stored = (name: keyof Watched, objects: readonly KubeObject[]) => {
    const store = createStore<KubeObject>(WATCHED[name].indexes as Indexes<KubeObject>);
    for (const object of objects) store.set(object);
    return [name, store];
  };
  return Object.fromEntries([
    stored('programs', kube.all(retentionPrograms)),
    stored('runs', []),
    stored('revisions', kube.all(configMaps)),
  ]) as Caches;
}

async function reconcile(kube: FakeKube): Promise<Date | undefined> {
  const context = openContext({
    api: kube.api,
    caches: withoutRuns(kube),
    recorder: createRecorder(kube.api, { clock, instance: 'test' }),
    clock,
    settings: STAGE_SETTINGS,
    pipelines: PIPELINES,
  });
  return await reconcileOne(retentionProgram, 'shop/keep', context);
}

test('a revision that nothing is pinned to is forgotten', async () => {
  const kube = fakeKube(() => clock.now());
  edited(kube);
  await reconcile(kube);
  expect(kube.all(configMaps)).toEqual([]);
});

test('a revision stays while a run is pinned to it that the cache has not heard of', async () => {
  const kube = fakeKube(() => clock.now());
  const revision = edited(kube);
  const made = kube.put(retentionRuns, run());
  await kube.api.applyStatus(retentionRuns, {
    ...made,
    status: { phase: 'Running', revision: revision.metadata.name },
  });
  await reconcile(kube);
  expect(kube.all(configMaps).map(({ metadata }) => metadata.name)).toEqual([revision.metadata.name]);
});

test('a program whose slot is days away is looked at again within minutes, for what nobody told', async () => {
  const kube = fakeKube(() => clock.now());
  edited(kube);
  expect((await reconcile(kube))?.getTime()).toBe(clock.now().getTime() + 10 * 60_000);
});
