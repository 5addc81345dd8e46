import { literal } from '../../base/duckdb/engine.ts';
import { isNumeric } from '../../base/duckdb/number-types.ts';
import type { Dialect } from './dialect.ts';
import { asText, asTruth } from './expressions.ts';
import { isLabelName } from './label.ts';
import {
  GONE,
  GONE_BECAUSE,
  isLeavingDay,
  isLeavingDayName,
  leavingDay,
  saysLeft,
  saysStayed,
  WHOSE,
} from './leaving.ts';
import type { ColumnProfile } from './profile.ts';
import { YES } from './words.ts';

/** A column, beside the label, that says of some customers that they are no longer there. */
export interface Departure {
  readonly source: ColumnProfile;
  /** SQL that is true of those who have left. */
  readonly left: string;
  /** SQL that is true of those who have given notice: they leave on a later day, and are still there. */
  readonly notice?: string;
  /** Whether they read `AS_OF`. */
  readonly dated: boolean;
  /** What it says, for people. */
  readonly reason: string;
}

const STATUS = new RegExp(`^${WHOSE}(?:status|state|lifecycle(?: (?:stage|status))?)$`);
/** Names of a state that may be that of a ticket or of an order, or one of the United States. */
const ANY_STATUS = /^(?:status|state|lifecycle)$/;

/**
 * Columns that say who has left: days of leaving, states, and flags. Whoever has left is no candidate; a day that is
 * still to come is a notice, and its customer is still there.
 * @param taken the label and the id
 */
export function findDepartures(
  profiles: readonly ColumnProfile[],
  taken: ReadonlySet<string>,
  dialect: Dialect,
): Departure[] {
  return profiles.flatMap((source) => (taken.has(source.name) ? [] : (departure(source, dialect) ?? [])));
}

function departure(source: ColumnProfile, dialect: Dialect): Departure | undefined {
  if (isLeavingDay(source)) {
    const reason = 'the day on which somebody left; one after the day that the source is of is a notice';
    return { ...leavingDay(source, dialect), dated: true, reason };
  }
  if (isStatus(source)) {
    const state = `lower(${asText(source)})`;
    const left = `(${state} IN (${GONE.map(literal).join(', ')}) OR ${dialect.matches(state, GONE_BECAUSE)})`;
    return { source, left, dated: false, reason: 'a state of those who have left' };
  }
  const left = isLabelName(source.words) ? flagOfLeaving(source) : undefined;
  return left === undefined ? undefined : { source, left, dated: false, reason: 'says who has left' };
}

/** SQL of a flag. One that is the same in every row of this file is one all the same: the next may have the other value. */
function flagOfLeaving(source: ColumnProfile): string | undefined {
  const { values, type, kind } = source;
  const truth = values.length === 1 || values.length === 2 ? asTruth(source) : undefined;
  const isWord =
    truth !== undefined && values.length === 1 && type !== 'BOOLEAN' && kind !== 'number' && !isNumeric(type);
  return isWord ? `lower(${asText(source)}) IN (${YES.map(literal).join(', ')})` : truth;
}

function isStatus({ words, kind, values }: ColumnProfile): boolean {
  if (!STATUS.test(words) || kind !== 'text' || values.length === 0) return false;
  return !ANY_STATUS.test(words) || values.some(({ value }) => saysStayed(value));
}

/** Whether a column of this name may say who has left. */
export function saysWhoLeft(words: string): boolean {
  return isLabelName(words) || isLeavingDayName(words) || STATUS.test(words);
}

/** Whether what a column holds would tell a model who has left. */
export function tellsWhoLeft({ source }: Departure): boolean {
  return source.kind !== 'text' || source.values.some(({ value }) => saysLeft(value));
}
