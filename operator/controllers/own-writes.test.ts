import { expect, test } from '@jest/globals';
import { fakeKube } from '../../test/support/fake-kube.ts';
import { run } from '../../test/support/program.ts';
import { type KubeObject, keyOf, RESOURCES } from '../kube/api.ts';
import { trackOwnWrites } from './own-writes.ts';

const { retentionRuns } = RESOURCES;

test('what we have deleted is on its way out, also while the cache has it as it was', async () => {
  const kube = fakeKube(() => new Date('2026-11-23T02:00:00Z'));
  const { api, newest } = trackOwnWrites(kube.api);
  const cached = kube.put(retentionRuns, run('old'));
  expect(newest(cached).metadata.deletionTimestamp).toBeUndefined();
  await api.delete(retentionRuns, keyOf(cached), { uid: uidOf(cached), propagationPolicy: 'Background' });
  expect(newest(cached).metadata.deletionTimestamp).toBeDefined();
});

test('an object that is made anew under the name of a deleted one is not on its way out', async () => {
  const kube = fakeKube(() => new Date('2026-11-23T02:00:00Z'));
  const { api, newest } = trackOwnWrites(kube.api);
  const before = kube.put(retentionRuns, run('old'));
  await api.delete(retentionRuns, keyOf(before), { uid: uidOf(before), propagationPolicy: 'Background' });
  const after = kube.put(retentionRuns, run('old'));
  expect(newest(after).metadata.deletionTimestamp).toBeUndefined();
});

function uidOf({ metadata: { uid } }: KubeObject): string {
  if (uid === undefined) throw new Error('an object that is stored has a uid');
  return uid;
}
