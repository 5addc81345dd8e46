import { HoldfastError } from '../errors.ts';
import type { DayRule } from './days.ts';
import { monthDays, numbers, weekdays, years } from './fields.ts';

/** A schedule as read, without its zone. */
export interface ParsedSchedule {
  readonly days: DayRule;
  /** Times of a day, in minutes after midnight by the clock on the wall, in order. */
  readonly times: readonly number[];
}

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * SUN',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads five-field cron (POSIX, with the names, steps and either-or of days of Vixie cron, and `#` and `L` of
 * Quartz) or AWS `cron(minute hour day-of-month month day-of-week year)`.
 * @throws HF_SCHEDULE_INVALID with the field, what is wrong with it and what was probably meant
 */
export function readSchedule(text: string): ParsedSchedule {
  const aws = /^cron\((.*)\)$/s.exec(text.trim())?.[1];
  const fields = (aws ?? text).trim().split(/\s+/);
  if (aws !== undefined) return readAws(fields);
  const [first = ''] = fields;
  if (first.startsWith('@')) {
    const meant = MACROS[first.toLowerCase()];
    throw refused(`"${first}" is not supported${meant === undefined ? '' : `; write "${meant}"`}`);
  }
  if (first.startsWith('rate(')) throw refused('rate(…) has no place in the calendar; use cron, such as "0 2 * * MON"');
  if (fields.length !== 5) throw refused(`${count(fields)} where five are needed${fieldHint(fields)}`);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  // In Vixie cron a field that begins with a star restricts with the other; two lists of days are alternatives.
  const both = [dayOfMonth, dayOfWeek].some((field) => /^[*?]/.test(field));
  return {
    times: timesOf(minute, hour),
    days: {
      years: undefined,
      months: new Set(numbers('month', month)),
      monthDays: monthDays(anyFor(dayOfMonth)),
      weekdays: weekdays(anyFor(dayOfWeek), 0),
      combine: both ? 'both' : 'either',
    },
  };
}

function readAws(fields: readonly string[]): ParsedSchedule {
  if (fields.length !== 6) {
    const hint = fields.length === 5 ? '; add the year, or write five-field cron without cron(…)' : '';
    throw refused(
      `${count(fields)} in cron(…) where six are needed: minute hour day-of-month month day-of-week year${hint}`,
    );
  }
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    const meant =
      dayOfWeek === '*' || dayOfMonth === '?'
        ? `${dayOfMonth === '?' ? '*' : dayOfMonth} ${month} ?`
        : `? ${month} ${dayOfWeek}`;
    const meaning = `cron(${minute} ${hour} ${meant} ${year})`;
    throw refused(`in cron(…) exactly one of day-of-month and day-of-week is ?; probably "${meaning}" is meant`);
  }
  return {
    times: timesOf(minute, hour),
    days: {
      years: years(year),
      months: new Set(numbers('month', month)),
      monthDays: monthDays(anyFor(dayOfMonth)),
      weekdays: weekdays(anyFor(dayOfWeek), 1),
      combine: 'both',
    },
  };
}

const anyFor = (field: string) => (field === '?' ? '*' : field);

function timesOf(minute: string, hour: string): number[] {
  const minutes = numbers('minute', minute);
  return numbers('hour', hour).flatMap((each) => minutes.map((after) => each * 60 + after));
}

function count(fields: readonly string[]): string {
  const filled = fields.filter((field) => field !== '').length;
  return filled === 1 ? 'one field' : `${filled === 0 ? 'no' : filled} fields`;
}

function fieldHint(fields: readonly string[]): string {
  const example = ': minute hour day-of-month month day-of-week, such as "0 2 * * MON"';
  if (fields.length !== 6) return example;
  if (fields.includes('?')) return `; an AWS schedule is written "cron(${fields.join(' ')})"`;
  return `; there are no seconds: probably "${fields.slice(1).join(' ')}" is meant`;
}

function refused(reason: string): HoldfastError {
  return new HoldfastError('HF_SCHEDULE_INVALID', reason);
}
