import { expect, test } from '@jest/globals';
import { fakeKube } from '../../test/support/fake-kube.ts';
import { type KubeApi, KubeError, type KubeObject, RESOURCES } from '../kube/api.ts';
import type { JobObject, StoredMetadata } from '../kube/objects.ts';
import { jobHistory, lastWarning } from './warning-events.ts';

const JOB = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', namespace: 'shop', uid: 'job-uid', resourceVersion: '1', creationTimestamp: '' },
} as KubeObject & { readonly metadata: StoredMetadata };

const WAITS = { object: JOB as JobObject, since: '2026-11-23T02:00:00Z' };

function cluster() {
  const kube = fakeKube(() => new Date(0));
  let number = 0;
  const say = (note: string, at: object, uid = 'job-uid', type = 'Warning', reason = 'FailedCreate') => {
    number += 1;
    const metadata = { name: `e${number}`, namespace: 'shop' };
    const event = { kind: 'Event', metadata, type, reason, note, regarding: { uid }, ...at };
    kube.put(RESOURCES.events, { apiVersion: 'events.k8s.io/v1', ...event });
  };
  const made = (name: string, time: string, count = 1) =>
    say(
      `Created pod: ${name}`,
      { deprecatedLastTimestamp: time, deprecatedCount: count },
      'job-uid',
      'Normal',
      'SuccessfulCreate',
    );
  return { api: kube.api, kube, say, made };
}

test('the newest warning about the object is told, whichever of its times an event carries', async () => {
  const { api, say } = cluster();
  say('old', { deprecatedLastTimestamp: '2026-11-23T02:00:00Z' });
  say('newest', { eventTime: '2026-11-23T02:00:00.1Z', series: { lastObservedTime: '2026-11-23T02:09:00Z' } });
  say('newer', { eventTime: '2026-11-23T02:05:00.000000Z' });
  expect(await lastWarning(api, [WAITS])).toBe('FailedCreate: newest');
});

test('what is normal, and what is about others, is not told', async () => {
  const { api, say } = cluster();
  say('made a pod', { eventTime: '2026-11-23T02:05:00Z' }, 'job-uid', 'Normal');
  say('quota', { eventTime: '2026-11-23T02:05:00Z' }, 'another-uid');
  expect(await lastWarning(api, [WAITS])).toBeUndefined();
});

test('it is one line of bounded length', async () => {
  const { api, say } = cluster();
  say(`a\nb\t${'c'.repeat(2000)}`, { eventTime: '2026-11-23T02:05:00Z' });
  const told = (await lastWarning(api, [WAITS])) ?? '';
  expect(told.startsWith('FailedCreate: a b ccc')).toBe(true);
  expect(told.length).toBe(512);
});

test('a warning of before the present wait is over', async () => {
  const { api, say } = cluster();
  say('quota', { deprecatedLastTimestamp: '2026-11-23T01:59:59Z' });
  expect(await lastWarning(api, [WAITS])).toBeUndefined();
});

test('a refusal that was cured, so that a pod was made after it, does not come up again when that pod is gone', async () => {
  const { api, say, made } = cluster();
  say('quota', { deprecatedLastTimestamp: '2026-11-23T02:01:00Z' });
  made('j-x7k2p', '2026-11-23T02:02:00Z');
  expect(await jobHistory(api, WAITS)).toEqual({ gone: 'j-x7k2p', made: 1 });
});

test('a refusal of the pod that is to follow is told, without its random name', async () => {
  const { api, say, made } = cluster();
  made('j-x7k2p', '2026-11-23T02:02:00Z');
  say('pods "j-q9zbd" is forbidden', { deprecatedLastTimestamp: '2026-11-23T02:03:00Z' });
  expect(await jobHistory(api, WAITS)).toEqual({ warning: 'FailedCreate: pods "j-" is forbidden' });
});

test('of the pods that a Job made the newest is named, and all are counted', async () => {
  const { api, made } = cluster();
  made('j-x7k2p', '2026-11-23T02:02:00Z');
  made('j-q9zbd', '2026-11-23T02:04:00Z', 3);
  expect(await jobHistory(api, WAITS)).toEqual({ gone: 'j-q9zbd', made: 4 });
});

test('a pod that is there, and not in the cache yet, is not gone', async () => {
  const { api, kube, made } = cluster();
  made('j-x7k2p', '2026-11-23T02:02:00Z');
  kube.put(RESOURCES.pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'j-x7k2p', namespace: 'shop' } });
  expect(await jobHistory(api, WAITS)).toEqual({});
});

test('whoever may not read events goes without; what else fails is a failure', async () => {
  const refusing = (status: number) =>
    ({ list: () => Promise.reject(new KubeError(status, 'x', 'no')) }) as unknown as KubeApi;
  expect(await lastWarning(refusing(403), [WAITS])).toBeUndefined();
  expect(await jobHistory(refusing(403), WAITS)).toEqual({});
  await expect(lastWarning(refusing(500), [WAITS])).rejects.toThrow('no');
});
