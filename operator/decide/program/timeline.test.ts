import { expect, test } from '@jest/globals';
import { parseSchedule } from '../../../base/schedules/index.ts';
import { PIPELINES, type Pipelines } from '../../../contract/pipelines.ts';
import { seeded } from '../../../test/faults/random.ts';
import { WITH_CAMPAIGN } from '../../../test/support/pipelines.ts';
import { programSpec, storedProgram } from '../../../test/support/program.ts';
import { snapshot } from '../../../test/support/program-snapshot.ts';
import type { ProgramObject, RunObject } from '../../kube/objects.ts';
import { decideProgram } from './program.ts';
import { calendarsOf, scheduleText } from './slots.ts';

/*
 * Weeks of a program that is edited, turned off and on, upgraded, and looked at when somebody looks: whatever happens, no
 * slot is run twice, none of before its schedule, none late, and what is told of the rest adds up.
 */
const ZONES = ['UTC', 'Europe/Berlin'];
const SCHEDULES = ['0 2 * * *', '30 2 * * *', '0 */6 * * *', '0 9 * * MON'];
const HOUR_MS = 3_600_000;

function liveThrough(seed: number): readonly string[] {
  const random = seeded(seed);
  const wrong: string[] = [];
  // Through the hour that autumn repeats.
  let now = Date.parse('2026-10-12T00:30:00Z');
  let pipelines: Pipelines = PIPELINES;
  let spec = programSpec({ batchSchedule: '0 2 * * *', startingDeadlineSeconds: 12 * 3600 });
  let status: ProgramObject['status'];
  let runs: RunObject[] = [];
  const creationTimestamp = new Date(now).toISOString();
  const given = new Map<string, { schedule: string; at: number }>();
  const made = new Set<string>();
  const counted = new Map<string, { of: string; untold: number }>();

  /** When each calendar became what it is, as people would say. */
  const note = () => {
    const calendars = spec.enabled ? calendarsOf(spec, pipelines) : [];
    for (const name of given.keys()) if (calendars.every(({ pipeline }) => pipeline !== name)) given.delete(name);
    for (const calendar of calendars) {
      const schedule = scheduleText(calendar);
      if (given.get(calendar.pipeline)?.schedule !== schedule) given.set(calendar.pipeline, { schedule, at: now });
    }
  };

  const look = (isWritten = true) => {
    const program = storedProgram(spec, { metadata: { creationTimestamp }, ...(status && { status }) });
    const decision = decideProgram(snapshot(program, { runs, pipelines }), new Date(now));
    for (const action of decision.actions) {
      if (action.do === 'delete') runs = runs.filter(({ metadata }) => metadata.name !== action.object.metadata.name);
      if (action.do !== 'create') continue;
      const run = action.object as RunObject;
      const { pipeline, slot = '' } = run.spec;
      const at = Date.parse(slot);
      if (made.has(run.metadata.name)) wrong.push(`${run.metadata.name} twice`);
      made.add(run.metadata.name);
      if (at <= (given.get(pipeline)?.at ?? Infinity)) wrong.push(`${run.metadata.name} is of before its schedule`);
      if (at > now || at + 12 * HOUR_MS <= now)
        wrong.push(`${run.metadata.name} is not due at ${new Date(now).toISOString()}`);
      const text = calendarsOf(spec, pipelines).find((one) => one.pipeline === pipeline)?.schedule ?? '';
      if (parseSchedule(text, spec.timeZone).newest(new Date(now))?.getTime() !== at)
        wrong.push(`${slot} is not the newest`);
      const metadata = { ...run.metadata, uid: run.metadata.name, creationTimestamp: new Date(now).toISOString() };
      runs.push({ ...run, metadata });
    }
    if (isWritten) account(decision.status);
  };

  /** A schedule that goes on has as many slots as were run and skipped. */
  const account = (after: ProgramObject['status']) => {
    const before = status?.pipelines ?? [];
    status = after;
    for (const one of status?.pipelines ?? []) {
      const last = before.find(({ name }) => name === one.name)?.lastSucceededSlot;
      const forgot = last !== undefined && !(Date.parse(one.lastSucceededSlot ?? '') >= Date.parse(last));
      if (forgot) wrong.push(`${one.name} forgot what succeeded`);
      const { schedule, since } = one;
      if (schedule === undefined || schedule === 'off' || since === undefined) continue;
      const until = one.lastSlot ?? since;
      const [text, zone] = [schedule.replace(/ \S+$/, ''), schedule.replace(/^.* /, '')];
      const passed = parseSchedule(text, zone).count(new Date(since), new Date(until));
      const untold = passed - madeOf(one.name, until) - (one.skippedSlots ?? 0);
      const known = counted.get(one.name);
      if (known?.of !== `${schedule} ${since}`) counted.set(one.name, { of: `${schedule} ${since}`, untold });
      else if (untold !== known.untold) wrong.push(`${one.name}: ${untold - known.untold} slots too few are told of`);
    }
  };

  const madeOf = (pipeline: string, until: string) =>
    [...made].filter((name) => {
      const [, day = '', own = 'batch'] = /^keep-(\d{8}t\d{4}z)(?:-(\w+))?$/.exec(name) ?? [];
      return own === pipeline && day <= until.toLowerCase().replaceAll(/[-:]/g, '').replace(/00z$/, 'z');
    }).length;

  const edit = (change: Partial<typeof spec>) => {
    spec = { ...spec, ...change };
    note();
    look();
  };

  const happen = (): void => {
    switch (random.between(0, 11)) {
      case 0:
        return edit({ enabled: !spec.enabled });
      case 1:
        return edit({ batchSchedule: random.pick(SCHEDULES) });
      case 2: {
        const schedules = { prune: random.pick(SCHEDULES), report: random.pick(SCHEDULES) };
        return edit({ schedules: random.pick([{}, schedules, { ...schedules, campaign: '0 10 * * *' }]) });
      }
      case 3:
        return edit({ timeZone: random.pick(ZONES) });
      case 4:
        pipelines = WITH_CAMPAIGN;
        note();
        return look();
      case 5:
        runs = runs.filter(({ status: how }) => how?.phase !== 'Succeeded' || random.next() < 0.5);
        return look();
      default:
        now += random.pick([1, 5, 30, 60, 360, 60 * 40]) * 60_000;
        runs = runs.map((run) =>
          run.status?.phase === 'Succeeded' || random.next() < 0.4
            ? run
            : ({
                ...run,
                status: { phase: run.status === undefined ? 'Running' : 'Succeeded', slot: run.spec.slot },
              } as RunObject),
        );
        // It may crash before it is written.
        return look(random.next() < 0.8);
    }
  };

  note();
  look();
  for (let step = 0; step < 120; step += 1) happen();
  return wrong;
}

test.each(Array.from({ length: 8 }, (_, seed) => seed))('weeks of a program, seed %i', (seed) => {
  expect(liveThrough(seed)).toEqual([]);
});
