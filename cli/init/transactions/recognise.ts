import { identifier } from '../../../base/duckdb/engine.ts';
import { meansMissing } from '../../../customers/columns/missing-words.ts';
import { unsuitable } from '../../../customers/training/unsuitable.ts';
import { DUCKDB } from '../dialect.ts';
import { columnNamed } from '../identity.ts';
import { findLabel } from '../label.ts';
import type { ColumnProfile } from '../profile.ts';
import type { Source } from '../source.ts';
import { shown } from '../words.ts';
import type { Kind, Money } from './plan.ts';
import { isSomeId, meaningOf, named, type Played } from './roles.ts';

/** What a person says of a table that may be of transactions. */
export interface RowsHints {
  readonly rows?: 'customers' | 'transactions' | undefined;
  readonly id?: string | undefined;
  readonly label?: string | undefined;
}

/** A table of transactions, and what its columns are. */
export interface Recognised {
  readonly customer: Played;
  readonly day: Played;
  readonly basket: Played | undefined;
  /** Whether ids of baskets are used again on other days. */
  readonly basketOfDay: boolean;
  readonly money: Money | undefined;
  readonly kind: Kind | undefined;
  readonly rowsPerCustomer: number;
  /** How it is known, for people. */
  readonly evidence: readonly string[];
}

/** An id by its values: how many rows, and different days, each has. */
interface Structure {
  readonly column: Played;
  readonly rowsPerValue: number;
  readonly daysPerValue: number;
}

const TOLERATED = 1.01;
/** Rows for each customer from which nobody thinks of customers who are there twice by mistake. */
const CLEARLY_SEVERAL = 1.2;
/** Different days for each value from which it is not the id of one purchase. */
const SEVERAL_DAYS = 1.05;
const FEW_DAYS = 60;
const MOST_IDS = 8;
/** Rows whose ids are counted. */
const MOST_COUNTED = 2_000_000;

/**
 * Tells whether the rows of a source are transactions rather than customers, by names and by structure.
 * @throws HF_SOURCE_UNSUITABLE where it could be either and nobody said which
 */
export async function recognise(
  source: Source,
  profiles: readonly ColumnProfile[],
  { rows, id, label }: RowsHints,
): Promise<Recognised | undefined> {
  if (rows === 'customers' || (label !== undefined && rows === undefined)) return undefined;
  const sure = rows === 'transactions';
  if (sure && label !== undefined)
    throw unsuitable('--label is of customers: of transactions the label is who buys nothing after the --cut.');
  const [day] = named(profiles, 'day').filter(({ source: { kind } }) => kind === 'date');
  const money = findMoney(profiles);
  const baskets = named(profiles, 'basket').filter(
    ({ source: one }) => one.name !== day?.source.name && isBasketId(one) && !isMoney(money, one),
  );
  if (day === undefined || (money === undefined && baskets.length === 0)) {
    if (!sure) return undefined;
    throw unsuitable(
      day === undefined
        ? 'No column is the day of a purchase: call one of days such as order_date.'
        : 'No column is an amount of money or the id of an invoice: call one such as amount, or invoice_id.',
    );
  }
  const candidates = customersIn(profiles, id, [day, ...baskets]);
  if (candidates.length === 0 && !sure) return undefined;
  const [structures, pairs] = await structuresOf(source, [...candidates, ...baskets].slice(0, MOST_IDS), day);
  const people = structures.filter(({ column }) => candidates.includes(column));
  const customer = chooseCustomer(people, id !== undefined, sure, structures);
  if (customer === undefined) return undefined;
  const several = structures.filter(({ column }) => baskets.includes(column));
  const basket = several.filter(({ column }) => column.source.name !== customer.column.source.name)[0];
  const evidence = evidenceOf(customer, basket, people, day);
  if (!sure) {
    if (customer.rowsPerValue <= TOLERATED) return undefined;
    const doubt = doubtOf(profiles, customer, basket, pairs);
    if (doubt !== undefined)
      throw unsuitable(
        `The rows could be transactions or customers: ${evidence[0]}, but ${doubt}. Say which with --rows transactions or --rows customers.`,
      );
  }
  return {
    customer: customer.column,
    day,
    basket: basket?.column,
    basketOfDay: basket !== undefined && basket.daysPerValue >= SEVERAL_DAYS,
    money,
    kind: findKind(profiles),
    rowsPerCustomer: customer.rowsPerValue,
    evidence,
  };
}

/** More different values than a flag or a number of pieces has. */
function isBasketId({ kind, whole, distinct, rows }: ColumnProfile): boolean {
  const isId = kind === 'text' || (kind === 'number' && whole);
  return isId && distinct > Math.min(FEW_BASKETS, rows / 10);
}

const FEW_BASKETS = 30;

function isMoney(money: Money | undefined, { name }: ColumnProfile): boolean {
  return money?.columns.some(({ source }) => source.name === name) === true;
}

function findMoney(profiles: readonly ColumnProfile[]): Money | undefined {
  const numbers = (role: 'amount' | 'unitPrice') =>
    named(profiles, role).filter(({ source }) => source.kind === 'number');
  const isVaried = ({ source: { distinct } }: Played) => distinct > 1;
  // One price for everything is an amount; nothing but 0 is none.
  const isFlat = ({ source: { distinct, minimum } }: Played) => distinct === 1 && minimum !== 0;
  const [amounts, prices] = [numbers('amount'), numbers('unitPrice')];
  const varied = amounts.find(isVaried) ?? prices.find(isVaried);
  const money = varied ?? prices.find(isFlat) ?? amounts.find(isFlat);
  if (money === undefined) return undefined;
  const [quantity] = named(profiles, 'quantity').filter(({ source: { kind } }) => kind === 'number');
  const isPrice = money.role === 'unitPrice' && quantity !== undefined;
  return { columns: isPrice ? [quantity, money] : [money], ofBasket: false };
}

/** Columns that may say who a customer is: by name first, else any id that is not that of a thing or a purchase. */
function customersIn(profiles: readonly ColumnProfile[], id: string | undefined, others: readonly Played[]): Played[] {
  if (id !== undefined) {
    return [{ role: 'customer', source: columnNamed(profiles, id, '--id'), confidence: 1, reason: 'given by --id' }];
  }
  const taken = new Set(others.map(({ source }) => source.name));
  const byName = named(profiles, 'customer').filter(({ source: { kind } }) => kind !== 'date' && kind !== 'boolean');
  if (byName.length > 0) return byName;
  return profiles
    .filter((source) => isSomeId(source) && !taken.has(source.name))
    .map((source) => ({ role: 'customer', source, confidence: 0.5, reason: 'the only id with several days' }));
}

/** Counts, of the whole source or of a part of the ids, rows and days; and whether each has a day once at most. */
async function structuresOf(
  source: Source,
  columns: readonly Played[],
  day: Played,
): Promise<[Structure[], { readonly days: number; readonly once: ReadonlySet<string> }]> {
  const dialect = source.written?.dialect ?? DUCKDB;
  const [all = 0] = await source.count(['count(*)']);
  const parts = Math.max(1, Math.ceil(all / MOST_COUNTED));
  const text = (name: string) => `trim(CAST(${identifier(name)} AS VARCHAR))`;
  // What is before the time, however days are written.
  const dayText = `split_part(split_part(${text(day.source.name)}, ' ', 1), 'T', 1)`;
  const figures = columns.flatMap(({ source: { name } }) => {
    const id = text(name);
    const isValue = `NOT ${meansMissing(id)}`;
    const where = parts === 1 ? isValue : `${isValue} AND ${dialect.inPart(id, parts)}`;
    return [
      `count(*) FILTER (WHERE ${where})`,
      `count(DISTINCT CASE WHEN ${where} THEN ${id} END)`,
      `count(DISTINCT CASE WHEN ${where} THEN ${id} || ' ' || ${dayText} END)`,
    ];
  });
  const counted = await source.count([...figures, `count(DISTINCT ${dayText})`]);
  const once = new Set<string>();
  const structures = columns.flatMap((column, index): Structure[] => {
    const [filled = 0, values = 0, pairs = 0] = counted.slice(3 * index, 3 * index + 3);
    if (filled === pairs) once.add(column.source.name);
    return values === 0 ? [] : [{ column, rowsPerValue: filled / values, daysPerValue: pairs / values }];
  });
  return [structures, { days: counted.at(-1) ?? 0, once }];
}

function chooseCustomer(
  people: readonly Structure[],
  isGiven: boolean,
  sure: boolean,
  all: readonly Structure[],
): Structure | undefined {
  const [first] = people;
  if (isGiven || first === undefined) return first;
  const recurring = people.filter(({ daysPerValue }) => daysPerValue >= SEVERAL_DAYS);
  const best = recurring[0] ?? first;
  if (best.column.confidence > 0.5) return best;
  if (recurring.length === 1) return best;
  if (!sure && recurring.length === 0) return undefined;
  const list = all.map(
    ({ column, daysPerValue }) => `${shown(column.source.name)} has ${daysPerValue.toFixed(1)} days a value`,
  );
  throw unsuitable(
    `The rows are transactions, and no column is named like a customer's id: name it with --id COLUMN (${list.join(', ')}).`,
  );
}

function evidenceOf(
  customer: Structure,
  basket: Structure | undefined,
  people: readonly Structure[],
  day: Played,
): string[] {
  const words = ({ column, rowsPerValue, daysPerValue }: Structure) =>
    `${shown(column.source.name)} has ${rowsPerValue.toFixed(1)} rows and ${daysPerValue.toFixed(1)} different days of ${shown(day.source.name)} a value`;
  const others = [...(basket === undefined ? [] : [basket]), ...people.filter((one) => one !== customer)];
  const why = (one: Structure) =>
    one === basket && one.daysPerValue >= SEVERAL_DAYS
      ? 'so it counts anew each day, and day and number make a basket'
      : "so it is not the customer's";
  return [words(customer), ...others.map((one) => `${words(one)}, ${why(one)}`)];
}

/** Why the rows may be customers all the same. */
function doubtOf(
  profiles: readonly ColumnProfile[],
  { column, rowsPerValue }: Structure,
  basket: Structure | undefined,
  { days, once }: { readonly days: number; readonly once: ReadonlySet<string> },
): string | undefined {
  const label = findLabel(profiles, undefined);
  if (label !== undefined && label.confidence >= 0.8)
    return `${shown(label.source.name)} says who left, as in a table of customers`;
  if (rowsPerValue < CLEARLY_SEVERAL) return 'most customers have one row';
  const isPanel =
    basket === undefined && days > 1 && days <= FEW_DAYS && once.has(column.source.name) && rowsPerValue > days / 2;
  return isPanel
    ? `each has one row on nearly each of only ${days} days, as in a table that is written once a month`
    : undefined;
}

/** The column that says what was cancelled or came back, if its words do. */
function findKind(profiles: readonly ColumnProfile[]): Kind | undefined {
  for (const played of named(profiles, 'kind')) {
    const { kind, values, words, type } = played.source;
    if (kind === 'boolean') {
      const isReturn = /return|refund|retour|r(?:ü|ue)ck|rembours/.test(words);
      if (!isReturn && !/cancel|storn|annul/.test(words)) continue;
      const yes = values.flatMap(({ value }) => (YES.test(value) ? [value] : []));
      const marks = type === 'BOOLEAN' ? ['true'] : yes;
      return { played, undone: isReturn ? [] : marks, returned: isReturn ? marks : [] };
    }
    const means = (what: string) => values.flatMap(({ value }) => (meaningOf(value) === what ? [value] : []));
    const [undone, returned] = [means('undone'), means('returned')];
    if (undone.length + returned.length > 0) return { played, undone, returned };
  }
  return undefined;
}

const YES = /^(?:1|1\.0|t|true|y|yes|j|ja|oui|o)$/i;
