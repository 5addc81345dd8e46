import { expect, test } from '@jest/globals';
import { type KubeApi, RESOURCES } from './api.ts';
import { fence } from './fence.ts';

const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a', namespace: 'shop' } };
const asked: string[] = [];
const api = new Proxy({} as KubeApi, {
  get: (_, name) => () => {
    asked.push(String(name));
    return Promise.resolve(job);
  },
});

const writes: Record<string, (fenced: KubeApi) => Promise<unknown>> = {
  create: (fenced) => fenced.create(RESOURCES.jobs, job),
  applyStatus: (fenced) => fenced.applyStatus(RESOURCES.jobs, job),
  patch: (fenced) => fenced.patch(RESOURCES.jobs, 'shop/a', {}),
  replace: (fenced) => fenced.replace(RESOURCES.jobs, job),
  delete: (fenced) => fenced.delete(RESOURCES.jobs, 'shop/a', { uid: 'u', propagationPolicy: 'Background' }),
};

test.each(Object.entries(writes))('%s is sent by who leads, and by nobody else', async (name, write) => {
  let leads = true;
  const fenced = fence(api, () => leads);
  asked.length = 0;
  await write(fenced);
  expect(asked).toEqual([name]);
  leads = false;
  await expect(write(fenced)).rejects.toMatchObject({ status: 0, reason: 'NotLeading' });
  expect(asked).toEqual([name]);
});

test('who does not lead may still read', async () => {
  const fenced = fence(api, () => false);
  asked.length = 0;
  await fenced.get(RESOURCES.jobs, 'shop/a');
  await fenced.list(RESOURCES.jobs, {});
  expect(asked).toEqual(['get', 'list']);
});
