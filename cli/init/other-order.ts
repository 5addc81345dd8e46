import { identifier } from '../../base/duckdb/engine.ts';
import { mistakenFor, orderShapes } from './date-order.ts';
import type { Dialect } from './dialect.ts';
import { isText } from './expressions.ts';
import type { ColumnProfile } from './profile.ts';

/** A column of days whose figures could be read in another order. */
export interface Ordered {
  readonly name: string;
  /** Regular expressions of what fits the order that the program was made from, and the other one. */
  readonly own: string;
  readonly other: string;
  /** SQL of the day in each order, where all days have come. */
  readonly days?: { readonly own: string; readonly other: string };
}

/** Rows, and share of the days, that show another order at least because they are yet to come in their own. */
const LEAST_TO_COME = { rows: 3, percent: 1 };

/** @param isPast whether its days are of what has happened, such as the last login */
export function inOtherOrder(source: ColumnProfile, isPast: boolean, dialect: Dialect): Ordered | undefined {
  const { name, kind, dateFormat } = source;
  if (kind !== 'date' || dateFormat === undefined || !isText(source)) return undefined;
  const order = mistakenFor(dateFormat);
  const shapes = orderShapes(dateFormat);
  if (order === undefined || shapes === undefined) return undefined;
  const text = identifier(name);
  const days = { own: dialect.day(text, dateFormat), other: dialect.day(text, { ...dateFormat, order }) };
  return { name: text, ...shapes, ...(isPast ? { days } : {}) };
}

/** Lines of a SELECT of whether the days of a file are written in the other order, as `is_another`. */
export function isAnother(columns: readonly Ordered[], dialect: Dialect): string[] {
  const only = (name: string, yes: string, no: string) =>
    `count(*) FILTER (WHERE ${dialect.matches(name, yes)} AND NOT ${dialect.matches(name, no)})`;
  // Somewhere it is tomorrow already.
  const toCome = (day: string, past: string) =>
    `count(*) FILTER (WHERE ${day} > current_date + 1 AND ${past} <= current_date)`;
  const { rows, percent } = LEAST_TO_COME;
  const forOther = columns.flatMap(({ name, own, other, days }) => {
    if (days === undefined) return [only(name, other, own)];
    const found = toCome(days.own, days.other);
    const isEnough = `${found} >= ${rows} AND ${found} * 100 > count(${name}) * ${percent}`;
    return [only(name, other, own), `CASE WHEN ${isEnough} THEN ${found} ELSE 0 END`];
  });
  const forOwn = columns.flatMap(({ name, own, other, days }) => [
    only(name, own, other),
    ...(days === undefined ? [] : [toCome(days.other, days.own)]),
  ]);
  return [`  SELECT ${forOther.join('\n    + ')}`, `    > ${forOwn.join('\n    + ')} AS is_another`];
}
