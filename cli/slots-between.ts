import { HoldfastError } from '../base/errors.ts';
import { rfc3339 } from '../base/instant.ts';
import { parseSchedule } from '../base/schedules/index.ts';
import { openZone } from '../base/schedules/zone.ts';
import { givenInstant } from './given-instant.ts';

const DAY_MS = 86_400_000;

/** More slots than this at once are nobody's wish. */
const MOST = 60;

/**
 * The slots of a schedule from one day or instant to another, both included, the oldest first. A day is that of the
 * schedule's zone.
 * @param max how many there may be, at most 60
 * @throws HF_USAGE, HF_SLOT_REFUSED where there is none, one that is yet to come, or more than `max`
 */
export function slotsBetween(
  { schedule, timeZone }: { readonly schedule: string; readonly timeZone: string },
  { from, to, max }: { readonly from: string; readonly to: string; readonly max: string },
  now: Date,
): readonly Date[] {
  const most = Number(max);
  if (!Number.isInteger(most) || most < 1 || most > MOST) {
    throw new HoldfastError('HF_USAGE', `--max ${max}: give a number from 1 to ${MOST}`);
  }
  const first = firstInstant('--from', from, timeZone);
  const last = lastInstant('--to', to, timeZone);
  if (last < first) throw new HoldfastError('HF_USAGE', `--to ${to} is before --from ${from}`);
  const calendar = parseSchedule(schedule, timeZone);
  const before = new Date(first.getTime() - 1);
  const count = calendar.count(before, last);
  const refuse = (why: string) => new HoldfastError('HF_SLOT_REFUSED', `nothing was made: ${why}`);
  const span = `from ${from} to ${to}`;
  if (count === 0) throw refuse(`${schedule} (${timeZone}) has no slot ${span}`);
  if (count > most) throw refuse(`${schedule} (${timeZone}) has ${count} slots ${span}, and --max is ${most}`);
  const slots = calendar.between(before, last, most);
  const future = slots.find((slot) => slot > now);
  if (future !== undefined) throw refuse(`the slot ${rfc3339(future)} is yet to come`);
  return slots;
}

const A_DAY = "a day of the schedule's zone such as 2026-11-23";

const isDay = (text: string) => !text.includes('T');

function firstInstant(option: string, text: string, timeZone: string): Date {
  const instant = givenInstant(option, text, A_DAY);
  return isDay(text) ? new Date(openZone(timeZone).firstInstant(instant.getTime())) : instant;
}

function lastInstant(option: string, text: string, timeZone: string): Date {
  const instant = givenInstant(option, text, A_DAY);
  return isDay(text) ? new Date(openZone(timeZone).firstInstant(instant.getTime() + DAY_MS) - 1) : instant;
}
