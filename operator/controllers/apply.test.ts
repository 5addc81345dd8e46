import { beforeEach, expect, test } from '@jest/globals';
import { fakeClock } from '../../test/support/fake-clock.ts';
import { type FakeKube, fakeKube } from '../../test/support/fake-kube.ts';
import { type KubeApi, KubeError, type KubeObject, RESOURCES, type Resource } from '../kube/api.ts';
import { createRecorder } from '../kube/events.ts';
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
