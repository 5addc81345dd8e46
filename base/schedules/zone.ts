import { HoldfastError } from '../errors.ts';
import { nearest } from '../text/spelling.ts';

const DAY_MS = 86_400_000;

/** A time zone, between instants and wall times. Both are milliseconds; a wall time is the instant that a clock in UTC shows it at. */
export interface Zone {
  /** What a clock in the zone shows at an instant. */
  wallTime(instant: number): number;
  /**
   * The first instant at which a clock in the zone shows a wall time or a later one: the earlier of two in an
   * autumn overlap, the end of a spring gap for a time that is skipped. Never falls as the wall time grows.
   */
  firstInstant(wallTime: number): number;
  /** When clocks go back between two instants, the earliest first: each shows an hour or so for the second time. */
  overlaps(from: number, to: number): readonly Overlap[];
}

/** A time that a clock shows for the second time. */
export interface Overlap {
  /** The instant at which it is set back. */
  readonly start: number;
  /** What it shows then. */
  readonly wallTime: number;
  /** By how much it is set back. */
  readonly length: number;
}

/**
 * A zone of the IANA database, as known to the JavaScript engine.
 * @throws HF_SCHEDULE_INVALID when there is none of that name, spelt so
 */
export function openZone(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = makeZone(name);
  zones.set(name, zone);
  return zone;
}

/** A zone takes some milliseconds to make, and an operator needs the same few for every look at a program. */
const zones = new Map<string, Zone>();

function makeZone(name: string): Zone {
  const format = formatOf(name);
  const canonical = format?.resolvedOptions().timeZone;
  const differsInCase = canonical !== name && canonical?.toLowerCase() === name.toLowerCase();
  if (format === undefined || differsInCase || /^[+-]/.test(name)) {
    const meant = differsInCase ? canonical : nearest(name, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
    const hint = meant === undefined ? 'use one such as UTC or Europe/Berlin' : `did you mean ${meant}?`;
    throw new HoldfastError('HF_SCHEDULE_INVALID', `"${name}" is not an IANA time zone; ${hint}`);
  }
  return canonical === 'UTC' ? UTC : zoneOf(format);
}

const UTC: Zone = { wallTime: (instant) => instant, firstInstant: (wallTime) => wallTime, overlaps: () => [] };

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
}

function zoneOf(format: Intl.DateTimeFormat): Zone {
  function wallTime(instant: number): number {
    const shown: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
    const milliseconds = ((instant % 1000) + 1000) % 1000;
    return Date.UTC(year, month - 1, day, hour, minute, second) + milliseconds;
  }

  function firstInstant(wanted: number): number {
    // No zone is a day or more from UTC, so these lie on either side of the wall time, and of any change near it.
    const before = wanted - DAY_MS;
    const after = wanted + DAY_MS;
    for (const side of [before, after]) {
      const instant = wanted - (wallTime(side) - side);
      if (wallTime(instant) === wanted) return instant;
    }
    return endOfGap(before, after, wanted);
  }

  /** The first instant, to the second, at which the clock has passed a wall time that it never shows. */
  function endOfGap(before: number, after: number, wanted: number): number {
    let [low, high] = [Math.floor(before / 1000), Math.ceil(after / 1000)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (wallTime(middle * 1000) >= wanted) high = middle;
      else low = middle;
    }
    return high * 1000;
  }

  /** Those of a year of UTC, looked for once. */
  const known = new Map<number, readonly Overlap[]>();
  function overlapsOfYear(year: number): readonly Overlap[] {
    const found = known.get(year) ?? [...findOverlaps(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1))];
    known.set(year, found);
    return found;
  }

  function* findOverlaps(from: number, to: number): Generator<Overlap> {
    const offset = (instant: number) => wallTime(instant) - instant;
    for (let day = from; day < to; day += DAY_MS) {
      if (offset(day + DAY_MS) >= offset(day)) continue;
      let [low, high] = [day / 1000, (day + DAY_MS) / 1000];
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (offset(middle * 1000) < offset(day)) high = middle;
        else low = middle;
      }
      const start = high * 1000;
      yield { start, wallTime: wallTime(start), length: offset(day) - offset(start) };
    }
  }

  function overlaps(from: number, to: number): readonly Overlap[] {
    const [first, last] = [from - DAY_MS, to].map((instant) => new Date(instant).getUTCFullYear()) as [number, number];
    return Array.from({ length: last - first + 1 }, (_, index) => overlapsOfYear(first + index))
      .flat()
      .filter(({ start, length }) => start <= to && start + length > from);
  }

  return { wallTime, firstInstant, overlaps };
}
