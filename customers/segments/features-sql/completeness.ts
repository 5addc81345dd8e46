import type { FeatureSource } from '../features.ts';
import { shareInWords } from '../words.ts';
import { daysBetween, daysLater } from './calendar.ts';
import { type DayCounts, timeOf } from './completeness-sql.ts';

/** One question whether an input is whole. `not-judgeable` where there is too little to tell by. */
export interface CompletenessCheck {
  readonly check: 'freshness' | 'silent-days' | 'volume' | 'missing';
  readonly source: FeatureSource;
  readonly outcome: 'pass' | 'stop' | 'not-judgeable';
  /** Hours, days, a share of the last snapshot's rows, or a share of rows; undefined where it is not judged. */
  readonly value: number | undefined;
  readonly limit: number;
  readonly sentence: string;
}

/** By which inputs are judged. */
export interface CompletenessLimits {
  /** Hours by which events may be late. */
  readonly delayHours: number;
  /** Smallest share of the rows that the last snapshot had in as many days before it. */
  readonly recentShare: number;
  /** Smallest share of all the rows that the last snapshot saw. */
  readonly totalShare: number;
  /** Largest share of missing values of a column, over the recent days. */
  readonly missingShare: number;
  /** The same on any one of these days. */
  readonly missingShareOfDay: number;
  /** Days of which a person knows that nothing happened, such as holidays. */
  readonly quietDays: readonly string[];
}

export const COMPLETENESS_LIMITS: CompletenessLimits = {
  delayHours: 24,
  recentShare: 0.5,
  totalShare: 0.9,
  missingShare: 0.05,
  missingShareOfDay: 0.5,
  quietDays: [],
};

/** How much a snapshot saw of an input, kept for the next one. */
export interface InputVolume {
  /** Rows with a time before the snapshot. */
  readonly total: number;
  /** Those of the recent days. */
  readonly recent: number;
}

/** Days before the snapshot that are looked at one by one: four weeks, so that each weekday is there as often. */
const RECENT_DAYS = 28;
/** Weeks before a day that say what is usual on its weekday. */
const USUAL_WEEKS = 13;
/** Usual rows from which a day without any is no chance: with 10 expected it is one in 20,000 (Poisson). */
const NEVER_NONE = 10;

export function inputVolume(counts: readonly DayCounts[], snapshotDate: string): InputVolume {
  const known = counts.filter(({ day }) => day !== undefined);
  return { total: rowsOf(known), recent: rowsOf(recentOf(known, snapshotDate)) };
}

/**
 * Whether an input can be believed: what is missing in it would look like customers who left.
 * @param counts of the days before the snapshot
 * @param before volume at the last snapshot; undefined at the first one
 */
export function completeness(
  source: FeatureSource,
  counts: readonly DayCounts[],
  snapshotDate: string,
  before: InputVolume | undefined,
  limits: CompletenessLimits = COMPLETENESS_LIMITS,
): CompletenessCheck[] {
  const byDay = new Map(counts.flatMap((count) => (count.day === undefined ? [] : [[count.day, count] as const])));
  const isQuiet = (day: string) => limits.quietDays.includes(day) || usualRows(byDay, day) < NEVER_NONE;
  return [
    // Customers do not come at a rate that says anything about the table.
    ...(source === 'customers'
      ? []
      : [freshness(source, byDay, snapshotDate, isQuiet, limits), silentDays(source, byDay, snapshotDate, isQuiet)]),
    ...volume(source, inputVolume(counts, snapshotDate), before, limits),
    ...missingValues(source, counts, snapshotDate, limits),
  ];
}

function freshness(
  source: FeatureSource,
  byDay: ReadonlyMap<string, DayCounts>,
  snapshotDate: string,
  isQuiet: (day: string) => boolean,
  { delayHours }: CompletenessLimits,
): CompletenessCheck {
  const limit = delayHours;
  const newest = [...byDay.values()].sort((one, other) => one.hoursBefore - other.hoursBefore)[0];
  if (newest?.day === undefined) {
    const sentence = `There are no ${source} before ${snapshotDate}: is the snapshot older than the data?`;
    return { check: 'freshness', source, outcome: 'stop', value: undefined, limit, sentence };
  }
  const passed = daysFrom(daysLater(newest.day, 1), snapshotDate);
  const usual = passed.filter((day) => !isQuiet(day));
  const hours = newest.hoursBefore - 24 * (passed.length - usual.length);
  const age = `The newest of ${source} is of ${newest.day}, ${Math.floor(newest.hoursBefore)} hours before the snapshot`;
  const quiet = passed.length === usual.length ? '' : `, without ${plural(passed.length - usual.length, 'quiet day')}`;
  const isStale = hours > limit;
  const hasTooFew = newest.hoursBefore > limit && usual.length === 0 && usualRows(byDay, newest.day) < NEVER_NONE;
  return {
    check: 'freshness',
    source,
    outcome: hasTooFew ? 'not-judgeable' : isStale ? 'stop' : 'pass',
    value: hours,
    limit,
    sentence: hasTooFew
      ? `${age}: there are too few a day to say whether some are late.`
      : isStale
        ? `${age}${quiet}; they may be ${limit} hours late. Wait until the data is there, or list days on which nothing happened as quiet.`
        : `${age}${quiet}.`,
  };
}

function silentDays(
  source: FeatureSource,
  byDay: ReadonlyMap<string, DayCounts>,
  snapshotDate: string,
  isQuiet: (day: string) => boolean,
): CompletenessCheck {
  const days = daysFrom(daysLater(snapshotDate, -RECENT_DAYS), snapshotDate);
  const silent = days.filter((day) => !byDay.has(day) && !isQuiet(day));
  const canTell = days.some((day) => usualRows(byDay, day) >= NEVER_NONE);
  const fault = `${capital(source)} have no row on ${silent.join(', ')}, where ${NEVER_NONE} or more are usual on such a weekday. Load the days, or list them as quiet if nothing happened.`;
  return {
    check: 'silent-days',
    source,
    outcome: silent.length > 0 ? 'stop' : canTell ? 'pass' : 'not-judgeable',
    value: canTell ? silent.length : undefined,
    limit: 0,
    sentence:
      silent.length > 0
        ? fault
        : canTell
          ? `No day of the last ${RECENT_DAYS} is without ${source} that should have some.`
          : `${capital(source)} are too few a day to say of a day without any that it is a gap.`,
  };
}

function volume(
  source: FeatureSource,
  now: InputVolume,
  before: InputVolume | undefined,
  { recentShare, totalShare }: CompletenessLimits,
): CompletenessCheck[] {
  const parts: [words: string, is: number, was: number | undefined, limit: number][] = [
    ['in all', now.total, before?.total, totalShare],
    ...(source === 'customers'
      ? []
      : [[`in the last ${RECENT_DAYS} days`, now.recent, before?.recent, recentShare] as (typeof parts)[number]]),
  ];
  return parts.map(([words, is, was, limit]) => {
    const rows = `${capital(source)} have ${plural(is, 'row')} ${words}`;
    if (was === undefined || was === 0) {
      const sentence = `${rows}; there is no snapshot before to compare with.`;
      return { check: 'volume', source, outcome: 'not-judgeable', value: undefined, limit, sentence };
    }
    const share = is / was;
    const sentence = `${rows}, ${shareInWords(share)} of the ${was.toLocaleString('en-GB')} at the last snapshot`;
    return share < limit
      ? {
          check: 'volume',
          source,
          outcome: 'stop',
          value: share,
          limit,
          sentence: `${sentence}; under ${shareInWords(limit)} something is likely lost.`,
        }
      : { check: 'volume', source, outcome: 'pass', value: share, limit, sentence: `${sentence}.` };
  });
}

function missingValues(
  source: FeatureSource,
  counts: readonly DayCounts[],
  snapshotDate: string,
  { missingShare, missingShareOfDay }: CompletenessLimits,
): CompletenessCheck[] {
  const time = timeOf(source);
  // Rows without a time could be of any day: all of them count. A customer without a day is one of long ago as well.
  const timeless = counts.filter(({ day }) => day === undefined);
  const considered = source === 'customers' ? [...counts] : recentOf(counts, snapshotDate);
  const columns = [...new Set(counts.flatMap(({ missing }) => Object.keys(missing)))];
  const dated = considered.filter(({ day }) => day !== undefined);
  return [
    judge(time, rowsOf(timeless), rowsOf(dated) + rowsOf(timeless), undefined),
    ...columns.map((column) => {
      const of = ({ missing }: DayCounts) => missing[column] ?? 0;
      // A day of a few rows proves nothing.
      const days = source === 'customers' ? [] : dated.filter(({ rows }) => rows >= NEVER_NONE);
      const worst = days.reduce<DayCounts | undefined>(
        (most, day) => (most === undefined || of(day) / day.rows > of(most) / most.rows ? day : most),
        undefined,
      );
      const missing = considered.reduce((sum, count) => sum + of(count), 0);
      return judge(column, missing, rowsOf(considered), worst && { day: worst.day, share: of(worst) / worst.rows });
    }),
  ];

  function judge(
    column: string,
    missing: number,
    rows: number,
    worst: { readonly day: string | undefined; readonly share: number } | undefined,
  ): CompletenessCheck {
    const what = { check: 'missing', source, limit: missingShare } as const;
    const name = `${source}.${column}`;
    if (rows === 0) {
      return {
        ...what,
        outcome: 'not-judgeable',
        value: undefined,
        sentence: `${name} has no recent rows to judge by.`,
      };
    }
    const share = missing / rows;
    const sentence = `${name} is missing in ${missing.toLocaleString('en-GB')} of ${plural(rows, 'row')}, ${shareInWords(share)}`;
    if (share > missingShare) {
      return {
        ...what,
        outcome: 'stop',
        value: share,
        sentence: `${sentence}; up to ${shareInWords(missingShare)} are let pass.`,
      };
    }
    if (worst !== undefined && worst.share > missingShareOfDay) {
      const ofDay = `of ${worst.day} it is missing in ${shareInWords(worst.share)}, and up to ${shareInWords(missingShareOfDay)} of a day are let pass`;
      return {
        ...what,
        outcome: 'stop',
        value: worst.share,
        limit: missingShareOfDay,
        sentence: `${sentence}; ${ofDay}.`,
      };
    }
    return { ...what, outcome: 'pass', value: share, sentence: `${sentence}.` };
  }
}

/** Median rows of a weekday in the weeks before a day; 0 where the input begins later than half of them. */
function usualRows(byDay: ReadonlyMap<string, DayCounts>, day: string): number {
  const rows = Array.from({ length: USUAL_WEEKS }, (_, week) => byDay.get(daysLater(day, -7 * (week + 1)))?.rows ?? 0);
  return rows.sort((one, other) => one - other)[(USUAL_WEEKS - 1) / 2] as number;
}

function recentOf(counts: readonly DayCounts[], snapshotDate: string): DayCounts[] {
  const first = daysLater(snapshotDate, -RECENT_DAYS);
  return counts.filter(({ day }) => day !== undefined && day >= first);
}

function daysFrom(first: string, before: string): string[] {
  return Array.from({ length: Math.max(daysBetween(first, before), 0) }, (_, day) => daysLater(first, day));
}

const rowsOf = (counts: readonly DayCounts[]): number => counts.reduce((sum, { rows }) => sum + rows, 0);
const plural = (count: number, one: string): string =>
  `${count.toLocaleString('en-GB')} ${one}${count === 1 ? '' : 's'}`;
const capital = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
