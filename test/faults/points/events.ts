import { setTimeout as pause } from 'node:timers/promises';
import { PIPELINES } from '../../../contract/pipelines.ts';
import { placesOf } from '../../../operator/decide/run/tasks.ts';
import type { JobObject, RunObject } from '../../../operator/kube/objects.ts';
import { openImpatient } from '../impatient.ts';
import { type Interference, refusal, type WatchedEvent } from '../interference.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { ONE_RUN } from '../scenarios/one-run.ts';
import { struck } from '../strike.ts';
import { bookmarkFor, KINDS, type Kind, objectIn } from './mischief.ts';

/** Which event is hit. */
export interface Hit {
  readonly name: string;
  readonly resource: string;
  readonly is: (event: WatchedEvent) => boolean;
}

/** Each kind of event, each in every way; which one of them is hit follows from the seed. */
export function eventPoints(events: ReadonlyMap<string, number>, scenario: Scenario, random: Random): readonly Point[] {
  return [...events].flatMap(([event, count]) =>
    KINDS.map((kind) => {
      const number = random.between(1, count);
      const [resource = ''] = event.split(' ');
      const is = (found: WatchedEvent) => `${found.resource} ${found.type}` === event && found.number === number;
      return onEvent(kind, { name: `event ${event} #${number}`, resource, is }, scenario);
    }),
  );
}

/** Events after which nothing comes that would say the same: whoever misses one of them waits for ever. */
export function decisiveEventPoints(random: Random): readonly Point[] {
  const places = placesOf(PIPELINES.batch.stages).filter(({ isSharded }) => !isSharded);
  const job = (state: string, condition: string): Hit => {
    const { task } = random.pick(places);
    return {
      name: `the event that the Job of ${task} ${state}`,
      resource: 'jobs',
      is: ({ resource, line }) => resource === 'jobs' && isOfTask(line, task) && hasCondition(line, condition),
    };
  };
  const over: Hit = {
    name: 'the event that the run is over',
    resource: 'retentionruns',
    is: ({ resource, type, line }) =>
      resource === 'retentionruns' && type === 'MODIFIED' && objectIn<RunObject>(line).status?.phase === 'Succeeded',
  };
  return KINDS.flatMap((kind) => [
    onEvent(kind, job('is about to be complete', 'SuccessCriteriaMet'), ONE_RUN),
    onEvent(kind, job('is complete', 'Complete'), ONE_RUN),
    onEvent(kind, over, ONE_RUN),
  ]);
}

function isOfTask(line: string, task: string): boolean {
  return objectIn(line).metadata.labels?.['holdfast.dev/task'] === task;
}

function hasCondition(line: string, type: string): boolean {
  return objectIn<JobObject>(line).status?.conditions?.some((condition) => condition.type === type) === true;
}

export function onEvent(kind: Kind, hit: Hit, scenario: Scenario): Point {
  return {
    name: `${hit.name} ${kind.name}`,
    scenario,
    ...(kind.impatient === true ? { long: true } : {}),
    async play(world) {
      const operator = await world.replica('a', kind.impatient === true ? openImpatient : undefined);
      const done = Promise.withResolvers<void>();
      const { event: mischief, besides = {} } = kind.make(world.random);
      let happened = false;
      operator.proxy.interference = {
        ...besides,
        async event(event, stream) {
          if (!happened && hit.is(event)) {
            happened = true;
            await mischief(stream, event, done.resolve);
          } else if (happened && besides.event !== undefined && event.resource === hit.resource) {
            await besides.event(event, stream);
          } else {
            stream.send(event.line);
          }
        },
      };
      await operator.start();
      await struck(world, hit.name, done.promise);
      return undefined;
    },
  };
}

/** Every event of a whole run at once. */
export function everyEventPoints(): readonly Point[] {
  return [
    everyEvent('every event duplicated', () => ({
      async event({ line }, stream) {
        stream.send(line);
        stream.send(line);
      },
    })),
    everyEvent('every event delayed', (random) => ({
      async event({ line }, stream) {
        await pause(random.between(0, 300));
        stream.send(line);
      },
    })),
    everyEvent('every event lost once with its connection', () => {
      const lost = new Set<string>();
      return {
        async event({ resource, line }, stream) {
          const key = `${resource} ${objectIn(line).metadata.resourceVersion}`;
          if (lost.has(key)) stream.send(line);
          else stream.cut();
          lost.add(key);
        },
      };
    }),
    everyEvent('every third event swallowed, with 410 at the next watch', () => {
      const lost = new Set<string>();
      let count = 0;
      return {
        async event(event, stream) {
          count += 1;
          if (count % 3 !== 0) {
            stream.send(event.line);
            return;
          }
          lost.add(event.resource);
          stream.send(bookmarkFor(event));
          stream.end();
        },
        watch: async ({ resource }) => (lost.delete(resource) ? { refuse: refusal(410, 'Expired') } : undefined),
      };
    }),
  ];
}

function everyEvent(name: string, make: (random: Random) => Interference): Point {
  return {
    name,
    scenario: ONE_RUN,
    long: true,
    async play(world) {
      const operator = await world.replica('a');
      operator.proxy.interference = make(world.random);
      await operator.start();
      return undefined;
    },
  };
}
