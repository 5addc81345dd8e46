import { beforeEach, expect, test } from '@jest/globals';
import { type FakeClock, fakeClock } from '../../test/support/fake-clock.ts';
import { KubeError } from './api.ts';
import { createQueue, type Queue } from './queue.ts';

let clock: FakeClock;
let queue: Queue;
/** Keys as they were worked on, with the time in milliseconds. */
let worked: string[];
/** Workers that wait until the test lets them go on. */
let held: Map<string, PromiseWithResolvers<void>>;
let errors: string[];

beforeEach(() => {
  clock = fakeClock();
  worked = [];
  held = new Map();
  errors = [];
  queue = createQueue({
    clock,
    random: () => 1,
    backoff: { first: 100, longest: 1_000 },
    onError: (key, error) => {
      errors.push(`${key}: ${(error as Error).message}`);
    },
  });
});

const note = async (key: string): Promise<void> => {
  worked.push(`${key} at ${clock.elapsed()}`);
};

/** Notes the key, then waits until the test resolves or rejects it. */
const hold = (key: string): Promise<void> => {
  worked.push(`${key} at ${clock.elapsed()}`);
  const gate = Promise.withResolvers<void>();
  held.set(key, gate);
  return gate.promise;
};

interface Row {
  readonly does: (() => void | Promise<void>)[];
  readonly works: readonly string[];
}

const rows: Record<string, Row> = {
  'a key that is added often before anyone looks is worked on once': {
    does: [() => queue.add('a'), () => queue.add('a'), () => queue.add('b'), () => queue.run(note, 1)],
    works: ['a at 0', 'b at 0'],
  },
  'a key that is added later comes later': {
    does: [() => queue.run(note, 1), () => queue.addAfter('a', 500), () => clock.advance(600)],
    works: ['a at 500'],
  },
  'of several later times the earliest counts': {
    does: [
      () => queue.run(note, 1),
      () => queue.addAfter('a', 500),
      () => queue.addAfter('a', 200),
      () => queue.addAfter('a', 900),
      () => clock.advance(2_000),
    ],
    works: ['a at 200'],
  },
  'a time that has passed is now': {
    does: [() => queue.run(note, 1), () => queue.addAfter('a', -5)],
    works: ['a at 0'],
  },
  'each failure waits twice as long as the last, up to the longest': {
    does: [
      () => queue.run(note, 1),
      async () => {
        for (let time = 0; time < 6; time += 1) {
          queue.addRateLimited('a');
          await clock.advance(5_000);
        }
      },
    ],
    works: ['a at 100', 'a at 5100', 'a at 10100', 'a at 15100', 'a at 20100', 'a at 25100'],
  },
  'a key that asks for itself while it is worked on waits longer each time': {
    does: [
      () =>
        queue.run(async (key) => {
          await note(key);
          if (worked.length < 6) {
            queue.addRateLimited(key);
          }
        }, 1),
      () => queue.add('a'),
      () => clock.advance(10_000),
    ],
    works: ['a at 0', 'a at 100', 'a at 300', 'a at 700', 'a at 1500', 'a at 2500'],
  },
  'a key that went well waits as short as at first when it fails again': {
    does: [
      () =>
        queue.run(async (key) => {
          await note(key);
          if ([0, 100, 1300].includes(clock.elapsed())) {
            throw new Error('not yet');
          }
        }, 1),
      () => queue.add('a'),
      () => clock.advance(1_300),
      () => queue.add('a'),
      () => clock.advance(1_000),
    ],
    works: ['a at 0', 'a at 100', 'a at 300', 'a at 1300', 'a at 1400'],
  },
  'a failure does not come again before the API server said': {
    does: [
      () =>
        queue.run(async (key) => {
          await note(key);
          if (clock.elapsed() === 0) {
            throw new KubeError(429, 'TooManyRequests', 'slow', { retryAfterSeconds: 3 });
          }
        }, 1),
      () => queue.add('a'),
      () => clock.advance(10_000),
    ],
    works: ['a at 0', 'a at 3000'],
  },
  'a key that failed holds up no other': {
    does: [
      () =>
        queue.run(async (key) => {
          await note(key);
          if (key === 'bad') {
            throw new Error('bad');
          }
        }, 1),
      () => queue.add('bad'),
      () => queue.add('good'),
      () => clock.advance(50),
    ],
    works: ['bad at 0', 'good at 0'],
  },
};

test.each(Object.entries(rows))('%s', async (_, { does, works }) => {
  for (const step of does) {
    await step();
  }
  await clock.advance(0);
  expect(worked).toEqual(works);
  await queue.stop();
});

test('what a worker throws is told', async () => {
  queue.run(async () => {
    throw new Error('broken');
  }, 1);
  queue.add('a');
  await clock.advance(0);
  expect(errors).toEqual(['a: broken']);
  await queue.stop();
});

test('a key that is added while it is worked on comes again afterwards, never beside itself', async () => {
  queue.run(hold, 4);
  queue.add('a');
  await clock.advance(0);
  queue.add('a');
  queue.add('a');
  await clock.advance(0);
  expect(worked).toEqual(['a at 0']);
  held.get('a')?.resolve();
  await clock.advance(0);
  expect(worked).toEqual(['a at 0', 'a at 0']);
  held.get('a')?.resolve();
  await clock.advance(0);
  expect(worked).toHaveLength(2);
  await queue.stop();
});

test('no more workers than were asked for', async () => {
  queue.run(hold, 2);
  const keys = ['shop/a', 'inn/b', 'farm/c', 'mill/d'];
  for (const key of keys) {
    queue.add(key);
  }
  await clock.advance(0);
  expect([...held.keys()]).toEqual(['shop/a', 'inn/b']);
  expect(queue.depth()).toBe(2);
  for (const key of keys) {
    held.get(key)?.resolve();
    await clock.advance(0);
  }
  expect([...held.keys()]).toEqual(keys);
  await queue.stop();
});

test('namespaces take turns, however much one of them has waiting', async () => {
  for (const key of ['noisy/a', 'noisy/b', 'noisy/c', 'shop/a', 'shop/b', 'inn/a']) {
    queue.add(key);
  }
  queue.run(note, 1);
  await clock.advance(0);
  expect(worked.map((line) => line.split(' ')[0])).toEqual([
    'noisy/a',
    'shop/a',
    'inn/a',
    'noisy/b',
    'shop/b',
    'noisy/c',
  ]);
  await queue.stop();
});

test('one namespace never has all the workers, so that a key of another waits for none of its syncs', async () => {
  queue.run(hold, 3);
  for (const key of ['noisy/a', 'noisy/b', 'noisy/c', 'noisy/d']) {
    queue.add(key);
  }
  await clock.advance(0);
  expect([...held.keys()]).toEqual(['noisy/a', 'noisy/b']);
  queue.add('shop/a');
  await clock.advance(0);
  expect([...held.keys()]).toEqual(['noisy/a', 'noisy/b', 'shop/a']);
  for (const key of ['shop/a', 'noisy/a', 'noisy/b', 'noisy/c', 'noisy/d']) {
    held.get(key)?.resolve();
    await clock.advance(0);
  }
  expect([...held.keys()].slice(3)).toEqual(['noisy/c', 'noisy/d']);
  await queue.stop();
});

test('once stopped, those under way end, and nothing else begins', async () => {
  queue.run(hold, 1);
  queue.add('a');
  queue.add('b');
  queue.addAfter('c', 100_000);
  await clock.advance(0);
  let stopped = false;
  const stopping = queue.stop().finally(() => {
    stopped = true;
  });
  queue.add('d');
  await clock.advance(1_000);
  expect(stopped).toBe(false);
  held.get('a')?.reject(new Error('interrupted'));
  await stopping;
  await clock.advance(10_000);
  expect(worked).toEqual(['a at 0']);
  expect(clock.timers()).toEqual([]);
});
