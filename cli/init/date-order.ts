import { type Engine, identifier } from '../../base/duckdb/engine.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import type { Convention, Conventions, Written } from './conventions.ts';
import {
  COMPACT,
  COUNTINGS,
  countedFormat,
  type DateFormat,
  type DateOrder,
  example,
  inWords,
  saidOfCounted,
  shapeOfDate,
} from './date-format.ts';
import { DUCKDB } from './dialect.ts';
import { isCountedDayName, isDayName } from './naming-rules.ts';
import type { CountRows, Shape, TextCounts } from './text-counts.ts';
import { shown, wordsOf } from './words.ts';

/** Share of the values that must be days for the column to be taken as such. */
const MOST = 0.95;
/** Times that values must show one order rather than another. */
const CLEARLY = 10;
/** Different days of a month that a column has at least, where what varies more than the year must be the day. */
const MANY_DAYS = 13;

/** A column of days, and what all its rows say about their order. */
interface Candidate {
  readonly counts: TextCounts;
  readonly shortYear: boolean;
  /** Orders that read nearly all values. */
  readonly orders: readonly DateOrder[];
  /** Values that can be read in one order only, and what shows it. */
  readonly evidence: readonly { readonly order: DateOrder; readonly values: number; readonly because: string }[];
  /** Whether the order is beyond doubt without any evidence: four figures of a year come first, or there is none. */
  readonly plain: DateFormat | undefined;
}

/**
 * Decides for each column of text that holds days in which order they are written: by all its rows, else by those of the
 * file's other columns, else by what a person says. Nothing is guessed: what stays open is asked.
 * @throws HF_SOURCE_UNSUITABLE when what a person says is not so
 */
export async function decideDates(
  engine: Engine,
  table: string,
  columns: readonly TextCounts[],
  all: CountRows,
  { dates: given }: Conventions,
): Promise<Map<string, Written<DateFormat>>> {
  const candidates = await withEvidence(columns.flatMap(candidate), all);
  refuseContradiction(candidates, given);
  const decidedElsewhere = candidates.flatMap((one) => {
    const order = one.plain === undefined ? orderOf(one) : undefined;
    return order === undefined ? [] : [{ name: one.counts.name, order }];
  });
  const written = new Map<string, Written<DateFormat>>();
  for (const one of candidates) {
    const { name, filled, separator } = one.counts;
    if (one.plain !== undefined) {
      const { counted, separator: between } = one.plain;
      const fits = one.counts.count(counted ?? (between === '' ? 'compact' : 'ymd'));
      const convention = counted === undefined ? {} : { convention: saidOfCounted(one.plain) };
      written.set(name, { format: one.plain, misfits: filled - fits, ...convention });
      continue;
    }
    const { order, convention } = decide(one, decidedElsewhere, given);
    const format: DateFormat = { order, separator: separator as '-' | '/' | '.', shortYear: one.shortYear };
    const asked =
      convention.question === undefined
        ? convention
        : { ...convention, question: await question(engine, table, one, format) };
    written.set(name, {
      format,
      misfits: filled - one.counts.count(shapeName(order, one.shortYear)),
      convention: asked,
    });
  }
  return written;
}

function candidate(counts: TextCounts): Candidate[] {
  const { filled, separator, name } = counts;
  const isMost = (shape: Shape) => filled > 0 && counts.count(shape) >= MOST * filled;
  const base = { counts, shortYear: false, orders: [], evidence: [] };
  const words = wordsOf(name.slice(0, 400));
  if (isMost('compact') && isDayName(words)) return [{ ...base, plain: COMPACT }];
  const counting = isCountedDayName(words) ? COUNTINGS.find(isMost) : undefined;
  if (counting !== undefined) return [{ ...base, plain: countedFormat(counting) }];
  if (separator !== '-' && separator !== '/' && separator !== '.') return [];
  if (isMost('ymd')) return [{ ...base, plain: { order: 'ymd', separator, shortYear: false } }];
  for (const [shortYear, possible] of [
    [false, ['dmy', 'mdy']],
    [true, ['dmy', 'mdy', 'ymd']],
  ] as const) {
    const orders = possible.filter((order) => isMost(shapeName(order, shortYear)));
    if (orders.length > 0) return [{ ...base, shortYear, orders, plain: undefined }];
  }
  return [];
}

function shapeName(order: DateOrder, shortYear: boolean): Shape {
  if (!shortYear) return order;
  return ({ dmy: 'shortDmy', mdy: 'shortMdy', ymd: 'shortYmd' } as const)[order];
}

const DAY = '(1[3-9]|2[0-9]|3[01])';
const NO_DAY = '(00|3[2-9]|[4-9][0-9])';
const BETWEEN = '[/.-]';

/** All rows are asked for figures that can be no month, or no day. */
async function withEvidence(candidates: readonly Candidate[], all: CountRows): Promise<Candidate[]> {
  const open = candidates.filter(({ plain }) => plain === undefined);
  if (open.length === 0) return [...candidates];
  const patterns = [
    `^${DAY}${BETWEEN}`,
    `^[0-9]{1,2}${BETWEEN}${DAY}${BETWEEN}`,
    `^${NO_DAY}${BETWEEN}`,
    `^[0-9]{1,2}${BETWEEN}[0-9]{1,2}${BETWEEN}${NO_DAY}([ T]|$)`,
  ];
  const different = (pattern: string) => (text: string, matches: (text: string, pattern: string) => string) =>
    `count(DISTINCT CASE WHEN ${matches(text, `^[0-9]{1,2}${BETWEEN}[0-9]{1,2}${BETWEEN}[0-9]{2}([ T]|$)`)} THEN ${pattern.replaceAll('TEXT', text)} END)`;
  const figures = [
    ...patterns.map(
      (pattern) => (text: string, matches: (text: string, pattern: string) => string) =>
        `count(*) FILTER (WHERE ${matches(text, pattern)})`,
    ),
    different("substr(replace(replace(TEXT, '.', '/'), '-', '/'), 1, 2)"),
    different("substr(split_part(replace(replace(TEXT, '.', '/'), '-', '/'), '/', 3), 1, 2)"),
  ];
  const found = await all(
    open.flatMap(({ counts: { name: column } }) => figures.map((figure) => ({ column, figure }))),
  );
  const evidence = new Map(
    open.map((one, index) => {
      const six = found.slice(6 * index, 6 * index + 6) as [number, number, number, number, number, number];
      return [one.counts.name, evidenceOf(one, six)];
    }),
  );
  return candidates.map((one) => ({ ...one, evidence: evidence.get(one.counts.name) ?? [] }));
}

/** @param figures days first, days in the middle, no days first, no days last, different first ones and last ones */
function evidenceOf(
  { shortYear }: Candidate,
  [first, middle, noDayFirst, noDayLast, firsts, lasts]: readonly [number, number, number, number, number, number],
): Candidate['evidence'] {
  const of = (order: DateOrder, values: number, because: string) => ({ order, values, because });
  if (!shortYear) {
    return [
      of('dmy', first, `${first} values begin with a figure above 12`),
      of('mdy', middle, `${middle} values have a figure above 12 in the middle`),
    ].filter(({ values }) => values > 0);
  }
  const yearIsLast = noDayLast > 0 || (firsts >= MANY_DAYS && firsts > 2 * lasts);
  const yearIsFirst = noDayFirst > 0 || (lasts >= MANY_DAYS && lasts > 2 * firsts);
  const why =
    noDayLast > 0 ? `${noDayLast} end with what is no day` : `${firsts} different ones come first, ${lasts} last`;
  const whyFirst =
    noDayFirst > 0 ? `${noDayFirst} begin with what is no day` : `${lasts} different ones come last, ${firsts} first`;
  return [
    of('mdy', middle, `${middle} values have a figure above 12 in the middle`),
    of('ymd', yearIsFirst && !yearIsLast ? Math.max(1, noDayFirst) : 0, `of the figures of two, ${whyFirst}`),
    of('dmy', yearIsLast && !yearIsFirst ? first : 0, `${first} values begin with a figure above 12, and ${why}`),
  ].filter(({ values }) => values > 0);
}

/** What the column's own values say. */
function orderOf({ orders, evidence }: Candidate): DateOrder | undefined {
  const [most, next] = evidence.filter(({ order }) => orders.includes(order)).sort((a, b) => b.values - a.values);
  return most !== undefined && most.values > CLEARLY * (next?.values ?? 0) ? most.order : undefined;
}

function refuseContradiction(candidates: readonly Candidate[], given: DateOrder | undefined): void {
  if (given === undefined) return;
  const open = candidates.filter(({ plain }) => plain === undefined);
  const against = open.find((one) => {
    const order = orderOf(one);
    return order !== undefined && order !== given;
  });
  if (against === undefined || open.some((one) => orderOf(one) === given)) return;
  const [shows] = against.evidence.filter(({ order }) => order === orderOf(against));
  throw unsuitable(
    `--dates ${given}: ${shown(against.counts.name)} is written ${inWords(orderOf(against) as DateOrder)}, since ${shows?.because}.`,
  );
}

function decide(
  one: Candidate,
  elsewhere: readonly { readonly name: string; readonly order: DateOrder }[],
  given: DateOrder | undefined,
): { readonly order: DateOrder; readonly convention: Convention } {
  const { counts, orders, evidence, shortYear } = one;
  const written = (order: DateOrder) =>
    `written like ${example({ order, separator: counts.separator as '/', shortYear })}`;
  const own = orderOf(one) ?? (orders.length === 1 ? orders[0] : undefined);
  if (own !== undefined) {
    const because = evidence.find(({ order }) => order === own)?.because ?? 'no other order fits';
    return { order: own, convention: { note: `${written(own)}: ${because}`, sureness: 1 } };
  }
  const others = new Set(elsewhere.map(({ order }) => order));
  const [other] = others;
  if (others.size === 1 && other !== undefined && orders.includes(other)) {
    const as = shown(elsewhere[0]?.name ?? '');
    return { order: other, convention: { note: `${written(other)}, as ${as} is`, sureness: 0.9 } };
  }
  if (given !== undefined && orders.includes(given)) {
    return { order: given, convention: { note: `${written(given)}, by --dates ${given}`, sureness: 1 } };
  }
  const order = orders.includes('dmy') ? 'dmy' : (orders[0] as DateOrder);
  // A point between four-figure years and the rest is not used with the month first.
  if (counts.separator === '.' && !shortYear && given === undefined && order === 'dmy') {
    return {
      order,
      convention: {
        note: `${written(order)} is assumed, as days with points mostly are; --dates mdy if not`,
        sureness: 0.5,
      },
    };
  }
  return { order, convention: { note: 'assumed', sureness: 0.5, question: 'asked' } };
}

/** What a person is asked, with what each order would mean. */
async function question(
  engine: Engine,
  table: string,
  { counts: { name }, orders }: Candidate,
  format: DateFormat,
): Promise<string> {
  const text = `trim(${identifier(name)})`;
  const days = orders.map((order) => DUCKDB.day(text, { ...format, order }));
  const medians = days.map((day) => `CAST(date_diff('day', median(${day})::DATE, max(${day})) AS INTEGER)`);
  const [found] = await engine.rows<Record<string, number | null>>(
    `SELECT ${medians.map((sql, index) => `${sql} AS m${index}`).join(', ')} FROM ${identifier(table)}`,
  );
  const readings = orders.map(
    (order, index) =>
      `${inWords(order)} (${example({ ...format, order })}) half of its days are ${found?.[`m${index}`] ?? 0} or more before the newest`,
  );
  return (
    `It cannot be told in which order ${shown(name)} is written: every value fits. Read ${readings.join('; read ')}. ` +
    `Say which with --dates ${orders.join(' or --dates ')}.`
  );
}

/** Other orders that figures of the same shape can be read in. */
export function mistakenFor({ order, shortYear, separator }: DateFormat): DateOrder | undefined {
  if (separator === '' || (order === 'ymd' && !shortYear)) return undefined;
  return order === 'dmy' ? 'mdy' : 'dmy';
}

/** Regular expressions of what fits a format and what fits the one that it is mistaken for. */
export function orderShapes(format: DateFormat): { readonly own: string; readonly other: string } | undefined {
  const order = mistakenFor(format);
  return order === undefined ? undefined : { own: shapeOfDate(format), other: shapeOfDate({ ...format, order }) };
}
