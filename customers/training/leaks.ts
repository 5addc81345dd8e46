import { auc } from '../../base/math/auc.ts';

/** Fewest of those who left, and of those who stayed, that a model can be trained on. */
export const LEAST_OF_EACH = 25;
/** Area under the curve from which it is doubted: nobody predicts so well who leaves. */
export const TOO_GOOD = 0.97;
/** A column that tells by itself, or with one of its values, so well who left that it must know. */
const LEAKING = 0.98;
/** Fewest customers of the other outcome that chance would have in a group for its purity to mean anything. */
const LEAST_EXPECTED = 10;
/** Share of those that a pure group may have. */
const MOST_OTHERS = 0.02;
/** Share of the rows from which a value is the usual one. */
const USUAL = 0.5;

/** Numbers that one column of a source became: itself, or one of 0 and 1 for each of its texts; NaN is missing. */
export type ColumnNumbers = readonly Float64Array[];

/** How well a whole column ranks those who left, from 0.5 to 1; whether it is missing counts as well. */
export function strength(numbers: ColumnNumbers, labels: Uint8Array): number {
  const column = whole(numbers, labels);
  const known = column.map((value) => (Number.isNaN(value) ? 0 : 1));
  const present = labels.filter((_, row) => known[row] === 1);
  const values = column.filter((value) => !Number.isNaN(value));
  const areas = [auc(known, labels), ...(present.length < LEAST_OF_EACH ? [] : [auc(values, present)])];
  return Math.max(0.5, ...areas.filter((area) => !Number.isNaN(area)).map((area) => Math.max(area, 1 - area)));
}

/** Why a column must know the answer; undefined where it need not. */
export function leak(numbers: ColumnNumbers, labels: Uint8Array): string | undefined {
  if (strength(numbers, labels) > LEAKING) return 'tells by itself who left: it must be known only afterwards';
  const isFilled = presence(numbers);
  if ([isFilled, not(isFilled)].some((group) => isPure(group, labels, 1) || isPure(group, labels, 0)))
    return 'filled, or missing, for those who left only, or for those who stayed: it must be known only afterwards';
  if (numbers.some((column) => isPure(unusual(column), labels, 1)))
    return 'has a value that only those who left have: it must be known only afterwards';
  return undefined;
}

/** One number for each row: the texts of a column in the order of how many left. */
function whole(numbers: ColumnNumbers, labels: Uint8Array): Float64Array {
  const [first = new Float64Array(0), ...others] = numbers;
  if (others.length === 0) return first;
  const which = first.map((_, row) => numbers.findIndex((column) => column[row] === 1));
  const share = numbers.map(() => ({ left: 0, rows: 0 })).concat({ left: 0, rows: 0 });
  const of = (text: number) => share.at(text) as (typeof share)[number];
  for (const [row, text] of which.entries()) {
    of(text).rows++;
    of(text).left += labels[row] as number;
  }
  return which.map((text) => of(text).left / of(text).rows);
}

/** 1 where the column has a value. */
function presence([first = new Float64Array(0)]: ColumnNumbers): Uint8Array {
  return Uint8Array.from(first, (value) => (Number.isNaN(value) ? 0 : 1));
}

function not(group: Uint8Array): Uint8Array {
  return group.map((value) => 1 - value);
}

/** 1 where a column has another value than its usual one; nowhere if it has no usual one. */
function unusual(column: Float64Array): Uint8Array {
  const rows = new Map<number, number>();
  for (const value of column) rows.set(value, (rows.get(value) ?? 0) + 1);
  const [usual, most] = [...rows].reduce((one, other) => (other[1] > one[1] ? other : one), [Number.NaN, 0]);
  if (most < USUAL * column.length) return new Uint8Array(column.length);
  return Uint8Array.from(column, (value) => (value === usual || Number.isNaN(value) ? 0 : 1));
}

/** Whether a group has one outcome only, where chance would have had several of the other. */
function isPure(group: Uint8Array, labels: Uint8Array, outcome: 0 | 1): boolean {
  let rows = 0;
  let others = 0;
  let allOthers = 0;
  for (const [row, label] of labels.entries()) {
    const other = label === outcome ? 0 : 1;
    allOthers += other;
    if (group[row] !== 1) continue;
    rows++;
    others += other;
  }
  const expected = (rows * allOthers) / Math.max(1, labels.length);
  return expected >= LEAST_EXPECTED && others <= MOST_OTHERS * expected;
}
