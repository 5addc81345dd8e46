import { HoldfastError } from '../errors.ts';
import { printable, shortened } from '../text/printable.ts';
import { type DayRule, daysOfMonth } from './days.ts';
import { LONGEST_SCHEDULE, type ParsedSchedule, readSchedule } from './parse.ts';
import { openZone, type Zone } from './zone.ts';

/**
 * Instants at which something is due, in a time zone. A wall time has one slot (see `Zone.firstInstant`), but for schedules of
 * every hour (`0 * * * *`, hours that begin with a star), which go on through the hour that clocks show twice. @public
 */
export interface Schedule {
  /** The newest slot at or before an instant; undefined when the years of the schedule begin later. */
  newest(at: Date): Date | undefined;
  /** The first slot after an instant, that instant excluded; undefined when the years of the schedule are over. */
  next(after: Date): Date | undefined;
  /** Slots after `from` up to and including `to`, the earliest first, at most `limit`; those of the first 45 years. */
  between(from: Date, to: Date, limit: number): Date[];
  /** How many slots lie after `from` up to and including `to`: the number of `between`, without a limit or the slots. */
  count(from: Date, to: Date): number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;

/** A 29 February of a given weekday comes back within 40 years, even around 2100. */
const HORIZON_YEARS = 45;

/**
 * Reads five-field cron or AWS `cron(…)` in an IANA time zone.
 * @throws HF_SCHEDULE_INVALID with what is wrong and what was probably meant
 */
export function parseSchedule(text: string, timeZone: string): Schedule {
  const { everyHour, ...rule } = read(text);
  const zone = openZone(timeZone);
  const once = onceEach(rule, zone);
  return everyHour ? throughOverlaps(once, rule, zone) : once;
}

type Rule = Pick<ParsedSchedule, 'days' | 'times'>;

/** Every wall time once: the first time that a clock shows it. */
function onceEach({ days, times }: Rule, zone: Zone): Schedule {
  const slotAt = (midnight: number, index: number) => zone.firstInstant(midnight + (times[index] ?? 0) * MINUTE_MS);

  function next(after: Date): Date | undefined {
    const instant = after.getTime();
    const today = startOfDay(zone.wallTime(instant));
    for (const midnight of walk(days, today - DAY_MS, 1)) {
      const index = firstIndex(times.length, (place) => slotAt(midnight, place) > instant);
      if (index < times.length) return new Date(slotAt(midnight, index));
    }
    return undefined;
  }

  function newest(at: Date): Date | undefined {
    const instant = at.getTime();
    const today = startOfDay(zone.wallTime(instant));
    // When clocks go back, a wall time that is yet to be shown again may already have had its slot.
    for (const midnight of walk(days, today + DAY_MS, -1)) {
      const index = firstIndex(times.length, (place) => slotAt(midnight, place) > instant) - 1;
      if (index >= 0) return new Date(slotAt(midnight, index));
    }
    return undefined;
  }

  function between(from: Date, to: Date, limit: number): Date[] {
    const slots: Date[] = [];
    let last = from.getTime();
    for (const midnight of walk(days, startOfDay(zone.wallTime(last)) - DAY_MS, 1)) {
      for (
        let place = firstIndex(times.length, (index) => slotAt(midnight, index) > last);
        place < times.length;
        place++
      ) {
        const instant = slotAt(midnight, place);
        if (instant > to.getTime() || slots.length >= limit) return slots;
        // Times that a gap skips have one slot, at its end.
        if (instant > last) slots.push(new Date(instant));
        last = instant;
      }
    }
    return slots;
  }

  function count(from: Date, to: Date): number {
    let slots = 0;
    let last = from.getTime();
    for (const midnight of walk(days, startOfDay(zone.wallTime(last)) - DAY_MS, 1)) {
      const first = slotAt(midnight, 0) > last ? 0 : placeAfter(midnight, new Date(last));
      const end = slotAt(midnight, times.length - 1) <= to.getTime() ? times.length : placeAfter(midnight, to);
      if (first < end) {
        const newest = slotAt(midnight, end - 1);
        slots += isPlain(midnight, first, end - 1)
          ? end - first
          : between(new Date(last), new Date(newest), end).length;
        last = newest;
      }
      if (end < times.length) return slots;
    }
    return slots;
  }

  function placeAfter(midnight: number, instant: Date): number {
    return firstIndex(times.length, (place) => slotAt(midnight, place) > instant.getTime());
  }

  /** Whether clocks do not change between two times of a day, so that each of them has a slot of its own. */
  function isPlain(midnight: number, from: number, to: number): boolean {
    const passed = slotAt(midnight, to) - slotAt(midnight, from);
    return passed === ((times[to] ?? 0) - (times[from] ?? 0)) * MINUTE_MS;
  }

  return { newest, next, between, count };
}

/**
 * Also the wall times that a clock shows for the second time. Nothing else is due meanwhile, since each of them has been
 * there before: they stand together between two slots of the others.
 */
function throughOverlaps(once: Schedule, { days, times }: Rule, zone: Zone): Schedule {
  /** Slots after one instant, up to and including another, in order. */
  function repeated(from: number, to: number): Date[] {
    return zone.overlaps(from, to).flatMap(({ start, wallTime, length }) => {
      const end = wallTime + length;
      const found: number[] = [];
      for (let midnight = startOfDay(wallTime); midnight < end; midnight += DAY_MS) {
        if (isDue(days, midnight)) found.push(...times.map((minutes) => midnight + minutes * MINUTE_MS));
      }
      return found
        .filter((shown) => shown >= wallTime && shown < end)
        .map((shown) => start + shown - wallTime)
        .filter((instant) => instant > from && instant <= to)
        .map((instant) => new Date(instant));
    });
  }

  return {
    next(after) {
      const next = once.next(after);
      return repeated(after.getTime(), next?.getTime() ?? after.getTime() + YEAR_MS)[0] ?? next;
    },
    newest(at) {
      const newest = once.newest(at);
      return repeated(newest?.getTime() ?? at.getTime() - YEAR_MS, at.getTime()).at(-1) ?? newest;
    },
    between(from, to, limit) {
      const slots = once.between(from, to, limit);
      const end = slots.length < limit ? to : (slots.at(-1) ?? from);
      return [...slots, ...repeated(from.getTime(), end.getTime())]
        .sort((one, other) => one.getTime() - other.getTime())
        .slice(0, limit);
    },
    count: (from, to) => once.count(from, to) + repeated(from.getTime(), to.getTime()).length,
  };
}

function isDue(days: DayRule, midnight: number): boolean {
  const day = new Date(midnight);
  return daysOfMonth(days, day.getUTCFullYear(), day.getUTCMonth() + 1).includes(day.getUTCDate());
}

function read(text: string) {
  try {
    const parsed = readSchedule(text);
    if (!fires(parsed.days)) {
      throw new HoldfastError('HF_SCHEDULE_INVALID', 'it never fires: no month that it names has such a day');
    }
    return parsed;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const shown = printable(shortened(text, LONGEST_SCHEDULE));
    throw new HoldfastError(error.code, `schedule "${shown}": ${printable(error.message)}`, { cause: error });
  }
}

/** What is wrong with the text of a schedule, whatever its zone, and what was probably meant; undefined when nothing is. */
export function scheduleFault(text: string): string | undefined {
  try {
    read(text);
    return undefined;
  } catch (error) {
    if (error instanceof HoldfastError) return error.message;
    throw error;
  }
}

function fires(days: DayRule): boolean {
  for (const year of days.years ?? Array.from({ length: HORIZON_YEARS }, (_, index) => 2000 + index)) {
    for (const month of days.months) if (daysOfMonth(days, year, month).length > 0) return true;
  }
  return false;
}

/** Midnights, by the clock on the wall, of the days of a rule from one day on, forwards or backwards. */
function* walk(days: DayRule, from: number, step: 1 | -1): Generator<number> {
  const start = new Date(from);
  const isPast = (midnight: number) => (step === 1 ? midnight < from : midnight > from);
  for (const year of yearsFrom(days, start.getUTCFullYear(), step)) {
    for (let count = 0; count < 12; count++) {
      const month = step === 1 ? count + 1 : 12 - count;
      const found = daysOfMonth(days, year, month);
      for (const day of step === 1 ? found : found.toReversed()) {
        const midnight = Date.UTC(year, month - 1, day);
        if (!isPast(midnight)) yield midnight;
      }
    }
  }
}

function yearsFrom(days: DayRule, start: number, step: 1 | -1): number[] {
  if (days.years === undefined) return Array.from({ length: HORIZON_YEARS + 1 }, (_, index) => start + index * step);
  const ahead = [...days.years].filter((year) => (step === 1 ? year >= start : year <= start));
  return ahead.sort((one, other) => (one - other) * step);
}

const startOfDay = (wallTime: number) => Math.floor(wallTime / DAY_MS) * DAY_MS;

/** The first of `length` places for which a condition holds that, once true, stays true; `length` when none does. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
