import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeApiServer, sendJson, sendStatus, startFakeApiServer } from '../../test/support/api-server.ts';
import { fakeClock } from '../../test/support/fake-clock.ts';
import { type KubeError, RESOURCES } from './api.ts';
import { createClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';

let server: FakeApiServer;
let client: ReturnType<typeof createClient>;

function clientOf(clock: Clock = systemClock): ReturnType<typeof createClient> {
  return createClient({ kubeconfig: server.kubeconfig, clock, userAgent: 'holdfast/test' });
}

beforeEach(async () => {
  server = await startFakeApiServer();
  client = clientOf();
});

afterEach(async () => {
  client.close();
  await server.stop();
});

function refused(): never {
  throw new Error('It succeeded.');
}

const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'extract', namespace: 'shop', uid: 'u1' } };

/** What the server gets when the client does this, and is answered with `{}`. */
async function sent(call: () => Promise<unknown>): Promise<Record<string, unknown>> {
  server.once('other', (_, response) => sendJson(response, 200, {}));
  await call();
  const last = server.requests.at(-1);
  if (last === undefined) {
    throw new Error('Nothing was sent.');
  }
  const { method, path, query, headers, body } = last;
  return {
    request: `${method} ${path}${query.size > 0 ? `?${query.toString()}` : ''}`,
    ...(headers['content-type'] === undefined ? {} : { type: headers['content-type'] }),
    ...(body === '' ? {} : { body: JSON.parse(body) }),
  };
}

test('an object of the core group is read at /api, others at /apis', async () => {
  expect(await sent(() => client.get(RESOURCES.pods, 'shop/a'))).toEqual({
    request: 'GET /api/v1/namespaces/shop/pods/a',
  });
  expect(await sent(() => client.get(RESOURCES.jobs, 'shop/a'))).toEqual({
    request: 'GET /apis/batch/v1/namespaces/shop/jobs/a',
  });
});

test('an object is made by POST to its collection', async () => {
  expect(await sent(() => client.create(RESOURCES.jobs, job))).toEqual({
    request: 'POST /apis/batch/v1/namespaces/shop/jobs',
    type: 'application/json',
    body: job,
  });
});

test('a status is applied by its manager, forced, at its version, and nothing but the status', async () => {
  const run = {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'RetentionRun',
    metadata: { name: 'r', namespace: 'shop', uid: 'u', resourceVersion: '7', labels: { a: 'b' } },
    spec: { suspend: true },
    status: { phase: 'Running' },
  };
  expect(await sent(() => client.applyStatus(RESOURCES.retentionRuns, run))).toEqual({
    request:
      'PATCH /apis/holdfast.dev/v1alpha1/namespaces/shop/retentionruns/r/status?fieldManager=holdfast&force=true',
    type: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'RetentionRun',
      metadata: { name: 'r', namespace: 'shop', resourceVersion: '7' },
      status: { phase: 'Running' },
    },
  });
});

test('a status without a version is not sent: it could land on another object of that name', async () => {
  await expect(client.applyStatus(RESOURCES.jobs, job)).rejects.toThrow('no resourceVersion');
  expect(server.requests).toEqual([]);
});

test('a patch is a merge patch, tied to a version when one is given', async () => {
  const change = { metadata: { labels: { a: 'b' } }, spec: { suspend: true } };
  expect(await sent(() => client.patch(RESOURCES.jobs, 'shop/a', change, { resourceVersion: '9' }))).toEqual({
    request: 'PATCH /apis/batch/v1/namespaces/shop/jobs/a',
    type: 'application/merge-patch+json',
    body: { metadata: { labels: { a: 'b' }, resourceVersion: '9' }, spec: { suspend: true } },
  });
  expect(await sent(() => client.patch(RESOURCES.jobs, 'shop/a', change))).toMatchObject({ body: change });
});

test('an object is deleted only if it is the one that was meant, and as it was looked at', async () => {
  const how = { uid: 'u1', resourceVersion: '9', propagationPolicy: 'Background' } as const;
  expect(await sent(() => client.delete(RESOURCES.jobs, 'shop/a', how))).toMatchObject({
    request: 'DELETE /apis/batch/v1/namespaces/shop/jobs/a',
    body: { preconditions: { uid: 'u1', resourceVersion: '9' }, propagationPolicy: 'Background' },
  });
});

test('what is not there is undefined when read, and a success when deleted', async () => {
  server.once('other', (_, response) => sendStatus(response, 404, 'NotFound', 'jobs.batch "a" not found'));
  server.once('other', (_, response) => sendStatus(response, 404, 'NotFound', 'jobs.batch "a" not found'));
  expect(await client.get(RESOURCES.jobs, 'shop/a')).toBeUndefined();
  await client.delete(RESOURCES.jobs, 'shop/a', { uid: 'u', propagationPolicy: 'Background' });
});

test('items of a list have the kind and version that the server leaves out', async () => {
  server.put(job);
  const { items, resourceVersion } = await client.list(RESOURCES.jobs, { namespace: 'shop' });
  expect(items).toEqual([{ ...job, metadata: { ...job.metadata, resourceVersion } }]);
});

test('a list that need not be new says what it may not be older than; its further pages do not', async () => {
  await client.list(RESOURCES.jobs, { resourceVersion: '5', limit: 2 });
  expect(String(server.requests.at(-1)?.query)).toBe('limit=2&resourceVersion=5&resourceVersionMatch=NotOlderThan');
  await client.list(RESOURCES.jobs, { resourceVersion: '5', limit: 2, continue: '2' });
  expect(String(server.requests.at(-1)?.query)).toBe('limit=2&continue=2');
});

test.each([
  ['a name that is taken', 409, 'AlreadyExists', {}, { status: 409, reason: 'AlreadyExists' }],
  ['a change since', 409, 'Conflict', {}, { status: 409, reason: 'Conflict' }],
  ['too many requests', 429, 'TooManyRequests', { 'retry-after': '3' }, { status: 429, retryAfterSeconds: 3 }],
  ['no right to', 403, 'Forbidden', {}, { status: 403, reason: 'Forbidden' }],
])(
  '%s is told with status, reason, what was asked and what the server said',
  async (_, code, reason, headers, shape) => {
    server.once('other', (__, response) => sendStatus(response, code, reason, 'because', headers));
    const error: KubeError = await client.create(RESOURCES.jobs, job).then(refused, (thrown) => thrown);
    expect(error).toMatchObject({ ...shape, message: 'POST /apis/batch/v1/namespaces/shop/jobs: because' });
  },
);

test('metadata alone is asked for as such, and comes under the type of its object', async () => {
  const item = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: job.metadata };
  server.once('list', (_, response) => sendJson(response, 200, { items: [item], metadata: { resourceVersion: '1' } }));
  const { items } = await client.list(RESOURCES.jobs, { namespace: 'shop', metadataOnly: true });
  expect(server.requests.at(-1)?.headers.accept).toBe(
    'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  );
  expect(items).toEqual([{ apiVersion: 'batch/v1', kind: 'Job', metadata: job.metadata }]);
});

test('that a namespace is on its way out is a reason of its own', async () => {
  server.once('other', (_, response) => {
    response.writeHead(403, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } }));
  });
  await expect(client.create(RESOURCES.jobs, job)).rejects.toMatchObject({
    status: 403,
    reason: 'NamespaceTerminating',
  });
});

test('an answer that is no Kubernetes status still has a reason', async () => {
  server.once('other', (_, response) => {
    response.writeHead(503);
    response.end('<html>no backend</html>');
  });
  await expect(client.create(RESOURCES.jobs, job)).rejects.toMatchObject({
    status: 503,
    reason: 'ServiceUnavailable',
    message: 'POST /apis/batch/v1/namespaces/shop/jobs: <html>no backend</html>',
  });
});

test('no answer is Unreachable with status 0: nobody knows whether it was done', async () => {
  server.once('other', (_, response) => response.destroy());
  await expect(client.create(RESOURCES.jobs, job)).rejects.toMatchObject({ status: 0, reason: 'Unreachable' });
  expect(server.requests).toHaveLength(1);
});

test('an answer that never comes is given up after 30 s', async () => {
  const clock = fakeClock();
  const patient = clientOf(clock);
  const asked = new Promise<void>((resolve) => server.once('other', () => resolve()));
  const answer = patient.create(RESOURCES.jobs, job).then(refused, (thrown) => thrown);
  await asked;
  await clock.advance(30_000);
  expect(await answer).toMatchObject({ status: 0, reason: 'Unreachable', message: expect.stringContaining('30 s') });
  patient.close();
});

test('the caller can give a request up', async () => {
  const abort = new AbortController();
  server.once('other', () => abort.abort());
  await expect(client.get(RESOURCES.jobs, 'shop/a', abort.signal)).rejects.toMatchObject({ reason: 'Aborted' });
});

test('the caller can give a request up in the middle of its answer', async () => {
  const abort = new AbortController();
  server.once('other', (_, response) => {
    response.writeHead(200);
    response.write('{"apiVersion":');
    setImmediate(() => abort.abort());
  });
  await expect(client.get(RESOURCES.jobs, 'shop/a', abort.signal)).rejects.toMatchObject({ reason: 'Aborted' });
});

test('a refused token that was rotated meanwhile is replaced, and the request made again', async () => {
  const { kubeconfig } = server;
  server.once('other', (_, response) => sendJson(response, 200, {}));
  await client.create(RESOURCES.jobs, job);
  await writeFile(kubeconfig.replace('kubeconfig', 'token'), 'second-token\n');
  server.once('other', (_, response) => sendStatus(response, 401, 'Unauthorized', 'Unauthorized'));
  server.once('other', (_, response) => sendJson(response, 201, job));
  expect(await client.create(RESOURCES.jobs, job)).toEqual(job);
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer first-token',
    'Bearer first-token',
    'Bearer second-token',
  ]);
});

test('a refused token that is still the newest is told', async () => {
  server.once('other', (_, response) => sendStatus(response, 401, 'Unauthorized', 'Unauthorized'));
  await expect(client.create(RESOURCES.jobs, job)).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' });
  expect(server.requests).toHaveLength(1);
});

test('a watch hands out events that come in pieces, and characters cut in two', async () => {
  const event = `${JSON.stringify({ type: 'ADDED', object: { ...job, metadata: { name: 'é' } } })}\n`;
  server.once('watch', (_, response) => {
    const bytes = Buffer.from(event + event);
    const cut = bytes.indexOf(0xc3) + 1;
    response.writeHead(200);
    response.write(bytes.subarray(0, cut));
    setImmediate(() => response.end(bytes.subarray(cut)));
  });
  const names: string[] = [];
  const options = { resourceVersion: '1', timeoutSeconds: 300 };
  for await (const watched of client.watch(RESOURCES.jobs, options, new AbortController().signal)) {
    names.push(watched.type === 'BOOKMARK' ? '' : watched.object.metadata.name);
  }
  expect(names).toEqual(['é', 'é']);
  expect(String(server.requests.at(-1)?.query)).toBe(
    'watch=true&allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds=300',
  );
});
