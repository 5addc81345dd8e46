import { CronExpressionParser } from 'cron-parser';
import { HoldfastError } from '../errors.ts';
import type { MonthDay, Weekday } from './days.ts';

type FieldName = 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek';

const WORDS: Readonly<Record<FieldName | 'year', string>> = {
  minute: 'minute (0–59)',
  hour: 'hour (0–23)',
  dayOfMonth: 'day of month (1–31)',
  month: 'month (1–12 or JAN–DEC)',
  dayOfWeek: 'day of week (0–7 or SUN–SAT)',
  year: 'year (1970–2199)',
};

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const NAMES: Readonly<Partial<Record<FieldName, readonly string[]>>> = { month: MONTHS, dayOfWeek: WEEKDAYS };
const FIRST: Readonly<Record<FieldName, number>> = { minute: 0, hour: 0, dayOfMonth: 1, month: 1, dayOfWeek: 0 };
const LENGTH: Readonly<Record<FieldName, number>> = { minute: 60, hour: 24, dayOfMonth: 31, month: 12, dayOfWeek: 7 };

/** `*`, a value or a range, each with a step or without; values are figures or names. */
const ITEM = /^(?:\*|([0-9]+|[A-Z]+)(?:-([0-9]+|[A-Z]+))?)(?:\/([0-9]+))?$/;

/** Figures that a field of minutes, hours or months lists, in order. @throws HF_SCHEDULE_INVALID */
export function numbers(field: 'minute' | 'hour' | 'month', text: string): number[] {
  const listed = text
    .toUpperCase()
    .split(',')
    .flatMap((item) => expand(field, item));
  return [...new Set(listed)].sort((one, other) => one - other);
}

/** What a field of days of the month lists: days, `L` and `15W`, `LW`. @throws HF_SCHEDULE_INVALID */
export function monthDays(text: string): MonthDay[] {
  return text
    .toUpperCase()
    .split(',')
    .flatMap((item): MonthDay[] => {
      if (item === 'L') return [{ kind: 'last' }];
      if (item === 'LW' || item === 'WL') return [{ kind: 'nearest-weekday', day: 'last' }];
      const near = /^([0-9]+)W$/.exec(item)?.[1];
      if (near !== undefined) return expand('dayOfMonth', near).map((day) => ({ kind: 'nearest-weekday', day }));
      return expand('dayOfMonth', item).map((day) => ({ kind: 'day', day }));
    });
}

/**
 * What a field of weekdays lists: days, `MON#1` for the first Monday, `FRIL` for the last Friday.
 * @param sunday the figure that means Sunday: 0 (and 7) in cron, 1 in AWS
 * @throws HF_SCHEDULE_INVALID
 */
export function weekdays(text: string, sunday: 0 | 1): Weekday[] {
  return text
    .toUpperCase()
    .split(',')
    .flatMap((item): Weekday[] => {
      const [, day, nth, last] = /^([0-9]+|[A-Z]{3})(?:#([0-9]+)|(L))$/.exec(item) ?? [];
      if (day !== undefined && last !== undefined)
        return weekdayNumbers(day, sunday).map((weekday) => ({ kind: 'last', weekday }));
      if (day !== undefined && nth !== undefined) {
        const n = Number(nth);
        if (n < 1 || n > 5)
          throw refused(
            'dayOfWeek',
            item,
            'a month has at most five of a weekday: write #1 to #5, or FRIL for the last',
          );
        return weekdayNumbers(day, sunday).map((weekday) => ({ kind: 'nth', weekday, n }));
      }
      if (item === 'L') throw refused('dayOfWeek', item, 'say of which day the last is meant, such as FRIL');
      return weekdayNumbers(item, sunday).map((weekday) => ({ kind: 'every', weekday }));
    });
}

/** Years that a field of AWS lists; undefined for every year. @throws HF_SCHEDULE_INVALID */
export function years(text: string): ReadonlySet<number> | undefined {
  if (text === '*') return undefined;
  const listed = text.split(',').flatMap((item) => {
    const [whole, from = '1970', to, step] = ITEM.exec(item) ?? [];
    if (whole === undefined) throw refused('year', item, 'write 2026, 2026-2028 or 2026/2');
    const first = Number(from);
    const last = to !== undefined ? Number(to) : step !== undefined || item.startsWith('*') ? 2199 : first;
    const every = Number(step ?? 1);
    if (!(first >= 1970 && first <= 2199 && last >= 1970 && last <= 2199)) {
      throw refused('year', item, 'years are from 1970 to 2199');
    }
    if (first > last) throw refused('year', item, `the range runs backwards; write ${last}-${first}`);
    if (every < 1) throw refused('year', item, 'a step is 1 or more');
    return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, index) => first + index * every);
  });
  return new Set(listed);
}

function weekdayNumbers(item: string, sunday: 0 | 1): number[] {
  const [whole, from, to, step] = ITEM.exec(item) ?? [];
  if (whole === undefined || from === undefined) return expand('dayOfWeek', item).map((day) => day % 7);
  const number = (name: string) => {
    if (!/^[0-9]+$/.test(name)) return name;
    const day = Number(name) - sunday;
    if (day < 0 || (sunday === 1 && day > 6)) throw refused('dayOfWeek', item, 'in AWS 1 is Sunday and 7 is Saturday');
    return String(day);
  };
  // A range may end with Sunday, as in FRI-SUN: then it is the eighth day of the week.
  const end =
    to === undefined ? undefined : ['SUN', '0'].includes(number(to)) && number(from) !== number(to) ? '7' : number(to);
  if (end !== '7') refuseBackwards('dayOfWeek', item, sunday);
  const range = end === undefined ? number(from) : `${number(from)}-${end}`;
  return expand('dayOfWeek', step === undefined ? range : `${range}/${step}`).map((day) => day % 7);
}

/** The figures of one item of a list, which cron-parser knows to read. */
function expand(field: FieldName, item: string): number[] {
  const [whole, from, to, step] = ITEM.exec(item) ?? [];
  if (whole === undefined) throw refused(field, item, unreadable(field, item));
  const names = NAMES[field] ?? [];
  for (const name of [from, to]) {
    if (name === undefined || /^[0-9]+$/.test(name) || names.includes(name)) continue;
    const meant = names.find((each) => name.startsWith(each)) ?? names.find((each) => each.startsWith(name));
    throw refused(field, item, meant === undefined ? unreadable(field, item) : `did you mean ${meant}?`);
  }
  if (step !== undefined && Number(step) > 59) throw refused(field, item, 'the step is longer than the field');
  if (field !== 'dayOfWeek') refuseBackwards(field, item, FIRST[field]);
  const place: Record<FieldName, number> = { minute: 0, hour: 1, dayOfMonth: 2, month: 3, dayOfWeek: 4 };
  const fields = ['*', '*', '*', '*', '*'];
  fields[place[field]] = item;
  try {
    // Only the field is read: its zone and its clock play no part.
    return CronExpressionParser.parse(fields.join(' '), { tz: 'UTC', currentDate: 0 }).fields[field].values.map(Number);
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^(Constraint|Validation) error, /, '');
    throw refused(
      field,
      item,
      reason.startsWith('Invalid range') ? 'the range is not within the field' : reason,
      cause,
    );
  }
}

/** More values than a person lists one by one. */
const LONGEST_LIST = 7;

/** Says how a range that runs over the end of its field is written. @throws HF_SCHEDULE_INVALID */
function refuseBackwards(field: FieldName, item: string, first: number): void {
  const [, from = '', to, step = '1'] = ITEM.exec(item) ?? [];
  const length = LENGTH[field];
  const names = NAMES[field] ?? [];
  const place = (text: string) => (names.includes(text) ? names.indexOf(text) : Number(text) - first);
  // In cron 7 is Sunday, too.
  const last = field === 'dayOfWeek' && first === 0 ? length : length - 1;
  const every = Number(step);
  if (to === undefined || !(place(from) > place(to) && place(to) >= 0 && place(from) <= last && every >= 1)) return;
  const [begin, end] = [place(from) % length, place(to)];
  const written = (index: number) => (names.includes(from) ? names[index % length] : (index % length) + first);
  const values = Math.floor(((end - begin + length) % length) / every) + 1;
  const meant =
    values > LONGEST_LIST && every === 1
      ? `${written(begin)}-${written(length - 1)},${written(0)}-${written(end)}`
      : Array.from({ length: values }, (_, index) => written(begin + index * every)).join(',');
  throw refused(field, item, `the range runs backwards; write ${meant}`);
}

function unreadable(field: FieldName, item: string): string {
  if (item === '') return 'a list has an empty place';
  if (item === '?') return '? stands alone, for a day that does not matter';
  const names = NAMES[field];
  if (names !== undefined && /^\p{L}{2,}$/u.test(item) && !/^[A-Z]{3}L$/.test(item)) {
    return `write an English name: ${names.join(', ')}`;
  }
  const before = field === 'dayOfMonth' ? /^L-([0-9]{1,2})$/.exec(item)?.[1] : undefined;
  if (before !== undefined) {
    return `days before the last are not supported; write ${Math.max(30 - Number(before), 1)}`;
  }
  if (item.includes('L')) return 'L goes alone in the day of month, or after a weekday as in FRIL';
  if (item.includes('#')) return '# goes after a weekday, as in MON#1';
  if (item.includes('W')) return 'W goes after a day of the month, as in 15W';
  return 'write figures, names, ranges as 1-5, steps as */15';
}

function refused(field: FieldName | 'year', item: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HF_SCHEDULE_INVALID', `${WORDS[field]} "${item}": ${reason}`, { cause });
}
