import { expect, test } from '@jest/globals';
import { parseSchedule } from './index.ts';
import { openZone } from './zone.ts';

const MINUTE_MS = 60_000;

/** Numbers in [0, 1) from a seed (a linear congruential generator, modulus 2^32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * The definition, minute by minute: a clock that only ever runs forward; each wall time that it reaches or jumps
 * over for the first time is due then. Of every hour also those that it shows again.
 */
function minuteByMinute(
  zone: string,
  from: string,
  to: string,
  isDue: (wall: Date) => boolean,
  everyHour: boolean,
): string[] {
  const clock = openZone(zone);
  const slots = new Set<string>();
  const start = Date.parse(from);
  let reached = clock.wallTime(start);
  for (let instant = start + MINUTE_MS; instant <= Date.parse(to); instant += MINUTE_MS) {
    for (let wall = reached + MINUTE_MS; wall <= clock.wallTime(instant); wall += MINUTE_MS) {
      if (isDue(new Date(wall))) slots.add(new Date(instant).toISOString());
      reached = wall;
    }
    if (everyHour && isDue(new Date(clock.wallTime(instant)))) slots.add(new Date(instant).toISOString());
  }
  return [...slots];
}

test.each<[string, string, string, string, string, (wall: Date) => boolean]>([
  [
    'every quarter of an hour over the Berlin gap',
    '*/15 * * * *',
    'Europe/Berlin',
    '2026-03-28T12:00Z',
    '2026-03-29T12:00Z',
    (wall) => wall.getUTCMinutes() % 15 === 0,
  ],
  [
    'every quarter of an hour over the Berlin overlap',
    '*/15 * * * *',
    'Europe/Berlin',
    '2026-10-24T20:00Z',
    '2026-10-25T06:00Z',
    (wall) => wall.getUTCMinutes() % 15 === 0,
  ],
  [
    'every hour over the overlap of St. John’s, which crosses midnight',
    '0-30/10 */1 * * *',
    'America/St_Johns',
    '2010-11-06T20:00Z',
    '2010-11-07T10:00Z',
    (wall) => wall.getUTCMinutes() % 10 === 0 && wall.getUTCMinutes() <= 30,
  ],
  [
    'every ten minutes over the half hour that Lord Howe repeats',
    '*/10 * * * *',
    'Australia/Lord_Howe',
    '2026-04-04T12:00Z',
    '2026-04-05T00:00Z',
    (wall) => wall.getUTCMinutes() % 10 === 0,
  ],
  [
    'every minute over the Berlin overlap',
    '* 1-3 * * *',
    'Europe/Berlin',
    '2026-10-24T20:00Z',
    '2026-10-25T06:00Z',
    (wall) => [1, 2, 3].includes(wall.getUTCHours()),
  ],
  [
    'every ten minutes over the half hour of Lord Howe',
    '*/10 * * * *',
    'Australia/Lord_Howe',
    '2026-04-04T06:00Z',
    '2026-04-05T06:00Z',
    (wall) => wall.getUTCMinutes() % 10 === 0,
  ],
  [
    'every hour over the lost day of Apia',
    '0 * * * *',
    'Pacific/Apia',
    '2011-12-29T00:00Z',
    '2012-01-01T00:00Z',
    (wall) => wall.getUTCMinutes() === 0,
  ],
  [
    'midnight and noon over the Havana overlap',
    '0 0,12 * * *',
    'America/Havana',
    '2026-10-30T00:00Z',
    '2026-11-03T00:00Z',
    (wall) => wall.getUTCMinutes() === 0 && wall.getUTCHours() % 12 === 0,
  ],
  [
    'a thirteenth or a Friday',
    '30 4 13 * FRI',
    'America/New_York',
    '2026-11-01T00:00Z',
    '2026-12-01T00:00Z',
    (wall) =>
      wall.getUTCHours() === 4 && wall.getUTCMinutes() === 30 && (wall.getUTCDate() === 13 || wall.getUTCDay() === 5),
  ],
])('minute by minute: %s', (_, text, zone, from, to, isDue) => {
  const expected = minuteByMinute(zone, from, to, isDue, text.split(' ')[1]?.startsWith('*') === true);
  const found = parseSchedule(text, zone)
    .between(new Date(from), new Date(to), 100_000)
    .map((slot) => slot.toISOString());
  expect(expected.length).toBeGreaterThan(0);
  expect(found).toEqual(expected);
  expect(parseSchedule(text, zone).count(new Date(from), new Date(to))).toBe(expected.length);
});

test('at any instant the next slot is its own newest, lies ahead, and nothing lies between it and the newest', () => {
  const random = seeded(7);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const texts = [
    '0 2 * * MON',
    '*/17 * * * *',
    '0 */3 * * SUN',
    '30 1-3 * * *',
    'cron(0 3 LW * ? *)',
    '0 0 29 2 *',
    '15 2 1,L * FRI',
    'cron(0/20 2 ? * 2#1 *)',
    '0 4 * * 5L',
  ];
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'America/Havana',
    'Pacific/Apia',
    'America/St_Johns',
  ];
  const years = Date.parse('2030-01-01') - Date.parse('2005-01-01');
  for (let round = 0; round < 250; round++) {
    const schedule = parseSchedule(pick(texts), pick(zones));
    const instant = new Date(Date.parse('2005-01-01') + Math.floor(random() * years));
    const next = schedule.next(instant);
    const newest = schedule.newest(instant);
    if (next === undefined || newest === undefined) throw new Error('these schedules never end');
    expect(next.getTime()).toBeGreaterThan(instant.getTime());
    expect(newest.getTime()).toBeLessThanOrEqual(instant.getTime());
    expect(schedule.newest(next)).toEqual(next);
    expect(schedule.newest(newest)).toEqual(newest);
    expect(schedule.next(newest)).toEqual(next);
    expect(schedule.newest(new Date(next.getTime() - 1))).toEqual(newest);
    const oneByOne = [next];
    while (oneByOne.length < 5) oneByOne.push(schedule.next(oneByOne.at(-1) ?? next) ?? next);
    expect(schedule.between(instant, oneByOne[4] ?? next, 5)).toEqual(oneByOne);
    const later = new Date(instant.getTime() + Math.floor(random() * 8) * 86_400_000);
    expect(schedule.count(instant, later)).toBe(schedule.between(instant, later, 100_000).length);
  }
});
