import { type Answer, CUT, type Outcome, refusal, type Write } from '../interference.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { ONE_RUN } from '../scenarios/one-run.ts';
import { struck } from '../strike.ts';
import { keyOf } from './kills.ts';

/** What comes instead of the answer. */
interface Reply {
  readonly words: string;
  readonly to: (write: Write) => Outcome;
}

export const REPLIES: readonly Reply[] = [
  // What was made already is said to be there; what was changed meanwhile, to be another.
  { words: '409', to: ({ method }) => refusal(409, method === 'POST' ? 'AlreadyExists' : 'Conflict') },
  { words: '429', to: () => tooMany() },
  { words: '500', to: () => refusal(500, 'InternalError') },
  { words: '503', to: () => refusal(503, 'ServiceUnavailable') },
  { words: '504', to: () => refusal(504, 'Timeout') },
  { words: 'a connection reset', to: () => CUT },
];

function tooMany(): Answer {
  return refusal(429, 'TooManyRequests', { 'retry-after': '1' });
}

/**
 * A write is refused, or done and its answer lost: of either the operator hears the same. Each kind of write gets each
 * answer at least once over the seeds.
 */
export function answerPoints(writes: readonly string[], random: Random): readonly Point[] {
  return [
    ...REPLIES.flatMap((reply) => [
      onWrite(reply, random.pick(writes), false),
      onWrite(reply, random.pick(writes), true),
      onWrite(reply, random.pick(writes), true),
    ]),
    ...REPLIES.flatMap((reply) => [onEvery(reply, false), onEvery(reply, true)]),
    ...[true, false].map((acted) => onLease(REPLIES.at(-1) as Reply, acted)),
  ];
}

export function onWrite({ words, to }: Reply, key: string, acted: boolean, scenario: Scenario = ONE_RUN): Point {
  return {
    name: `${key} is answered with ${words}, and ${acted ? 'was done' : 'was not done'}`,
    scenario,
    async play(world) {
      const operator = await world.replica('a');
      const done = Promise.withResolvers<void>();
      let happened = false;
      operator.proxy.interference = {
        async write(write, act) {
          if (happened || keyOf(write) !== key) return await act();
          happened = true;
          if (acted) await act();
          done.resolve();
          return to(write);
        },
      };
      await operator.start();
      await struck(world, key, done.promise);
      return undefined;
    },
  };
}

/** Of the writes to one place, such as the status of a run, every second is answered so. */
function onEvery({ words, to }: Reply, acted: boolean): Point {
  return {
    name: `every second write is answered with ${words}, and ${acted ? 'was done' : 'was not done'}`,
    scenario: ONE_RUN,
    long: true,
    async play(world) {
      const operator = await world.replica('a');
      const isNext = new Map<string, boolean>();
      operator.proxy.interference = {
        async write(write, act) {
          const place = `${write.words} ${write.name ?? ''}`;
          const goesThrough = write.lease || isNext.get(place) === true;
          isNext.set(place, !goesThrough);
          if (goesThrough) return await act();
          if (acted) await act();
          return to(write);
        },
      };
      await operator.start();
      return undefined;
    },
  };
}

/** The elector cannot know whether it leads. */
function onLease({ words, to }: Reply, acted: boolean): Point {
  return {
    name: `every second write of the lease is answered with ${words}, and ${acted ? 'was done' : 'was not done'}`,
    scenario: { ...ONE_RUN, taskMs: 1_500 },
    long: true,
    async play(world) {
      const operator = await world.replica('a');
      let count = 0;
      operator.proxy.interference = {
        async write(write, act) {
          if (!write.lease) return await act();
          count += 1;
          if (count % 2 === 0) return await act();
          if (acted) await act();
          return to(write);
        },
      };
      await operator.start();
      return () => (count > 1 ? [] : ['the lease was never renewed']);
    },
  };
}
