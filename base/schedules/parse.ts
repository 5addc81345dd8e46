import { HoldfastError } from '../errors.ts';
import type { DayRule } from './days.ts';
import { monthDays, numbers, weekdays, years } from './fields.ts';
import { aws, secondsOfQuartz, whatIsMeant } from './meant.ts';

/** A schedule as read, without its zone. */
export interface ParsedSchedule {
  readonly days: DayRule;
  /** Times of a day, in minutes after midnight by the clock on the wall, in order. */
  readonly times: readonly number[];
  /** Whether any hour will do, as in `0 * * * *`: it goes on while clocks show an hour for the second time. */
  readonly everyHour: boolean;
}

/** Longest schedule that is read, in UTF-16 code units. */
export const LONGEST_SCHEDULE = 128;

/** One field of a schedule: figures, names and the signs of either dialect. */
const FIELD = '[0-9A-Za-z*,/#?-]+';

/** The form of a schedule: five fields, or `cron(…)` around six. */
export const SCHEDULE_PATTERN = `^(cron\\( *${FIELD}( +${FIELD}){5} *\\)|${FIELD}( +${FIELD}){4})$`;
const FORM = new RegExp(SCHEDULE_PATTERN);

/**
 * Reads five-field cron (POSIX, with the names, steps and either-or of days of Vixie cron, and `#` and `L` of
 * Quartz) or AWS `cron(minute hour day-of-month month day-of-week year)`.
 * @throws HF_SCHEDULE_INVALID with the field, what is wrong with it and what was probably meant
 */
export function readSchedule(text: string): ParsedSchedule {
  if (text.length > LONGEST_SCHEDULE) {
    throw refused(`it is ${text.length} characters long; at most ${LONGEST_SCHEDULE} are read`);
  }
  if (!FORM.test(text)) throw refused(whatIsMeant(text, reads));
  const inner = /^cron\((.*)\)$/.exec(text)?.[1];
  const fields = (inner ?? text).trim().split(/ +/);
  return inner === undefined ? readCron(fields) : readAws(fields);
}

function reads(text: string): boolean {
  if (!FORM.test(text)) return false;
  try {
    readSchedule(text);
    return true;
  } catch (error) {
    if (error instanceof HoldfastError) return false;
    throw error;
  }
}

function readCron(fields: readonly string[]): ParsedSchedule {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  // In Vixie cron a field that begins with a star restricts with the other; two lists of days are alternatives.
  const both = [dayOfMonth, dayOfWeek].some((field) => /^[*?]/.test(field));
  return {
    times: timesOf(minute, hour),
    everyHour: hour.startsWith('*'),
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
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  const quartz = /^[0-9*]/.test(year) ? undefined : secondsOfQuartz(fields, reads);
  if (quartz !== undefined) throw refused(quartz);
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    const meaning = aws(fields);
    const meant = meaning !== `cron(${fields.join(' ')})` && reads(meaning);
    throw refused(
      `in cron(…) exactly one of day-of-month and day-of-week is ?${meant ? `; probably "${meaning}" is meant` : ''}`,
    );
  }
  return {
    times: timesOf(minute, hour),
    everyHour: hour.startsWith('*'),
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

function refused(reason: string): HoldfastError {
  return new HoldfastError('HF_SCHEDULE_INVALID', reason);
}
