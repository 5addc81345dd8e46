import { expect, test } from '@jest/globals';
import { fakeKube } from '../../test/support/fake-kube.ts';
import { type KubeApi, KubeError, type KubeObject, RESOURCES } from '../kube/api.ts';
import type { StoredMetadata } from '../objects.ts';
import { lastComplaint } from './complaint.ts';

const JOB = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', namespace: 'shop', uid: 'job-uid', resourceVersion: '1', creationTimestamp: '' },
} as KubeObject & { readonly metadata: StoredMetadata };

function cluster() {
  const kube = fakeKube(() => new Date(0));
  let made = 0;
  const say = (note: string, at: object, uid = 'job-uid', type = 'Warning') => {
    made += 1;
    const metadata = { name: `e${made}`, namespace: 'shop' };
    const event = { kind: 'Event', metadata, type, reason: 'FailedCreate', note, regarding: { uid }, ...at };
    kube.put(RESOURCES.events, { apiVersion: 'events.k8s.io/v1', ...event });
  };
  return { api: kube.api, say };
}

test('the newest warning about the object is told, whichever of its times an event carries', async () => {
  const { api, say } = cluster();
  say('old', { deprecatedLastTimestamp: '2026-11-23T02:00:00Z' });
  say('newest', { eventTime: '2026-11-23T02:00:00.1Z', series: { lastObservedTime: '2026-11-23T02:09:00Z' } });
  say('newer', { eventTime: '2026-11-23T02:05:00.000000Z' });
  expect(await lastComplaint(api, [JOB])).toBe('FailedCreate: newest');
});

test('what is normal, and what is about others, is not told', async () => {
  const { api, say } = cluster();
  say('made a pod', { eventTime: '2026-11-23T02:05:00Z' }, 'job-uid', 'Normal');
  say('quota', { eventTime: '2026-11-23T02:05:00Z' }, 'another-uid');
  expect(await lastComplaint(api, [JOB])).toBeUndefined();
});

test('it is one line of bounded length', async () => {
  const { api, say } = cluster();
  say(`a\nb\t${'c'.repeat(2000)}`, { eventTime: '2026-11-23T02:05:00Z' });
  const told = (await lastComplaint(api, [JOB])) ?? '';
  expect(told.startsWith('FailedCreate: a b ccc')).toBe(true);
  expect(told.length).toBe(512);
});

test('whoever may not read events goes without; what else fails is a failure', async () => {
  const refusing = (status: number) =>
    ({ list: () => Promise.reject(new KubeError(status, 'x', 'no')) }) as unknown as KubeApi;
  expect(await lastComplaint(refusing(403), [JOB])).toBeUndefined();
  await expect(lastComplaint(refusing(500), [JOB])).rejects.toThrow('no');
});
