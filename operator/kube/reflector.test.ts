import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeApiServer, sendStatus, startFakeApiServer } from '../../test/support/api-server.ts';
import { type FakeClock, fakeClock } from '../../test/support/fake-clock.ts';
import { type KubeObject, RESOURCES } from './api.ts';
import { createClient } from './client.ts';
import { systemClock } from './clock.ts';
import { type Reflector, type ReflectorOptions, startReflector } from './reflector.ts';

let server: FakeApiServer;
let clock: FakeClock;
let client: ReturnType<typeof createClient>;
let reflector: Reflector<KubeObject>;

/** What the reflector told, as sentences. */
let told: string[];
let errors: unknown[];
let heard: { readonly count: number; readonly resolve: () => void }[];

beforeEach(async () => {
  server = await startFakeApiServer();
  clock = fakeClock();
  client = createClient({ kubeconfig: server.kubeconfig, clock: systemClock, userAgent: 'holdfast/test' });
  told = [];
  errors = [];
  heard = [];
});

afterEach(async () => {
  await reflector.stop();
  client.close();
  await server.stop();
});

function check(): void {
  for (const wait of heard) {
    if (told.length + errors.length >= wait.count) {
      wait.resolve();
    }
  }
}

/** Resolves once so many changes and errors have been told. */
function after(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  heard.push({ count, resolve });
  check();
  return promise;
}

function start(options: Partial<ReflectorOptions<KubeObject>> = {}): Reflector<KubeObject> {
  reflector = startReflector(client, RESOURCES.jobs, {
    namespace: 'shop',
    clock,
    random: () => 0.5,
    onChange(key, { before, after: now }) {
      const [was, is] = [before, now].map((object) => object && `${key}@${object.metadata.uid}`);
      told.push(was === undefined ? `${is} came` : is === undefined ? `${was} went` : `${is} changed`);
      check();
    },
    onError(error) {
      errors.push(error);
      check();
    },
    ...options,
  });
  return reflector;
}

function job(name: string, uid = 'u1', labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace: 'shop', uid, labels } };
}

/** Lets the wait after a failure pass. */
async function afterBackoff(): Promise<void> {
  await clock.timer(1, 20_000);
  await clock.advance(clock.timers()[0] ?? 0);
}

const watchesSent = () => server.requests.filter(({ query }) => query.has('watch'));
const listsSent = () => server.requests.filter(({ query }) => !query.has('watch'));

test('what is there is listed in pages, then followed from that version', async () => {
  for (const name of ['a', 'b', 'c']) {
    server.put(job(name));
  }
  start({ timing: { pages: { first: 2, most: 2 } } });
  await reflector.synced;
  const watch = await server.opened();
  expect(listsSent().map(({ query }) => String(query))).toEqual(['limit=2', 'limit=2&continue=2']);
  expect(watch.from).toBe(server.version());
  expect(reflector.store.list().map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Job a',
    'Job b',
    'Job c',
  ]);
  expect(watchesSent().map(({ query }) => query.get('timeoutSeconds'))).toEqual(['450']);
});

test('a list whose token has expired begins anew, in pages', async () => {
  for (const name of ['a', 'b', 'c']) {
    server.put(job(name));
  }
  start({ timing: { pages: { first: 2, most: 2 } } });
  server.once('list', (_, response) => {
    server.once('list', (__, second) => sendStatus(second, 410, 'Expired', 'the continue token is too old'));
    const items = [job('a'), job('b')];
    response.end(JSON.stringify({ metadata: { resourceVersion: '50', continue: '2' }, items }));
  });
  await after(3);
  expect(errors).toMatchObject([{ status: 410 }]);
  await afterBackoff();
  await reflector.synced;
  expect(reflector.store.list()).toHaveLength(3);
  const asked = listsSent().map(({ query }) => String(query));
  expect(asked).toEqual(['limit=2', 'limit=2&continue=2', 'limit=2', 'limit=2&continue=2']);
});

test('where objects are large a page holds few of them, and an answer that is too long is asked for in smaller parts', async () => {
  const many = Array.from({ length: 12 }, (_, index) => `job-${index}`);
  for (const name of many) {
    server.put(job(name, name, { text: 'x'.repeat(10_000) }));
  }
  client.close();
  const { kubeconfig } = server;
  client = createClient({ kubeconfig, clock: systemClock, userAgent: 'holdfast/test', longestAnswer: 50_000 });
  start({ timing: { pages: { first: 40, most: 40, bytes: 30_000 } } });
  await reflector.synced;
  expect(errors).toEqual([]);
  expect(reflector.store.list()).toHaveLength(12);
  const limits = listsSent().map(({ query }) => Number(query.get('limit')));
  expect(limits).toEqual([40, 5, 1, 2, 2, 2, 2, 2, 2]);
});

test('an object of which nothing can be kept is told and left out; the others come and change as ever', async () => {
  server.put(job('bad'));
  server.put(job('good'));
  start({
    keep(object) {
      if (object.metadata.name === 'bad') throw new Error('no sense in it');
      return object;
    },
  });
  await reflector.synced;
  await server.opened();
  server.put(job('bad'));
  server.put(job('good', 'u1', { now: 'other' }));
  await after(4);
  expect(told).toEqual(['shop/good@u1 came', 'shop/good@u1 changed']);
  expect(errors.map(String)).toEqual(['Error: no sense in it', 'Error: no sense in it']);
});

test('an object of which an index can make nothing is found by its key, and the others by the index', async () => {
  const index = ({ metadata }: KubeObject) => [metadata.labels!['program']!.toUpperCase()];
  server.put({ ...job('bad'), metadata: { name: 'bad', namespace: 'shop', uid: 'u0' } });
  server.put(job('good', 'u1', { program: 'churn' }));
  start({ indexes: { index: { values: index } } });
  await reflector.synced;
  expect(reflector.store.byIndex('index', 'CHURN').map(({ metadata }) => metadata.name)).toEqual(['good']);
  expect(reflector.store.get('shop/bad')).toBeDefined();
  expect(errors).toEqual([]);
});

test('objects come, change and go, and are found by what an index says of them', async () => {
  start({ indexes: { program: { values: ({ metadata }) => [metadata.labels?.['program'] ?? ''] } } });
  await reflector.synced;
  await server.opened();
  server.put(job('a', 'u1', { program: 'churn' }));
  server.put(job('a', 'u1', { program: 'upsell' }));
  server.put(job('b', 'u2', { program: 'upsell' }));
  server.remove('b');
  await after(4);
  expect(told).toEqual(['shop/a@u1 came', 'shop/a@u1 changed', 'shop/b@u2 came', 'shop/b@u2 went']);
  expect(reflector.store.byIndex('program', 'churn')).toEqual([]);
  expect(reflector.store.byIndex('program', 'upsell').map(({ metadata }) => metadata.name)).toEqual(['a']);
});

test('a watch that ends in its time, or is cut, goes on from the last version, a bookmark included', async () => {
  start();
  await reflector.synced;
  const first = await server.opened();
  server.put(job('a'));
  await after(1);
  // A second later, so that it is not one that ended as soon as it began.
  clock.jump(1_000);
  first.end();
  const second = await server.opened();
  expect(second.from).toBe('101');
  second.send('BOOKMARK', { metadata: { resourceVersion: '140' } });
  server.put(job('b'), true);
  second.send('ADDED', { ...job('b'), metadata: { ...job('b').metadata, resourceVersion: '150' } });
  await after(2);
  second.drop();
  await afterBackoff();
  const third = await server.opened();
  expect(third.from).toBe('150');
  expect(listsSent()).toHaveLength(1);
  expect(told).toEqual(['shop/a@u1 came', 'shop/b@u1 came']);
});

test.each([
  ['refused with 410', () => server.compact()],
  [
    'ended by 410 in its stream',
    () =>
      server.once('watch', (_, response) => {
        const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
        response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      }),
  ],
])('a watch %s is replaced by a list; what happened in between is told', async (_, meanwhile) => {
  server.put(job('stays'));
  server.put(job('goes'));
  server.put(job('changes'));
  server.put(job('anew', 'u1'));
  start();
  await reflector.synced;
  const first = await server.opened();
  told.length = 0;
  server.remove('goes', true);
  server.put(job('changes'), true);
  server.remove('anew', true);
  server.put(job('anew', 'u2'), true);
  server.put(job('comes'), true);
  meanwhile();
  first.drop();
  await afterBackoff();
  await after(2);
  await afterBackoff();
  await after(7);
  expect(told.sort()).toEqual([
    'shop/anew@u1 went',
    'shop/anew@u2 came',
    'shop/changes@u1 changed',
    'shop/comes@u1 came',
    'shop/goes@u1 went',
  ]);
});

test('an object deleted and made anew is seen to go and to come, though only its making was heard', async () => {
  server.put(job('a', 'u1'));
  start();
  await reflector.synced;
  await server.opened();
  server.remove('a', true);
  server.put(job('a', 'u2'));
  await after(3);
  expect(told).toEqual(['shop/a@u1 came', 'shop/a@u1 went', 'shop/a@u2 came']);
});

test('an event that comes twice is told once', async () => {
  start();
  await reflector.synced;
  const watch = await server.opened();
  const stored = server.put(job('a'));
  watch.send('ADDED', stored);
  watch.send('ADDED', stored);
  server.put(job('b'));
  await after(2);
  expect(told).toEqual(['shop/a@u1 came', 'shop/b@u1 came']);
  expect(errors).toEqual([]);
});

test('an event that comes after a newer one is not believed: everything is listed again', async () => {
  start();
  await reflector.synced;
  const watch = await server.opened();
  const late = server.put(job('a'), true);
  server.remove('a', true);
  server.put(job('b'));
  watch.send('ADDED', late);
  await after(2);
  await afterBackoff();
  await server.opened();
  expect(reflector.store.list().map(({ metadata }) => metadata.name)).toEqual(['b']);
  expect(listsSent()).toHaveLength(2);
});

test('a half-open watch, on which not even a bookmark comes, is dropped for another', async () => {
  start({ timing: { idleMs: 100_000 } });
  await reflector.synced;
  const first = await server.opened();
  await clock.timer(100_000, 100_000);
  await clock.advance(90_000);
  first.send('BOOKMARK', { metadata: { resourceVersion: '140' } });
  // The bookmark winds the watchdog up again.
  await clock.timer(100_000, 100_000);
  await clock.advance(90_000);
  expect(errors).toEqual([]);
  await clock.advance(10_000);
  await first.closed;
  await after(1);
  expect(errors).toMatchObject([{ reason: 'Idle' }]);
  await afterBackoff();
  expect((await server.opened()).from).toBe('140');
});

test('too many requests: the server is not asked again before it said', async () => {
  start();
  server.once('list', (_, response) => sendStatus(response, 429, 'TooManyRequests', 'slow', { 'retry-after': '7' }));
  await after(1);
  await clock.timer(7_000, 7_000);
  await clock.advance(6_999);
  expect(server.requests).toHaveLength(1);
  await clock.advance(1);
  await reflector.synced;
});

test('refused credentials are told and tried again until they are accepted', async () => {
  start();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    server.once('list', (_, response) => sendStatus(response, 401, 'Unauthorized', 'Unauthorized'));
  }
  await after(1);
  expect(reflector.failure()).toMatchObject({ status: 401 });
  await afterBackoff();
  await after(2);
  // The third refusal is answered with the token that was written meanwhile.
  await writeFile(server.kubeconfig.replace('kubeconfig', 'token'), 'second-token\n');
  await afterBackoff();
  await reflector.synced;
  expect(reflector.failure()).toBeUndefined();
  expect(server.requests.map(({ headers }) => headers.authorization?.split(' ')[1])).toEqual([
    'first-token',
    'first-token',
    'first-token',
    'second-token',
  ]);
});

test('failures in a row wait longer and longer, and a watch that works ends that', async () => {
  const waits: number[] = [];
  start();
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    server.once('list', (_, response) => sendStatus(response, 500, 'InternalError', 'etcd is away'));
  }
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    await after(attempt);
    await clock.timer(1, 20_000);
    waits.push(clock.timers()[0] ?? 0);
    await clock.advance(clock.timers()[0] ?? 0);
  }
  expect(waits).toEqual([150, 300, 600, 1200, 2400, 4800, 7500, 7500]);
  const watch = await server.opened();
  clock.jump(1);
  watch.send('BOOKMARK', { metadata: { resourceVersion: '140' } });
  await clock.timer(150_000, 150_000);
  watch.drop();
  await after(9);
  await clock.timer(1, 20_000);
  expect(clock.timers()).toEqual([150]);
});

test('a watch that ends as soon as it begins does not spin', async () => {
  start();
  server.once('watch', (_, response) => response.end());
  await after(1);
  expect(errors).toMatchObject([{ message: expect.stringContaining('as soon as it began') }]);
  await clock.timer(150, 150);
  expect(watchesSent()).toHaveLength(1);
});

test('after the time to list again, a watch that ends is followed by a list, which finds what was never told', async () => {
  start({ timing: { relistMs: 1_000_000 } });
  await reflector.synced;
  const first = await server.opened();
  server.put(job('lost'), true);
  clock.jump(1_000_000);
  first.end();
  await after(1);
  expect(told).toEqual(['shop/lost@u1 came']);
  expect(listsSent()).toHaveLength(2);
});

test('what a handler throws is told, and the watch goes on', async () => {
  const seen: string[] = [];
  start({
    onChange(key) {
      seen.push(key);
      told.push(key);
      check();
      throw new Error(`cannot handle ${key}`);
    },
  });
  await reflector.synced;
  await server.opened();
  server.put(job('a'));
  server.put(job('b'));
  await after(4);
  expect(seen).toEqual(['shop/a', 'shop/b']);
  expect(errors.map(String)).toEqual(['Error: cannot handle shop/a', 'Error: cannot handle shop/b']);
  expect(watchesSent()).toHaveLength(1);
});

test('once stopped, the watch is closed and nothing is told any more', async () => {
  start();
  await reflector.synced;
  const watch = await server.opened();
  await reflector.stop();
  await watch.closed;
  server.put(job('a'));
  expect(told).toEqual([]);
  expect(clock.timers()).toEqual([]);
  expect(server.requests).toHaveLength(2);
});

test('stopped while it waits to try again, it opens nothing more', async () => {
  server.once('list', (_, response) => sendStatus(response, 500, 'InternalError', 'etcd is away'));
  start();
  await after(1);
  await reflector.stop();
  await expect(reflector.synced).rejects.toMatchObject({ reason: 'Aborted' });
  expect(server.requests).toHaveLength(1);
});
