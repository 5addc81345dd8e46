import { beforeEach, expect, test } from '@jest/globals';
import { type FakeClock, fakeClock } from '../../test/support/fake-clock.ts';
import { type KubeApi, KubeError, type KubeObject } from './api.ts';
import { createRecorder, EVENT_REASONS, type Recorder } from './events.ts';

type Written = Record<string, unknown> & KubeObject;

let clock: FakeClock;
/** Events that the server holds, by name. */
let events: Map<string, Written>;
let writes: number;
let refuses: boolean;
let errors: unknown[];

const run: KubeObject = {
  apiVersion: 'holdfast.dev/v1alpha1',
  kind: 'RetentionRun',
  metadata: { name: 'churn-1', namespace: 'shop', uid: 'u1', resourceVersion: '7' },
};

function write<T>(act: () => T): Promise<T> {
  writes += 1;
  if (refuses) {
    return Promise.reject(new KubeError(403, 'Forbidden', 'no'));
  }
  return new Promise((resolve) => resolve(act()));
}

const api = {
  create: (_: unknown, object: KubeObject) =>
    write(() => {
      if (events.has(object.metadata.name)) {
        throw new KubeError(409, 'AlreadyExists', 'there is one');
      }
      events.set(object.metadata.name, object as Written);
      return object;
    }),
  patch: (_: unknown, key: string, change: object) =>
    write(() => {
      const name = key.split('/')[1] ?? '';
      const event = events.get(name);
      if (event === undefined) {
        throw new KubeError(404, 'NotFound', 'there is none');
      }
      events.set(name, { ...event, ...change });
      return event;
    }),
} as unknown as KubeApi;

function recorder(): Recorder {
  return createRecorder(api, { clock, instance: 'operator-0', onError: (error) => errors.push(error) });
}

beforeEach(() => {
  clock = fakeClock();
  events = new Map();
  writes = 0;
  refuses = false;
  errors = [];
});

const all = (): Written[] => [...events.values()];

test('an event says who saw what happen to which object, and when', async () => {
  await recorder().record(run, 'RunFailed', 'extract failed: HF_QUERY_REFUSED');
  expect(all()).toEqual([
    {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: expect.stringMatching(/^churn-1\.[0-9a-f]{16}$/), namespace: 'shop' },
      eventTime: '2026-11-23T02:00:00.000000Z',
      reportingController: 'holdfast.dev/operator',
      reportingInstance: 'operator-0',
      type: 'Warning',
      reason: 'RunFailed',
      action: 'RunFailed',
      note: 'extract failed: HF_QUERY_REFUSED',
      regarding: {
        apiVersion: 'holdfast.dev/v1alpha1',
        kind: 'RetentionRun',
        name: 'churn-1',
        namespace: 'shop',
        uid: 'u1',
        resourceVersion: '7',
      },
    },
  ]);
});

test('the same said often is written once, and counted up after five minutes', async () => {
  const { record } = recorder();
  for (let time = 0; time < 5; time += 1) {
    await record(run, 'TaskStuck', 'ImagePullBackOff');
  }
  expect(writes).toBe(1);
  await clock.advance(5 * 60_000);
  await record(run, 'TaskStuck', 'ImagePullBackOff');
  expect(writes).toBe(2);
  expect(all()).toMatchObject([{ series: { count: 6, lastObservedTime: '2026-11-23T02:05:00.000000Z' } }]);
});

test('the same said twice at once is written once', async () => {
  const { record } = recorder();
  await Promise.all([record(run, 'RunCreated', 'at its slot'), record(run, 'RunCreated', 'at its slot')]);
  expect(writes).toBe(1);
});

test('another process that says the same writes nothing new, and no error', async () => {
  await recorder().record(run, 'RunCreated', 'at its slot');
  await recorder().record(run, 'RunCreated', 'at its slot');
  expect(all()).toHaveLength(1);
  expect(errors).toEqual([]);
});

test.each([
  ['another reason', run, 'RunFailed', 'at its slot'],
  ['another message', run, 'RunCreated', 'because someone asked'],
  [
    'another object of the same name',
    { ...run, metadata: { ...run.metadata, uid: 'u2' } },
    'RunCreated',
    'at its slot',
  ],
] as const)('%s is another event', async (_, object, reason, message) => {
  const { record } = recorder();
  await record(run, 'RunCreated', 'at its slot');
  await record(object, reason, message);
  expect(all()).toHaveLength(2);
});

test('what is said of one topic in other words is the same event, and counted', async () => {
  const { record } = recorder();
  await record(run, 'TaskStuck', 'pods "a-x7k2p" is forbidden', 'pods "a-" is forbidden');
  await record(run, 'TaskStuck', 'pods "a-q9zbd" is forbidden', 'pods "a-" is forbidden');
  await recorder().record(run, 'TaskStuck', 'pods "a-zzbd2" is forbidden', 'pods "a-" is forbidden');
  expect(all()).toMatchObject([{ note: 'pods "a-x7k2p" is forbidden' }]);
  await record(run, 'TaskStuck', 'pods "a-x7k2p" is forbidden', 'another topic');
  expect(all()).toHaveLength(2);
});

test('an event that the server has forgotten is written anew', async () => {
  const { record } = recorder();
  await record(run, 'TaskStuck', 'ImagePullBackOff');
  events.clear();
  await clock.advance(6 * 60_000);
  await record(run, 'TaskStuck', 'ImagePullBackOff');
  expect(all()).toHaveLength(1);
  expect(all()[0]).not.toHaveProperty('series');
});

test('an event that cannot be written is told and lost, and tried again when it is said again', async () => {
  const { record } = recorder();
  refuses = true;
  await record(run, 'RunCreated', 'at its slot');
  expect(errors).toMatchObject([{ status: 403 }]);
  refuses = false;
  await record(run, 'RunCreated', 'at its slot');
  expect(all()).toHaveLength(1);
});

test('in a namespace that is being deleted nothing is said, which is no failure', async () => {
  const deleting = {
    ...api,
    create: () => Promise.reject(new KubeError(403, 'NamespaceTerminating', 'being terminated')),
  } as KubeApi;
  await createRecorder(deleting, { clock, instance: 'operator-0', onError: (error) => errors.push(error) }).record(
    run,
    'RunFailed',
    'the program was deleted',
  );
  expect(errors).toEqual([]);
});

test('a long message is cut to what the server takes, between two characters', async () => {
  await recorder().record(run, 'RunFailed', 'ü'.repeat(2_000));
  const note = String(all()[0]?.['note']);
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
  expect(note).toBe(`${'ü'.repeat(510)}…`);
});

test('a name that is as long as names get leaves room for its digest, and stays a name', async () => {
  const name = `${'a'.repeat(235)}-${'b'.repeat(17)}`;
  await recorder().record({ ...run, metadata: { ...run.metadata, name } }, 'RunCreated', 'at its slot');
  const made = all()[0]?.metadata.name ?? '';
  expect(made.length).toBeLessThanOrEqual(253);
  expect(made).toMatch(/^a+\.[0-9a-f]{16}$/);
});

test('every reason is CamelCase and has a sentence', () => {
  for (const [reason, { meaning }] of Object.entries(EVENT_REASONS)) {
    expect(reason).toMatch(/^([A-Z][a-z]+)+$/);
    expect(meaning).toMatch(/^[A-Z].*\.$/);
  }
});
