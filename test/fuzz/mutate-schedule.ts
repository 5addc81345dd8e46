import type { Random } from '../faults/random.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

const PLAIN = ['1', '2', '3', '4', '5', '6', '7'];
const FIGURES = ['0', '00', '1', '2', '5', '7', '08', '12', '15', '23', '28', '29', '30', '31', '32', '59', '60', '99'];
const YEARS = ['1969', '1970', '2023', '2026', '2027', '2100', '2199', '2200', '99999999999999999999'];
const NAMES = ['MON', 'tue', 'SUN', 'FRI', 'Lundi', 'JAN', 'feb', 'DEC', 'MONDAY', 'L', 'W', 'LW', '?', 'H', '*'];
const ZONES = [
  'UTC',
  'utc',
  'Europe/Berlin',
  'America/Los_Angeles',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Asia/Calcutta',
  'Etc/GMT+12',
  'GMT+0',
  'EST5EDT',
  'Europe/Berln',
];

/** Puts schedules and zones of its own making into a text: most are nearly right. */
export function mutateSchedule(text: string, random: Random): string {
  const schedule = random.next() < 0.1 ? crooked(scheduleOf(random), random) : scheduleOf(random);
  const zone = random.next() < 0.1 ? crooked(random.pick(ZONES), random) : random.pick(ZONES);
  const zoned = text.includes('timeZone') ? text : text.replace(/^( *)batchSchedule:/m, '$1timeZone: UTC\n$&');
  return zoned
    .replace(
      /(\bbatchSchedule"?: ).*?(,?)$/m,
      (_, field: string, comma: string) => `${field}${quoted(schedule)}${comma}`,
    )
    .replace(/(\btimeZone"?: ).*?(,?)$/m, (_, field: string, comma: string) => `${field}${quoted(zone)}${comma}`);
}

const quoted = (text: string) => JSON.stringify(text);

function scheduleOf(random: Random): string {
  const fields = Array.from({ length: random.pick([5, 5, 5, 5, 6, 4, 7]) }, () => field(random));
  if (random.next() < 0.5) return fields.join(' ');
  const days = random.pick([
    ['?', '*'],
    ['*', '?'],
    [field(random), '?'],
    ['?', field(random)],
  ]);
  const [dayOfMonth = '', dayOfWeek = ''] = days;
  const aws = [field(random), field(random), dayOfMonth, field(random), dayOfWeek, list(random, YEARS)];
  return `cron(${(random.next() < 0.9 ? aws : fields).join(' ')})`;
}

function field(random: Random): string {
  if (random.next() < 0.3) return '*';
  return list(random, random.pick([PLAIN, PLAIN, PLAIN, FIGURES, NAMES]));
}

function list(random: Random, values: readonly string[]): string {
  return Array.from({ length: random.pick([1, 1, 1, 1, 2, 3, 12]) }, () => item(random, values)).join(',');
}

function item(random: Random, values: readonly string[]): string {
  const value = random.pick(values);
  return random.pick<() => string>([
    () => value,
    () => value,
    () => `${value}-${random.pick(values)}`,
    () => `${random.pick([value, '*'])}/${random.pick(FIGURES)}`,
    () => `${value}-${random.pick(values)}/${random.pick(FIGURES)}`,
    () => `${value}${random.pick(['L', 'W', '#1', '#5', '#6', '#', '-'])}`,
  ])();
}

function crooked(text: string, random: Random): string {
  const place = random.between(0, text.length);
  return random.pick([
    ` ${text}`,
    `${text}\n`,
    text.toLowerCase(),
    text.slice(0, place),
    text.slice(0, place) + random.pick(HOSTILE_TEXTS) + text.slice(place),
    `CRON_TZ=Europe/Berlin ${text}`,
    text.replaceAll(' ', '\t'),
    text.repeat(random.pick([2, 300])),
  ]);
}
