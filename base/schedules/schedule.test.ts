import { expect, test } from '@jest/globals';
import { printable } from '../text/printable.ts';
import { parseSchedule, scheduleFault } from './index.ts';

const iso = (date: Date | undefined) => date?.toISOString().replace(':00.000Z', 'Z');
const slots = (text: string, zone: string, from: string, count = 3) =>
  parseSchedule(text, zone).between(new Date(from), new Date('2300-01-01'), count).map(iso);

test.each<[string, string, string, string, string[]]>([
  [
    'the use case runs every Monday at two',
    'cron(0 2 ? * MON *)',
    'UTC',
    '2026-11-23T02:00Z',
    ['2026-11-30T02:00Z', '2026-12-07T02:00Z'],
  ],
  ['names and figures of weekdays mean the same', '0 2 * * 1', 'UTC', '2026-11-24T00:00Z', ['2026-11-30T02:00Z']],
  ['names are read in any case', '0 2 * jan mon', 'UTC', '2026-11-24T00:00Z', ['2027-01-04T02:00Z']],
  ['7 is Sunday in cron', '0 2 * * 7', 'UTC', '2026-11-24T00:00Z', ['2026-11-29T02:00Z']],
  ['1 is Sunday in AWS', 'cron(0 2 ? * 1 *)', 'UTC', '2026-11-24T00:00Z', ['2026-11-29T02:00Z']],
  ['7 is Saturday in AWS', 'cron(0 2 ? * 7 *)', 'UTC', '2026-11-24T00:00Z', ['2026-11-28T02:00Z']],
  [
    '2-6 are the working days in AWS',
    'cron(0 2 ? * 2-6 *)',
    'UTC',
    '2026-11-27T00:00Z',
    ['2026-11-27T02:00Z', '2026-11-30T02:00Z'],
  ],
  [
    'a range may end with Sunday',
    '0 2 * * FRI-SUN',
    'UTC',
    '2026-11-24T00:00Z',
    ['2026-11-27T02:00Z', '2026-11-28T02:00Z', '2026-11-29T02:00Z', '2026-12-04T02:00Z'],
  ],
  [
    'a range may end with Sunday in AWS too',
    'cron(0 2 ? * SAT-SUN *)',
    'UTC',
    '2026-11-24T00:00Z',
    ['2026-11-28T02:00Z', '2026-11-29T02:00Z', '2026-12-05T02:00Z'],
  ],
  [
    'steps count from the start of the hour',
    '*/20 * * * *',
    'UTC',
    '2026-11-24T00:01Z',
    ['2026-11-24T00:20Z', '2026-11-24T00:40Z', '2026-11-24T01:00Z'],
  ],
  [
    'a step from a figure runs to the end',
    'cron(5/25 3 * * ? *)',
    'UTC',
    '2026-11-24T00:00Z',
    ['2026-11-24T03:05Z', '2026-11-24T03:30Z', '2026-11-24T03:55Z', '2026-11-25T03:05Z'],
  ],
  [
    'a list of hours and a range of minutes',
    '0-2/2 4,16 * * *',
    'UTC',
    '2026-11-24T00:00Z',
    ['2026-11-24T04:00Z', '2026-11-24T04:02Z', '2026-11-24T16:00Z'],
  ],
  [
    'an hourly schedule goes on through the hour that autumn repeats',
    '0 * * * *',
    'America/Los_Angeles',
    '2026-11-01T07:59Z',
    ['2026-11-01T08:00Z', '2026-11-01T09:00Z', '2026-11-01T10:00Z'],
  ],
  [
    'so does one of quarters of an hour',
    '*/15 * * * *',
    'America/Los_Angeles',
    '2026-11-01T08:44Z',
    ['2026-11-01T08:45Z', '2026-11-01T09:00Z', '2026-11-01T09:15Z'],
  ],
  [
    'an hour that is named has its slots once, whatever its minutes',
    '*/30 1 * * *',
    'America/Los_Angeles',
    '2026-11-01T07:59Z',
    ['2026-11-01T08:00Z', '2026-11-01T08:30Z', '2026-11-02T09:00Z'],
  ],
  [
    'every second hour goes on where the hour that is repeated is one of them, and only on its days',
    '0 */2 * * SUN',
    'Europe/Berlin',
    '2026-10-24T22:00Z',
    ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T03:00Z'],
  ],
  [
    'every hour of a day before that of the repeated hour has no slot in it',
    '0 * * * SAT',
    'Europe/Berlin',
    '2026-10-24T20:30Z',
    ['2026-10-24T21:00Z', '2026-10-30T23:00Z', '2026-10-31T00:00Z'],
  ],
  [
    'clocks that are set back over midnight repeat hours of two days',
    '30 * * * *',
    'America/St_Johns',
    '2010-11-07T01:00Z',
    ['2010-11-07T02:00Z', '2010-11-07T03:00Z', '2010-11-07T04:00Z'],
  ],
  ['the first Monday', '0 3 * * MON#1', 'UTC', '2026-11-24T00:00Z', ['2026-12-07T03:00Z', '2027-01-04T03:00Z']],
  [
    'the first Monday in AWS figures',
    'cron(0 3 ? * 2#1 *)',
    'UTC',
    '2026-11-24T00:00Z',
    ['2026-12-07T03:00Z', '2027-01-04T03:00Z'],
  ],
  [
    'the fifth Monday skips months without one',
    '0 3 * * MON#5',
    'UTC',
    '2026-11-24T00:00Z',
    ['2026-11-30T03:00Z', '2027-03-29T03:00Z'],
  ],
  [
    'the second Monday and the last Friday',
    '0 3 * * MON#2,FRIL',
    'UTC',
    '2026-11-24T00:00Z',
    ['2026-11-27T03:00Z', '2026-12-14T03:00Z', '2026-12-25T03:00Z'],
  ],
  [
    'the last Friday of a month that ends on a Friday is that day, not a week before',
    '0 3 * * FRIL',
    'UTC',
    '2026-07-01T00:00Z',
    ['2026-07-31T03:00Z', '2026-08-28T03:00Z'],
  ],
  [
    'the last Saturday of February with 28 days',
    '0 3 * 2 SATL',
    'UTC',
    '2026-01-01T00:00Z',
    ['2026-02-28T03:00Z', '2027-02-27T03:00Z', '2028-02-26T03:00Z'],
  ],
  ['the last Friday in figures', '0 3 * * 5L', 'UTC', '2026-11-24T00:00Z', ['2026-11-27T03:00Z', '2026-12-25T03:00Z']],
  [
    'the last Friday in AWS figures',
    'cron(0 3 ? * 6L *)',
    'UTC',
    '2026-11-24T00:00Z',
    ['2026-11-27T03:00Z', '2026-12-25T03:00Z'],
  ],
  [
    'the last day of the month',
    '0 3 L * *',
    'UTC',
    '2027-12-31T04:00Z',
    ['2028-01-31T03:00Z', '2028-02-29T03:00Z', '2028-03-31T03:00Z'],
  ],
  [
    'the working day nearest to a Saturday is before it',
    'cron(0 3 15W * ? *)',
    'UTC',
    '2026-08-01T00:00Z',
    ['2026-08-14T03:00Z', '2026-09-15T03:00Z'],
  ],
  [
    'the working day nearest to a Sunday is after it',
    'cron(0 3 15W * ? *)',
    'UTC',
    '2026-11-01T00:00Z',
    ['2026-11-16T03:00Z', '2026-12-15T03:00Z'],
  ],
  [
    'the working day nearest to the first never falls into the month before',
    'cron(0 3 1W * ? *)',
    'UTC',
    '2026-07-31T00:00Z',
    ['2026-08-03T03:00Z', '2026-09-01T03:00Z'],
  ],
  [
    'the working day nearest to the last never falls into the month after',
    'cron(0 3 31W * ? *)',
    'UTC',
    '2026-05-01T00:00Z',
    ['2026-05-29T03:00Z', '2026-07-31T03:00Z'],
  ],
  [
    'a month of 30 days has no working day nearest to the 31st, though the day after it is a Saturday',
    'cron(0 3 31W * ? *)',
    'UTC',
    '2027-04-01T00:00Z',
    ['2027-05-31T03:00Z', '2027-07-30T03:00Z'],
  ],
  [
    'the last working day of the month',
    'cron(0 3 LW * ? *)',
    'UTC',
    '2026-10-31T00:00Z',
    ['2026-11-30T03:00Z', '2026-12-31T03:00Z', '2027-01-29T03:00Z'],
  ],
  [
    'years are a list',
    'cron(0 0 1 1 ? 2027,2030-2031)',
    'UTC',
    '2026-11-24T00:00Z',
    ['2027-01-01T00:00Z', '2030-01-01T00:00Z', '2031-01-01T00:00Z'],
  ],
  [
    'years may have a step',
    'cron(0 0 1 1 ? 2026/5)',
    'UTC',
    '2026-11-24T00:00Z',
    ['2031-01-01T00:00Z', '2036-01-01T00:00Z'],
  ],
  [
    'two lists of days are alternatives in cron',
    '0 2 13 * FRI',
    'UTC',
    '2026-11-08T00:00Z',
    [
      '2026-11-13T02:00Z',
      '2026-11-20T02:00Z',
      '2026-11-27T02:00Z',
      '2026-12-04T02:00Z',
      '2026-12-11T02:00Z',
      '2026-12-13T02:00Z',
    ],
  ],
  [
    'a field that begins with a star narrows the other',
    '0 2 */2 * FRI',
    'UTC',
    '2026-11-08T00:00Z',
    ['2026-11-13T02:00Z', '2026-11-27T02:00Z', '2026-12-11T02:00Z'],
  ],
  [
    'a leap day waits for its year, over 2100 too',
    '0 0 29 2 *',
    'UTC',
    '2095-01-01T00:00Z',
    ['2096-02-29T00:00Z', '2104-02-29T00:00Z'],
  ],
  ['a leap day on a Sunday may wait 40 years', '0 0 29 2 */7', 'UTC', '2088-03-01T00:00Z', ['2128-02-29T00:00Z']],
  [
    'a year ends at midnight',
    '59 23 31 12 *',
    'Pacific/Auckland',
    '2026-11-24T00:00Z',
    ['2026-12-31T10:59Z', '2027-12-31T10:59Z'],
  ],

  [
    'Berlin, winter to summer: a time in the gap runs at its end',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T00:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  [
    'Berlin, summer to winter: a time shown twice runs once, at the first',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-10-24T00:00Z',
    ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'Berlin: all times within the gap are one slot',
    '*/30 2-3 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00Z',
    ['2026-03-29T01:00Z', '2026-03-29T01:30Z', '2026-03-30T00:00Z'],
  ],
  [
    'New York: the gap',
    '30 2 8 3 *',
    'America/New_York',
    '2026-01-01T00:00Z',
    ['2026-03-08T07:00Z', '2027-03-08T07:30Z'],
  ],
  [
    'New York: the overlap',
    '30 1 1 11 *',
    'America/New_York',
    '2026-01-01T00:00Z',
    ['2026-11-01T05:30Z', '2027-11-01T05:30Z'],
  ],
  [
    'Lord Howe: a gap of half an hour',
    '15 2 4 10 *',
    'Australia/Lord_Howe',
    '2026-01-01T00:00Z',
    ['2026-10-03T15:30Z', '2027-10-03T15:15Z'],
  ],
  [
    'Lord Howe: an overlap of half an hour',
    '45 1 5 4 *',
    'Australia/Lord_Howe',
    '2026-01-01T00:00Z',
    ['2026-04-04T14:45Z', '2027-04-04T15:15Z'],
  ],
  [
    'Apia: the day that never was runs as the next one begins',
    '0 9 29-31 12 *',
    'Pacific/Apia',
    '2011-12-01T00:00Z',
    ['2011-12-29T19:00Z', '2011-12-30T10:00Z', '2011-12-30T19:00Z', '2012-12-28T19:00Z'],
  ],
  [
    'Casablanca: an hour back for Ramadan',
    '30 2 * * *',
    'Africa/Casablanca',
    '2025-02-22T00:00Z',
    ['2025-02-22T01:30Z', '2025-02-23T01:30Z', '2025-02-24T02:30Z'],
  ],
  [
    'Casablanca: and forward again',
    '30 2 * * *',
    'Africa/Casablanca',
    '2025-04-05T00:00Z',
    ['2025-04-05T02:30Z', '2025-04-06T02:00Z', '2025-04-07T01:30Z'],
  ],
  [
    'Beirut: midnight itself can be skipped',
    '0 0 * * *',
    'Asia/Beirut',
    '2026-03-27T00:00Z',
    ['2026-03-27T22:00Z', '2026-03-28T22:00Z', '2026-03-29T21:00Z'],
  ],
  ['Kathmandu: three quarters of an hour', '0 10 * * *', 'Asia/Kathmandu', '2026-11-24T00:00Z', ['2026-11-24T04:15Z']],
])('%s', (_, text, zone, from, expected) => {
  expect(slots(text, zone, from, expected.length)).toEqual(expected);
});

test.each<[string, string, string, string, string | undefined]>([
  ['an instant that is a slot is its own newest', '0 2 * * MON', 'UTC', '2026-11-23T02:00:00Z', '2026-11-23T02:00Z'],
  [
    'a moment before it, the newest is a week old',
    '0 2 * * MON',
    'UTC',
    '2026-11-23T01:59:59.999Z',
    '2026-11-16T02:00Z',
  ],
  ['between two slots it is the earlier', '0 2 * * MON', 'UTC', '2026-11-29T12:00:00Z', '2026-11-23T02:00Z'],
  ['over New Year', '0 2 L 12 *', 'UTC', '2027-01-01T00:00:00Z', '2026-12-31T02:00Z'],
  [
    'within a gap it is that of the day before',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-03-29T00:59:59Z',
    '2026-03-28T01:30Z',
  ],
  [
    'in the second pass of an overlap it is that of the first',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-10-25T01:10:00Z',
    '2026-10-25T00:30Z',
  ],
  [
    'when clocks went back over midnight, a slot of the day to come counts',
    '0 0 * * *',
    'America/St_Johns',
    '2010-11-07T02:45:00Z',
    '2010-11-07T02:30Z',
  ],
  ['before its first year there is none', 'cron(0 0 1 1 ? 2030)', 'UTC', '2026-11-24T00:00:00Z', undefined],
  ['after its last year the last remains', 'cron(0 0 1 1 ? 2020)', 'UTC', '2026-11-24T00:00:00Z', '2020-01-01T00:00Z'],
])('newest slot: %s', (_, text, zone, at, expected) => {
  expect(iso(parseSchedule(text, zone).newest(new Date(at)))).toBe(expected);
});

test('within its last year a schedule has the slots of that year before and behind an instant', () => {
  const schedule = parseSchedule('cron(0 0 1 * ? 2025-2026)', 'UTC');
  const now = new Date('2026-11-24T00:00:00Z');
  expect([iso(schedule.newest(now)), iso(schedule.next(now))]).toEqual(['2026-11-01T00:00Z', '2026-12-01T00:00Z']);
  expect(iso(schedule.newest(new Date('2026-01-01T00:00:00Z')))).toBe('2026-01-01T00:00Z');
});

test.each([
  ['the first year that may be named', 'cron(0 0 1 1 ? 1970)', '1970-01-01T00:00Z'],
  ['a range from the first year', 'cron(0 0 1 1 ? 1970-1971)', '1971-01-01T00:00Z'],
  ['the last year that may be named', 'cron(0 0 1 1 ? 2199)', '2199-01-01T00:00Z'],
  ['a range of one year', 'cron(0 0 1 1 ? 2199-2199)', '2199-01-01T00:00Z'],
  ['the longest step', '*/59 0 1 1 *', '2199-01-01T00:59Z'],
  ['a range of one hour', '0 5-5 1 1 *', '2199-01-01T05:00Z'],
  ['a range of one weekday', '0 0 * 12 2-2', '2199-12-31T00:00Z'],
])('%s is read', (_name, text, newest) => {
  expect(iso(parseSchedule(text, 'UTC').newest(new Date('2199-12-31T23:00:00Z')))).toBe(newest);
});

test('when its years are over there is no next slot', () => {
  expect(parseSchedule('cron(0 0 1 1 ? 2020)', 'UTC').next(new Date('2026-11-24'))).toBeUndefined();
});

test('slots between two instants leave out the first, take in the last and stop at the limit', () => {
  const daily = parseSchedule('0 2 * * *', 'UTC');
  const between = (limit: number) =>
    daily.between(new Date('2026-11-20T02:00Z'), new Date('2026-11-23T02:00Z'), limit).map(iso);
  expect(between(10)).toEqual(['2026-11-21T02:00Z', '2026-11-22T02:00Z', '2026-11-23T02:00Z']);
  expect(between(2)).toEqual(['2026-11-21T02:00Z', '2026-11-22T02:00Z']);
});

test.each([
  ['a minute that does not exist', '61 2 * * *', 'minute (0–59) "61": got value 61 expected range 0-59'],
  ['hour 24', '0 24 * * *', 'hour (0–23) "24"'],
  ['month 13', '0 2 1 13 *', 'month (1–12 or JAN–DEC) "13"'],
  ['day 0', '0 2 0 * *', 'day of month (1–31) "0"'],
  ['weekday 8', '0 2 * * 8', 'day of week (0–7 or SUN–SAT) "8"'],
  ['weekday 0 in AWS', 'cron(0 2 ? * 0 *)', 'in AWS 1 is Sunday and 7 is Saturday'],
  ['a long name of a weekday', '0 2 * * TUES', 'did you mean TUE?'],
  ['a long name of a month', '0 2 1 JUNE *', 'did you mean JUN?'],
  ['a range of hours over midnight', '0 22-2 * * *', 'the range runs backwards; write 22,23,0,1,2'],
  ['a range of hours up to midnight', '0 22-0 * * *', 'the range runs backwards; write 22,23,0'],
  ['a step of more than any field', '*/60 2 * * *', 'the step is longer than the field'],
  ['a range of many hours over midnight', '0 5-2 * * *', 'the range runs backwards; write 5-23,0-2'],
  ['a range over midnight with a step', '0 22-4/2 * * *', 'the range runs backwards; write 22,0,2,4'],
  ['a range of days over the end of the month', '0 2 28-3 * *', 'write 28,29,30,31,1,2,3'],
  ['a range over New Year', '0 22 * NOV-FEB *', 'write NOV,DEC,JAN,FEB'],
  ['a range over the weekend', '0 8 * * FRI-MON', 'write FRI,SAT,SUN,MON'],
  ['a range over the weekend in figures', '0 8 * * 5-1', 'write 5,6,0,1'],
  ['a range that begins with the seventh day', '0 8 * * 7-1', 'write 0,1'],
  ['a range over the weekend in AWS figures', 'cron(0 8 ? * 6-2 *)', 'write 6,7,1,2'],
  ['a month that does not exist in a range backwards', '0 2 1 13-1 *', 'the range is not within the field'],
  ['days before the last', 'cron(0 8 L-3 * ? *)', 'days before the last are not supported; write 27'],
  ['a weekday in another language', '0 2 * * Lundi', 'write an English name: SUN, MON, TUE'],
  ['a month in another language', '0 2 1 MAI *', 'write an English name: JAN, FEB, MAR'],
  ['a letter of another language', '0 2 1 MÄR *', '"Ä" has no meaning in it'],
  ['a step of nothing', '*/0 * * * *', 'cannot repeat at every 0 time'],
  ['an empty place in a list', '0,,5 * * * *', 'empty place'],
  ['a sixth Monday', '0 2 * * MON#6', 'at most five'],
  ['L as a weekday', '0 2 * * L', 'such as FRIL'],
  ['L as an hour', '0 L * * *', 'L goes alone in the day of month'],
  ['a hash of Jenkins', 'H 2 * * *', 'write figures, names'],
  ['four fields', '0 2 * *', '4 fields where five are needed'],
  ['nothing', '', 'no fields where five are needed'],
  ['seconds', '0 0 2 * * MON', 'there are seconds in front: 0 2 * * MON is meant'],
  ['seconds as in Quartz', '0 0 2 ? * MON', 'there are seconds in front: 0 2 ? * MON is meant'],
  ['a weekday of Quartz, where 2 is Monday', '0 0 2 ? * 2', 'there are seconds in front: cron(0 2 ? * 2 *) is meant'],
  ['seconds and a year', '0 0 2 ? * MON 2026', 'there are seconds in front: cron(0 2 ? * MON 2026) is meant'],
  ['seconds in AWS', 'cron(0 0 2 ? * MON)', 'there are seconds in front: cron(0 2 ? * MON *) is meant'],
  ['seconds in AWS, daily', 'cron(0 0 12 * * ?)', 'there are seconds in front: cron(0 12 * * ? *) is meant'],
  ['a year behind five fields', '0 2 1 * * 2026', 'an AWS schedule is written "cron(0 2 1 * ? 2026)"'],
  ['a year behind fields that AWS cannot have', '0 2 1 * MON 2026', 'there is a year behind: 0 2 1 * MON is meant'],
  ['a line end behind it', '0 2 * * MON\n', 'there is a line end behind it: write "0 2 * * MON"'],
  ['a blank behind it', '0 2 * * MON ', 'there is a blank behind it: write "0 2 * * MON"'],
  ['a tab between its fields', '0\t2 * * MON', 'there is a tab between its fields: write "0 2 * * MON"'],
  [
    'a zone in front',
    'CRON_TZ=Europe/Berlin 0 2 * * 1',
    'write the zone into timeZone: Europe/Berlin, and here "0 2 * * 1"',
  ],
  ['a short zone in front', 'TZ=UTC 0 2 * * 1', 'write the zone into timeZone: UTC, and here "0 2 * * 1"'],
  ['AWS in capitals', 'CRON(0 2 ? * MON *)', 'small letters and closed: "cron(0 2 ? * MON *)"'],
  ['AWS that is not closed', 'cron(0 2 ? * MON *', 'small letters and closed: "cron(0 2 ? * MON *)"'],
  ['both kinds of days in AWS', 'cron(0 2 1 * MON *)', 'exactly one of day-of-month and day-of-week is ?'],
  ['AWS fields without cron( )', '0 2 ? * MON *', 'an AWS schedule is written "cron(0 2 ? * MON *)"'],
  ['cron( ) of five fields', 'cron(0 2 * * MON)', '5 fields in cron(…) where six are needed'],
  ['AWS without a question mark', 'cron(0 2 * * MON *)', 'probably "cron(0 2 ? * MON *)" is meant'],
  ['AWS with two question marks', 'cron(0 2 ? * ? *)', 'probably "cron(0 2 * * ? *)" is meant'],
  ['a year out of range', 'cron(0 2 * * ? 1969)', 'years are from 1970 to 2199'],
  ['years that run backwards', 'cron(0 2 * * ? 2028-2026)', 'the range runs backwards; write 2026-2028'],
  ['years by a step of nothing', 'cron(0 2 ? * MON 2026/0)', 'a step is 1 or more'],
  ['years by a step of nothing in two figures', 'cron(0 2 ? * MON 2026/00)', 'a step is 1 or more'],
  ['a range of years by a step of nothing', 'cron(0 2 ? * MON 2026-2030/000)', 'a step is 1 or more'],
  ['minutes by a step of nothing in two figures', '*/00 * * * *', 'cannot repeat at every 0 time'],
  ['days by a step of nothing in two figures', '0 2 1-31/00 * *', 'cannot repeat at every 0 time'],
  ['weekdays by a step of nothing in two figures', '0 2 * * 1-5/00', 'cannot repeat at every 0 time'],
  ['a macro', '@weekly', 'write "0 0 * * SUN"'],
  ['a word', 'daily', 'write "0 0 * * *"'],
  ['a macro that is no time', '@reboot', 'use cron, such as'],
  ['a rate of a week', 'rate(7 days)', 'has no place in the calendar; write "0 0 * * SUN"'],
  ['a rate of half a day', 'rate(12 hours)', 'write "0 */12 * * *"'],
  ['a rate that is no step of an hour', 'rate(60 minutes)', 'use cron, such as'],
  ['a rate of every minute', 'rate(1 minute)', 'write "* * * * *"'],
  ['a rate that drifts', 'rate(7 minutes)', 'use cron, such as'],
  ['30 February', '0 2 30 2 *', 'it never fires'],
  ['29 February of a common year', 'cron(0 2 29 2 ? 2027)', 'it never fires'],
])('%s is refused with what is wrong', (_, text, reason) => {
  expect(() => parseSchedule(text, 'UTC')).toThrow(expect.objectContaining({ code: 'HF_SCHEDULE_INVALID' }));
  expect(() => parseSchedule(text, 'UTC')).toThrow(`schedule "${printable(text)}": `);
  expect(() => parseSchedule(text, 'UTC')).toThrow(reason);
});

test.each([
  ['a misspelt zone', 'Europe/Berln', 'did you mean Europe/Berlin?'],
  ['a zone in lower case, which other systems do not know', 'europe/berlin', 'did you mean Europe/Berlin?'],
  ['utc in lower case', 'utc', 'did you mean UTC?'],
  ['an offset', '+02:00', 'use one such as'],
  ['nothing', '', 'use one such as'],
])('%s is refused', (_, zone, reason) => {
  expect(() => parseSchedule('0 2 * * *', zone)).toThrow(expect.objectContaining({ code: 'HF_SCHEDULE_INVALID' }));
  expect(() => parseSchedule('0 2 * * *', zone)).toThrow(reason);
});

test('a schedule as long as the schema allows is read', () => {
  const longest = `0 2 * * ${'MON,'.repeat(29)}1,MON`.slice(0, 124).replace(/,?[A-Z0-9]*$/, '');
  const whole = longest.replace('0 2', `0${' '.repeat(1 + 128 - longest.length)}2`);
  expect([whole.length, scheduleFault(whole)]).toEqual([128, undefined]);
  expect(scheduleFault(whole.replace('0 ', '0  '))).toBe(
    `schedule "${whole.replace('0 ', '0  ').slice(0, 128)}…": it is 129 characters long; at most 128 are read`,
  );
});

test('a schedule longer than the schema allows is refused unread', () => {
  expect(() => parseSchedule('1,'.repeat(500_000), 'UTC')).toThrow(
    'it is 1000000 characters long; at most 128 are read',
  );
});

test.each(['0 2 * * MON\n', '0 0 2 ? * MON', 'cron(0 2 * * MON)', '0 8 * * FRI-MON', '0 22-2 * * *', '@monthly'])(
  'what is suggested for %j is a schedule itself',
  (text) => {
    const reason = scheduleFault(text) ?? '';
    const meant =
      /(?:write|front:) "?([^"]+?)"?(?: is meant)?$/.exec(reason)?.[1] ?? /"(cron[^"]+)" is meant/.exec(reason)?.[1];
    const bad = /"([^" ]+)": the range/.exec(reason)?.[1];
    const suggestion = bad === undefined ? (meant ?? '') : text.replace(bad, meant ?? '');
    expect(suggestion).not.toBe('');
    expect(scheduleFault(suggestion)).toBeUndefined();
  },
);

test('an old name of a zone still works', () => {
  expect(slots('0 10 * * *', 'Asia/Calcutta', '2026-11-24T00:00Z', 1)).toEqual(['2026-11-24T04:30Z']);
});
