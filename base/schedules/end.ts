import { parseSchedule } from './schedule.ts';

/**
 * Says that the years of a schedule are over, and since when; undefined while there is a slot to come.
 * @throws HF_SCHEDULE_INVALID
 */
export function scheduleEnd(text: string, timeZone: string, now: Date): string | undefined {
  const schedule = parseSchedule(text, timeZone);
  const last = schedule.next(now) === undefined ? schedule.newest(now) : undefined;
  if (last === undefined) return undefined;
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(last);
  return `is over: it fired last on ${day} and never again`;
}
