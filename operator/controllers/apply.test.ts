import { beforeEach, expect, test } from '@jest/globals';
import { fakeClock } from '../../test/support/fake-clock.ts';
import { type FakeKube, fakeKube } from '../../test/support/fake-kube.ts';
import type { Action } from '../decide/action.ts';
import { type KubeApi, KubeError, type KubeObject, RESOURCES, type Resource } from '../kube/api.ts';
import { createRecorder } from '../kube/events.ts';
import type { StoredMetadata } from '../kube/objects.ts';
import { type Applied, apply } from './apply.ts';

const { jobs, configMaps } = RESOURCES;
const OWNER = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'owner', controller: true };
const FOREIGN = { ...OWNER, uid: 'another' };

const clock = fakeClock();
let kube: FakeKube;

beforeEach(() => {
  kube = fakeKube(() => clock.now());
});

function object(resource: Resource, change: object = {}, metadata: object = {}): KubeObject {
  const { kind } = resource;
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'one', namespace: 'shop', ownerReferences: [OWNER], ...metadata },
    ...change,
  };
}

const make = async (resource: Resource, made: KubeObject, api: KubeApi = kube.api): Promise<Applied> =>
  await apply([{ do: 'create', resource, object: made }], api, createRecorder(api, { clock, instance: 'test' }));

const DATA = { immutable: true, data: { a: '1' } };
const found = ({ existing, taken, refused }: Applied) =>
  `${existing.length} existing, ${taken.size} taken, ${refused.size} refused`;

test.each<[string, Resource, KubeObject, KubeObject, string]>([
  ['a Job of ours is there', jobs, object(jobs), object(jobs), '1 existing, 0 taken, 0 refused'],
  [
    'a Job of another is in the way',
    jobs,
    object(jobs, {}, { ownerReferences: [FOREIGN] }),
    object(jobs),
    '0 existing, 1 taken, 0 refused',
  ],
  [
    'a ConfigMap of ours is there',
    configMaps,
    object(configMaps, DATA),
    object(configMaps, DATA),
    '1 existing, 0 taken, 0 refused',
  ],
  [
    'a ConfigMap of ours that holds something else is in the way',
    configMaps,
    object(configMaps, { ...DATA, data: { a: '2' } }),
    object(configMaps, DATA),
    '0 existing, 1 taken, 0 refused',
  ],
  [
    'an equal ConfigMap that nobody owns is as good as ours',
    configMaps,
    object(configMaps, DATA, { ownerReferences: [] }),
    object(configMaps, DATA),
    '1 existing, 0 taken, 0 refused',
  ],
  [
    'one that nobody owns and that may yet change is in the way',
    configMaps,
    object(configMaps, { ...DATA, immutable: false }, { ownerReferences: [] }),
    object(configMaps, DATA),
    '0 existing, 1 taken, 0 refused',
  ],
])('%s', async (_name, resource, there, ours, outcome) => {
  kube.put(resource, there);
  expect(found(await make(resource, ours))).toBe(outcome);
});

test('an object of ours that is on its way out is waited for, not taken for what is to be made', async () => {
  kube.put(jobs, object(jobs));
  kube.change(jobs, 'shop/one', ({ metadata }) => {
    metadata.deletionTimestamp = '2026-11-23T02:00:00Z';
  });
  await expect(make(jobs, object(jobs))).rejects.toMatchObject({ reason: 'AlreadyExists' });
});

test.each([
  [422, 'refused, and what follows is not made'],
  [403, 'refused, and what follows is not made'],
  [500, 'thrown'],
])('an object that the API server answers with %d is %s', async (status, outcome) => {
  let asked = 0;
  const api: KubeApi = {
    ...kube.api,
    create() {
      asked += 1;
      return Promise.reject(new KubeError(status, 'No', 'no'));
    },
  };
  const create = { do: 'create', resource: jobs, object: object(jobs) } as const;
  const applied = apply([create, create], api, createRecorder(api, { clock, instance: 'test' }));
  if (outcome === 'thrown') await expect(applied).rejects.toMatchObject({ status });
  else expect((await applied).refused.get('Job shop/one')).toEqual({ status, message: 'no' });
  expect(asked).toBe(1);
});

const STALE: readonly (readonly [string, (there: KubeObject) => Action])[] = [
  ['deleted', (there) => ({ do: 'delete', resource: jobs, object: stored(there) })],
  ['changed', (there) => ({ do: 'patch', resource: jobs, object: stored(there), patch: { spec: { suspend: true } } })],
];

function stored(there: KubeObject) {
  return there as KubeObject & { readonly metadata: StoredMetadata };
}

const act = async (...actions: readonly Action[]): Promise<Applied> =>
  await apply(actions, kube.api, createRecorder(kube.api, { clock, instance: 'test' }));

test.each(STALE)(
  'an object that has changed since it was looked at is not %s, and what it is now is found',
  async (_name, action) => {
    const before = kube.put(jobs, object(jobs));
    const now = kube.change(jobs, 'shop/one', (job) => {
      job['status'] = { active: 1 };
    });
    const applied = await act(action(before), {
      do: 'create',
      resource: jobs,
      object: object(jobs, {}, { name: 'two' }),
    });
    expect(applied.existing).toEqual([now]);
    // What follows rests on it.
    expect(kube.all(jobs)).toEqual([now]);
  },
);

test.each(STALE)('one that is gone, or that another has the name of, need not be %s', async (_name, action) => {
  const before = kube.put(jobs, object(jobs));
  kube.remove(jobs, 'shop/one');
  expect(found(await act(action(before)))).toBe('0 existing, 0 taken, 0 refused');
  const other = kube.put(jobs, object(jobs));
  expect(found(await act(action(before)))).toBe('0 existing, 0 taken, 0 refused');
  expect(kube.all(jobs)).toEqual([other]);
});

test('what nothing rests on is changed whatever else has changed', async () => {
  const before = kube.put(jobs, object(jobs));
  kube.change(jobs, 'shop/one', (job) => {
    job['status'] = { active: 1 };
  });
  const patch = { spec: { ttlSecondsAfterFinished: 1 } };
  await act({ do: 'patch', resource: jobs, object: stored(before), patch, optional: true });
  expect(kube.get(jobs, 'shop/one')).toMatchObject(patch);
});
