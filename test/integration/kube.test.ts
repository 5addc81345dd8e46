import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { type KubeObject, RESOURCES } from '../../operator/kube/api.ts';
import { createClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import { createRecorder } from '../../operator/kube/events.ts';
import { type Elector, startElector } from '../../operator/kube/lease.ts';
import { type Reflector, startReflector } from '../../operator/kube/reflector.ts';
import { testOnControlPlane } from '../cluster/availability.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';

const testOnServer = await testOnControlPlane();

let plane: ControlPlane;
let client: ReturnType<typeof createClient>;
/** What a test started, and ends when it does. */
let started: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: false });
  client = clientOf();
});

afterEach(async () => {
  await Promise.all(started.map((one) => one.stop()));
  started = [];
});

afterAll(async () => {
  client?.close();
  await plane?.stop();
});

function clientOf(kubeconfig = plane.kubeconfig): ReturnType<typeof createClient> {
  return createClient({ kubeconfig, clock: systemClock, userAgent: 'holdfast/test' });
}

/** A namespace of the test's own: nothing deletes what is in it but the control plane's end. */
async function namespace(name: string): Promise<string> {
  const { status } = await plane.request('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  });
  expect(status).toBe(201);
  return name;
}

function configMap(name: string, inNamespace: string, data: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: inNamespace }, data } as KubeObject;
}

function run(name: string, inNamespace: string): KubeObject {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'RetentionRun',
    metadata: { name, namespace: inNamespace },
    spec: { programRef: { name: 'churn-prevention' }, pipeline: 'batch', trigger: 'manual' },
  };
}

/** A reflector of ConfigMaps, with the keys that it told of, and a way to wait until it told of so many. */
function follow(
  inNamespace: string,
  timing = {},
  metadataOnly = false,
): { reflector: Reflector<KubeObject>; told: (n: number) => Promise<string[]> } {
  const keys: string[] = [];
  let look = (): void => {};
  const reflector = startReflector(client, RESOURCES.configMaps, {
    namespace: inNamespace,
    clock: systemClock,
    random: Math.random,
    timing,
    metadataOnly,
    onChange(key, { before, after }) {
      keys.push(`${key.split('/')[1]} ${before === undefined ? 'came' : after === undefined ? 'went' : 'changed'}`);
      look();
    },
  });
  started.push(reflector);
  const told = (count: number): Promise<string[]> =>
    new Promise((resolve) => {
      look = () => {
        if (keys.length >= count) {
          resolve(keys);
        }
      };
      look();
    });
  return { reflector, told };
}

testOnServer('what is there is listed page by page, and what happens is seen as it happens', async () => {
  const shop = await namespace('followed');
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await client.create(RESOURCES.configMaps, configMap(name, shop));
  }
  const { reflector, told } = follow(shop, { pages: { first: 2, most: 2 } });
  await reflector.synced;
  const listed = reflector.store.list();
  expect(listed.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)).toEqual(
    ['a', 'b', 'c', 'd', 'e'].map((name) => `v1 ConfigMap ${name}`),
  );
  const uid = reflector.store.get(`${shop}/a`)?.metadata.uid ?? '';
  await client.patch(RESOURCES.configMaps, `${shop}/b`, { data: { changed: 'yes' } });
  await client.delete(RESOURCES.configMaps, `${shop}/a`, { uid, propagationPolicy: 'Background' });
  await client.create(RESOURCES.configMaps, configMap('a', shop));
  expect((await told(8)).slice(5)).toEqual(['b changed', 'a went', 'a came']);
  expect(reflector.store.get(`${shop}/a`)?.metadata.uid).not.toBe(uid);
});

testOnServer('of large objects the metadata alone can be followed', async () => {
  const shop = await namespace('large');
  await client.create(RESOURCES.configMaps, configMap('a', shop, { text: 'x'.repeat(100_000) }));
  const { reflector, told } = follow(shop, {}, true);
  await reflector.synced;
  await client.create(RESOURCES.configMaps, configMap('b', shop, { text: 'x'.repeat(100_000) }));
  expect(await told(2)).toEqual(['a came', 'b came']);
  for (const { apiVersion, kind, metadata, ...rest } of reflector.store.list()) {
    expect([apiVersion, kind, metadata.uid?.length, rest]).toEqual(['v1', 'ConfigMap', 36, {}]);
  }
});

testOnServer('a watch outlives a restart of the API server', async () => {
  const shop = await namespace('restarted');
  const { reflector, told } = follow(shop);
  await reflector.synced;
  await plane.restartApiServer();
  await client.create(RESOURCES.configMaps, configMap('a', shop));
  expect(await told(1)).toEqual(['a came']);
});

testOnServer('a watch from before a compaction is refused with 410', async () => {
  const shop = await namespace('compacted');
  const from = (await client.list(RESOURCES.configMaps, { namespace: shop })).resourceVersion;
  await client.create(RESOURCES.configMaps, configMap('a', shop));
  await plane.compact();
  await plane.restartApiServer();
  const watching = (async () => {
    const options = { namespace: shop, resourceVersion: from, timeoutSeconds: 5 };
    for await (const _ of client.watch(RESOURCES.configMaps, options, AbortSignal.timeout(20_000))) {
      // Nothing is to come.
    }
  })();
  await expect(watching).rejects.toMatchObject({ status: 410 });
});

testOnServer('the second to take a name is told AlreadyExists', async () => {
  const shop = await namespace('taken');
  await client.create(RESOURCES.configMaps, configMap('a', shop));
  await expect(client.create(RESOURCES.configMaps, configMap('a', shop))).rejects.toMatchObject({
    status: 409,
    reason: 'AlreadyExists',
  });
});

testOnServer('a status is applied to the very object that was read, or not at all', async () => {
  const shop = await namespace('applied');
  const made = await client.create(RESOURCES.retentionRuns, run('r', shop));
  const applied = await client.applyStatus(RESOURCES.retentionRuns, { ...made, status: { phase: 'Running' } });
  expect(applied).toMatchObject({ spec: made.spec, status: { phase: 'Running' } });
  const again = await client.applyStatus(RESOURCES.retentionRuns, { ...applied, status: { phase: 'Running' } });
  expect(again.metadata.resourceVersion).toBe(applied.metadata.resourceVersion);
  const stale = client.applyStatus(RESOURCES.retentionRuns, { ...made, status: { phase: 'Succeeded' } });
  await expect(stale).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
  // What a status no longer holds is taken away.
  const emptied = await client.applyStatus(RESOURCES.retentionRuns, { ...again, status: { observedGeneration: 1 } });
  expect(emptied.status).toEqual({ observedGeneration: 1 });
});

testOnServer('a status for a run that is gone makes no run, and does not land on another of its name', async () => {
  const shop = await namespace('gone');
  const made = await client.create(RESOURCES.retentionRuns, run('r', shop));
  const key = `${shop}/r`;
  await client.delete(RESOURCES.retentionRuns, key, { uid: made.metadata.uid ?? '', propagationPolicy: 'Background' });
  const write = () => client.applyStatus(RESOURCES.retentionRuns, { ...made, status: { phase: 'Running' } });
  await expect(write()).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
  expect(await client.get(RESOURCES.retentionRuns, key)).toBeUndefined();
  const anew = await client.create(RESOURCES.retentionRuns, run('r', shop));
  await expect(write()).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
  expect(await client.get(RESOURCES.retentionRuns, key)).toEqual(anew);
});

testOnServer('an object of another uid or version is not deleted; one that is gone is', async () => {
  const shop = await namespace('deleted');
  const key = `${shop}/a`;
  const made = await client.create(RESOURCES.configMaps, configMap('a', shop));
  const uid = made.metadata.uid ?? '';
  const other = client.delete(RESOURCES.configMaps, key, { uid: 'another', propagationPolicy: 'Background' });
  await expect(other).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
  expect(await client.get(RESOURCES.configMaps, key)).toBeDefined();
  const { metadata } = await client.patch(RESOURCES.configMaps, key, { data: { a: '1' } });
  const how = { uid, propagationPolicy: 'Background' } as const;
  const stale = client.delete(RESOURCES.configMaps, key, { ...how, resourceVersion: made.metadata.resourceVersion });
  await expect(stale).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
  await client.delete(RESOURCES.configMaps, key, { ...how, resourceVersion: metadata.resourceVersion });
  await client.delete(RESOURCES.configMaps, key, how);
  expect(await client.get(RESOURCES.configMaps, key)).toBeUndefined();
});

testOnServer('a patch of an older version is refused', async () => {
  const shop = await namespace('patched');
  const made = await client.create(RESOURCES.configMaps, configMap('a', shop));
  const { resourceVersion = '' } = made.metadata;
  await client.patch(RESOURCES.configMaps, `${shop}/a`, { data: { a: '1' } }, { resourceVersion });
  const stale = client.patch(RESOURCES.configMaps, `${shop}/a`, { data: { a: '2' } }, { resourceVersion });
  await expect(stale).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
});

testOnServer('of two candidates one leads; when it stops, the other does within 3 s', async () => {
  const shop = await namespace('elected');
  const terms: string[] = [];
  const errors: unknown[] = [];
  let next = Promise.withResolvers<void>();
  const candidate = (identity: string): Elector => {
    const elector = startElector(client, {
      clock: systemClock,
      random: Math.random,
      namespace: shop,
      name: 'operator',
      identity,
      onLead() {
        terms.push(identity);
        next.resolve();
      },
      onError: (error) => errors.push(error),
    });
    started.push(elector);
    return elector;
  };
  const first = candidate('a');
  await next.promise;
  next = Promise.withResolvers();
  const second = candidate('b');
  const stoppedAt = performance.now();
  await first.stop();
  await next.promise;
  expect(performance.now() - stoppedAt).toBeLessThan(3_000);
  expect(terms).toEqual(['a', 'b']);
  expect([first.leads(), second.leads()]).toEqual([false, true]);
  expect(errors).toEqual([]);
  const lease = await client.get(RESOURCES.leases, `${shop}/operator`);
  expect(lease?.spec).toMatchObject({ holderIdentity: 'b', leaseDurationSeconds: 10, leaseTransitions: 1 });
});

testOnServer('an event is found where kubectl describe looks, and counts up', async () => {
  const shop = await namespace('told');
  const made = await client.create(RESOURCES.retentionRuns, run('r', shop));
  const errors: unknown[] = [];
  let elapsed = 0;
  const clock = { ...systemClock, elapsed: () => elapsed };
  const { record } = createRecorder(client, { clock, instance: 'operator-0', onError: (error) => errors.push(error) });
  await record(made, 'TaskStuck', 'ImagePullBackOff');
  elapsed += 10 * 60_000;
  await record(made, 'TaskStuck', 'ImagePullBackOff');
  // The same, said by the leader after.
  await createRecorder(client, { clock, instance: 'operator-1', onError: (error) => errors.push(error) }).record(
    made,
    'TaskStuck',
    'ImagePullBackOff',
  );
  expect(errors).toEqual([]);
  const selector = encodeURIComponent(`involvedObject.uid=${made.metadata.uid}`);
  const { body } = await plane.request('GET', `/api/v1/namespaces/${shop}/events?fieldSelector=${selector}`);
  expect(body.items).toMatchObject([
    { type: 'Warning', reason: 'TaskStuck', message: 'ImagePullBackOff', series: { count: 2 } },
  ]);
});

testOnServer('credentials that are refused are Unauthorized; what a role does not allow is Forbidden', async () => {
  const stranger = clientOf(await plane.kubeconfigFor('stranger', 'no-such-token'));
  await expect(stranger.list(RESOURCES.configMaps, {})).rejects.toMatchObject({
    status: 401,
    reason: 'Unauthorized',
  });
  stranger.close();
});
