import { HoldfastError } from '../base/errors.ts';
import { EARLIEST_YEAR, isInKnownYears, LATEST_YEAR } from '../base/instant.ts';

const INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** JavaScript takes 30 February for 2 March. */
function isOnCalendar(text: string): boolean {
  const day = text.slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/**
 * The instant, or the date, that an option gives.
 * @param date what a date stands for
 * @throws HF_USAGE
 */
export function givenInstant(option: string, text: string, date = 'a UTC date'): Date {
  const instant = INSTANT.test(text) && isOnCalendar(text) ? new Date(text) : new Date(Number.NaN);
  if (isInKnownYears(instant)) return instant;
  throw new HoldfastError(
    'HF_USAGE',
    `${option} ${text}: give an instant such as 2026-11-23T02:00:00Z, or ${date}, of the years ${EARLIEST_YEAR} to ${LATEST_YEAR}`,
  );
}
