import type { ColumnProfile } from '../profile.ts';
import { shown } from '../words.ts';
import type { Later } from './out-of-time.ts';
import type { Transactions } from './propose.ts';
import type { Played } from './roles.ts';

/** One customer's share of the rows, and how many times the mean, from which it is no customer. */
const LARGE_SHARE = 0.05;
const TIMES_MEAN = 100;

const percent = (part: number, whole: number) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;

/** What of the rows a person has to know, since it changes what comes out. */
export function transactionWarnings(
  { survey, plan, recognised, checked, cut }: Transactions,
  profiles: readonly ColumnProfile[],
): string[] {
  const { rows, guests, customers, future, withoutDay, withoutAmount, mostRows } = survey;
  const currency = profiles.find(
    ({ words, values }) => /^(?:currency|w(?:ä|ae)hrung|devise)/.test(words) && values.length > 1,
  );
  const misfits = [plan.day, ...(plan.money?.columns ?? [])].filter(({ source }) => source.misfits > 0);
  const ofBasket = plan.money?.ofBasket === true ? plan.money.columns[0] : undefined;
  return [
    ...(guests === 0
      ? []
      : [
          `${guests} of ${rows} rows (${percent(guests, rows)}) have no customer, as of guests: they belong to nobody and are left out.`,
        ]),
    ...(future === 0 ? [] : [`${future} rows are of a day that is yet to come: they are left out until it has.`]),
    ...(withoutDay === 0
      ? []
      : [`${withoutDay} rows have no day: they are left out of everything that is counted by days.`]),
    ...(plan.money === undefined || withoutAmount === 0
      ? []
      : [`${withoutAmount} rows have no amount: they count as no purchase.`]),
    ...(mostRows > LARGE_SHARE * (rows - guests) && mostRows > (TIMES_MEAN * (rows - guests)) / Math.max(1, customers)
      ? [
          `one customer has ${mostRows} of the ${rows - guests} rows that have one: a till, or what stands for guests? Then make ` +
            `${shown(plan.customer.source.name)} empty there.`,
        ]
      : []),
    ...(currency === undefined
      ? []
      : [
          `${shown(currency.name)} has ${currency.values.length} values: amounts of different currencies are added up as they are. ` +
            'Convert them in the query, or leave all but one out.',
        ]),
    ...(ofBasket === undefined
      ? []
      : [`${shown(ofBasket.source.name)} is the same on every line of a basket: it is counted once for each.`]),
    ...twice(plan, survey),
    ...misfits.map(
      ({ source }) =>
        `${source.misfits} of ${source.filled} values looked at in ${shown(source.name)} are not written like the others.`,
    ),
    ...(plan.money === undefined
      ? ['no column is an amount: every row counts as a purchase, refunds too, and no value is known.']
      : []),
    ...(checked
      ? []
      : [
          `purchases are spread unevenly over the ${cut.lookback} days that are looked back on, so the program does not check ` +
            'whether a later file holds new rows only: always give it the whole history.',
        ]),
    ...(recognised.customer.confidence < 0.9
      ? [
          `${shown(plan.customer.source.name)} is taken for the customer: ${recognised.evidence.join('; ')}. Another: --id COLUMN.`,
        ]
      : []),
  ];
}

/** Baskets of one row mostly, of which some are there several times with one amount: a file that was put together twice. */
function twice(
  { basket, money }: Transactions['plan'],
  { severalRows, sameAmount, purchases }: Transactions['survey'],
): string[] {
  const isSuspect =
    basket !== undefined &&
    money?.ofBasket === false &&
    sameAmount > 0 &&
    severalRows < 0.2 * purchases &&
    sameAmount >= 0.9 * severalRows;
  if (!isSuspect) return [];
  return [
    `${sameAmount} of ${shown(basket.source.name)} have several rows of one amount, and most have one row: are rows there twice, as ` +
      'where files overlap? They are added up.',
  ];
}

/** What is said of a model beside its figures on customers of the same time. */
export function modelWords({ cut, atCut }: Transactions, later: Later | undefined): string[] {
  return [
    `Label: of ${atCut.customers} customers who had bought in the ${cut.active} days up to ${cut.cut}, those ${atCut.left} who bought nothing in the ${cut.horizon} days after it. ${capital(cut.reason)}.`,
    later === undefined
      ? 'Rows were held out at random, from the same time: on the customers of a later time it will do worse. The file is too short to measure it there.'
      : `Out of time: the same, trained at ${cut.earlier} and measured at ${cut.cut}, has an area under the curve of ${later.auc.toFixed(3)} (recency alone: ${later.recencyAuc.toFixed(3)}), calibration error ${later.reliability.calibrationError.toFixed(3)}.`,
  ];
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The columns of transactions and what they are taken for, for people. */
export function rolesOf({ plan }: Transactions): { readonly role: string; readonly played: Played }[] {
  const { customer, day, basket, money, kind } = plan;
  return [
    { role: 'customer', played: customer },
    { role: 'day', played: day },
    ...(basket === undefined ? [] : [{ role: 'basket', played: basket }]),
    ...(money?.columns ?? []).map((played) => ({
      role: played.role === 'amount' ? 'amount' : `amount (${played.role})`,
      played,
    })),
    ...(kind === undefined ? [] : [{ role: 'refund', played: kind.played }]),
  ];
}
