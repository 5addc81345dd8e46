import { identifier, literal } from '../../../base/duckdb/engine.ts';
import { REJECTED_BECAUSE, WARNED_BECAUSE } from '../../../customers/columns/candidate.ts';
import type { Dialect } from '../dialect.ts';
import { asDay, asNumber, asText, isText, noWordOf } from '../expressions.ts';
import type { Mapping } from '../mapping.ts';
import type { ColumnProfile } from '../profile.ts';
import { LABEL_COLUMN, LEFT_COLUMN } from '../query.ts';
import { type CommonTable, hasFaults, joined, type Reading, readingTables } from '../reading.ts';
import { shown } from '../words.ts';
import { type Figure, figuresOf } from './figures.ts';
import type { Cut } from './horizon.ts';
import type { Kind, Money, TransactionPlan } from './plan.ts';
import { AS_OF_NEWEST, CUSTOMER_ITEM, leastDays } from './query-as-of.ts';
import { GUESTS, type Played } from './roles.ts';

/** A customer's attribute under the name of the candidate's column. */
const attributeName = ({ column }: Mapping) => column;

/** Tables up to `bought`: a row for each row of the source, whose, when and for how much. */
export function boughtTables(plan: TransactionPlan, only?: string): CommonTable[] {
  const { dialect, customer, day, basket, money, kind, attributes } = plan;
  const reading = readingPlan(plan);
  const id = asText(customer.source);
  const words = GUESTS.map(literal).join(', ');
  const amount = money === undefined ? undefined : amountOf(money, dialect);
  const dayText = `CAST(${asDay(day.source, dialect)} AS VARCHAR)`;
  const basketId = basket === undefined ? dayText : asText(basket.source);
  const basketSql = plan.basketOfDay ? `${dayText} || ' ' || ${basketId}` : basketId;
  const undone = kind === undefined ? [] : wordIn(kind.played.source, kind.undone);
  const returned = kind === undefined ? [] : wordIn(kind.played.source, kind.returned);
  const value = [
    ...undone.map((test) => `WHEN ${test} THEN 0`),
    ...returned.map((test) => `WHEN ${test} THEN -abs(${amount})`),
  ];
  const signed =
    amount === undefined ? 'NULL' : value.length === 0 ? amount : `CASE ${value.join(' ')} ELSE ${amount} END`;
  const isPurchase = [
    ...(amount === undefined ? [] : [`coalesce(${amount} > 0, false)`]),
    ...[...undone, ...returned].map((test) => `NOT coalesce(${test}, false)`),
  ];
  const columns = [
    `CASE WHEN lower(${id}) NOT IN (${words}) THEN ${identifier(customer.source.name)} END AS customer`,
    `${asDay(day.source, dialect)} AS day`,
    `${basketSql} AS basket`,
    `${exact(signed)} AS amount`,
    `${isPurchase.length === 0 ? 'true' : isPurchase.join(' AND ')} AS is_purchase`,
    ...attributes.map((one) => `${one.expression} AS ${attributeName(one)}`),
    ...(hasFaults(reading) ? [REJECTED_BECAUSE] : []),
  ];
  const rows: CommonTable = {
    comments: [
      `Each row: whose (${named(customer)}), when (${named(day)}),`,
      basket === undefined
        ? 'of the same day as one purchase,'
        : `in which basket (${named(basket)}${plan.basketOfDay ? ', counted anew each day' : ''}),`,
      ...(money === undefined
        ? ['without an amount: every row is a purchase.']
        : [`for how much (${money.columns.map(named).join(' times ')}).`, ...purchaseComment(kind)]),
      'Rows without a customer, guests say, belong to nobody.',
    ],
    lines: [
      `${money?.ofBasket === true ? 'lines' : 'bought'} AS MATERIALIZED (`,
      '  SELECT',
      ...columns.map((column, index) => `    ${column}${index === columns.length - 1 ? '' : ','}`),
      '  FROM known',
      ...(only === undefined ? [] : [`  WHERE ${only}`]),
      ')',
    ],
  };
  return [...readingTables(reading), rows, ...(money?.ofBasket === true ? [baskets(plan, hasFaults(reading))] : [])];
}

/** Where each line of a basket has the amount of the basket, the basket is counted once. */
function baskets({ attributes }: TransactionPlan, hasReasons: boolean): CommonTable {
  return {
    comments: ['Every line of a basket has the amount of the whole basket: it counts once.'],
    lines: [
      'bought AS MATERIALIZED (',
      `  SELECT customer, day, basket, max(amount) AS amount, bool_or(is_purchase) AS is_purchase${[
        ...attributes.map((one) => `, max(${attributeName(one)}) AS ${attributeName(one)}`),
        ...(hasReasons ? [`, max(${REJECTED_BECAUSE}) AS ${REJECTED_BECAUSE}`] : []),
      ].join('')}`,
      '  FROM lines',
      '  GROUP BY customer, day, basket',
      ')',
    ],
  };
}

function purchaseComment(kind: Kind | undefined): string[] {
  const words = (list: readonly string[]) => list.map((word) => shown(word)).join(', ');
  return [
    'A purchase is a row above 0. One below 0 (a refund, a cancellation) lowers the value and is no purchase.',
    ...(kind === undefined || kind.undone.length === 0
      ? []
      : [`${named(kind.played)} ${words(kind.undone)}: nothing was bought, the row counts for nothing.`]),
    ...(kind === undefined || kind.returned.length === 0
      ? []
      : [`${named(kind.played)} ${words(kind.returned)}: its amount is taken off, whatever its sign.`]),
  ];
}

const named = ({ source }: Played) => shown(source.name);

function wordIn(source: ColumnProfile, words: readonly string[]): string[] {
  if (words.length === 0) return [];
  const list = words.map((word) => literal(word.toLowerCase())).join(', ');
  return [
    `lower(${source.type === 'BOOLEAN' ? `CAST(${identifier(source.name)} AS VARCHAR)` : asText(source)}) IN (${list})`,
  ];
}

function amountOf({ columns }: Money, dialect: Dialect): string {
  const numbers = columns.map(({ source }) => asNumber(source, dialect));
  return numbers.length === 1 ? (numbers[0] as string) : `(${numbers.join(' * ')})`;
}

/** A sum of these is the same in whatever order; of what no till takes nothing is made. */
function exact(amount: string): string {
  return `CAST(CASE WHEN abs(${amount}) < 1e13 THEN ${amount} END AS DECIMAL(18, 4))`;
}

/** How the plan reads its table. */
function readingPlan({ table, dialect, customer, day, basket, money, kind, attributes }: TransactionPlan): Reading {
  const played = [customer, day, basket, ...(money?.columns ?? []), kind?.played].filter((one) => one !== undefined);
  const all = [...played, ...attributes].map(({ source }) => source);
  return {
    table,
    dialect,
    sources: [...new Map(all.map((source) => [source.name, source])).values()],
    ids: [customer.source.name, ...(basket === undefined ? [] : [basket.source.name])],
    past: [day.source.name],
    faults: kind === undefined || !isText(kind.played.source) ? [] : [noWordOf(kind.played.source)],
  };
}

/** Tables that make one row of each customer who bought lately, as of `as_of.holdfast_day`. */
function customerTables(plan: TransactionPlan, { lookback, horizon }: Cut): CommonTable[] {
  const { attributes, dialect } = plan;
  const window = `day <= as_of.holdfast_day AND day > as_of.holdfast_day - ${lookback}`;
  const reasons = hasFaults(readingPlan(plan));
  const sums = [
    `count(DISTINCT basket) FILTER (WHERE is_purchase AND ${window}) AS purchases`,
    `count(DISTINCT basket) FILTER (WHERE is_purchase AND day <= as_of.holdfast_day AND day > as_of.holdfast_day - ${horizon}) AS purchases_lately`,
    ...(plan.money === undefined
      ? []
      : [
          `sum(amount) FILTER (WHERE ${window}) AS spend`,
          'sum(amount) FILTER (WHERE day <= as_of.holdfast_day) AS spend_ever',
        ]),
    'min(day) FILTER (WHERE is_purchase AND day <= as_of.holdfast_day) AS first_ever',
    ...attributes.map((one) => newest(attributeName(one))),
    ...(reasons ? [`max(nullif(${REJECTED_BECAUSE}, '')) AS ${REJECTED_BECAUSE}`] : []),
  ];
  return [
    {
      comments: [`The days on which a customer bought, of the ${lookback} days that are looked back on.`],
      lines: [
        'days_bought AS (',
        '  SELECT customer, day, day - lag(day) OVER (PARTITION BY customer ORDER BY day) AS days_between',
        '  FROM (SELECT DISTINCT customer, day FROM bought CROSS JOIN as_of',
        `    WHERE customer IS NOT NULL AND is_purchase AND ${window}) AS each_day_once`,
        ')',
      ],
    },
    {
      comments: [],
      lines: [
        'rhythm AS (',
        `  SELECT customer, min(day) AS first_day, max(day) AS last_day, avg(CAST(days_between AS ${dialect.double})) AS mean_interval,`,
        '    percentile_cont(0.5) WITHIN GROUP (ORDER BY days_between) AS median_interval',
        '  FROM days_bought GROUP BY customer',
        ')',
      ],
    },
    {
      comments: [],
      lines: [
        'sums AS (',
        '  SELECT customer,',
        ...sums.map((sql, index) => `    ${sql}${index === sums.length - 1 ? '' : ','}`),
        '  FROM bought CROSS JOIN as_of WHERE customer IS NOT NULL GROUP BY customer',
        ')',
      ],
    },
  ];
}

const newest = (name: string) =>
  name === 'opted_out'
    ? 'bool_or(opted_out) AS opted_out'
    : `(array_agg(${name} ORDER BY day DESC, ${name}) FILTER (WHERE ${name} IS NOT NULL AND day <= as_of.holdfast_day))[1] AS ${name}`;

/** Items of the last SELECT, and what each is, for people. */
function items(
  plan: TransactionPlan,
  cut: Cut,
  wanted: (figure: Figure) => boolean,
): { comment?: string; sql: string }[] {
  const { dialect, customer, attributes, marketplace } = plan;
  const figures = figuresOf(plan, cut).filter(wanted);
  const shownFigure = ({ name, sql, meaning }: Figure) => ({
    comment: meaning,
    sql: `CAST(${sql} AS ${dialect.double}) AS ${name}`,
  });
  return [
    {
      comment: `${named(customer)} (${customer.confidence.toFixed(2)}): ${customer.reason}`,
      sql: CUSTOMER_ITEM,
    },
    ...(marketplace === undefined
      ? []
      : [{ comment: 'Assumed: no column says it.', sql: `${literal(marketplace)} AS marketplace` }]),
    ...attributes.map((one) => ({
      comment: `${shown(one.source.name)} (${one.confidence.toFixed(2)}): ${one.reason}; the newest counts`,
      sql: `sums.${attributeName(one)} AS ${attributeName(one)}`,
    })),
    ...figures.map(shownFigure),
  ];
}

const stillCustomer = ({ active }: Cut) => `last_day > as_of.holdfast_day - ${active}`;

/** Purchases of all that have come, beyond the first of the same customer, day, basket and amount. */
export const REPEATED = [
  'SELECT coalesce(sum(times - 1), 0) FROM (SELECT count(*) AS times FROM bought',
  'WHERE customer IS NOT NULL AND is_purchase AND day <= current_date GROUP BY customer, day, basket, amount) AS each_once',
].join(' ');

/** What the file was like that the program was made from. */
export interface FirstFile {
  /** Its first and its newest day of purchases. */
  readonly first: string;
  readonly newest: string;
  readonly purchases: number;
  readonly repeated: number;
}

/** Days by which a first purchase may differ, and the share of the first file's days from which on a window is shorter. */
const SAME_BEGIN = 7;
const SAME_SPAN = 0.95;
/** How much more often rows may be there twice than in the first file: by a part of that, and of all rows. */
const MORE_OFTEN = 1.25;
const MORE_ROWS = 0.002;

/** What is odd of the whole file beside the one that the program was made from, for the run to warn of. */
function fileDoubts({ money }: TransactionPlan, { first, newest, purchases, repeated }: FirstFile): CommonTable {
  const most = (MORE_OFTEN * repeated) / Math.max(1, purchases) + MORE_ROWS;
  const begins = (compared: string) =>
    `'purchases begin on ' || CAST(first_day AS VARCHAR) || ', and on ${first} in the file that the program was made from: ` +
    `lifetime value and tenure are of ${compared} time than there'`;
  const span = `(DATE '${newest}' - DATE '${first}')`;
  const twice =
    "CAST(repeated AS VARCHAR) || ' of ' || CAST(purchases AS VARCHAR) || ' purchases are there twice, with customer, day, " +
    "basket and amount, far more than in the file that the program was made from: where exports overlap they are added up twice'";
  return {
    comments: [
      `The file that the program was made from had purchases from ${first} to ${newest}, ${repeated} of ${purchases} there twice.`,
    ],
    lines: [
      'file_doubts AS (',
      "  SELECT concat_ws('; ',",
      '    CASE',
      `      WHEN first_day < DATE '${first}' - ${SAME_BEGIN} THEN ${begins('a longer')}`,
      `      WHEN first_day > DATE '${first}' + ${SAME_BEGIN} AND newest_day - first_day < ${SAME_SPAN} * ${span} THEN ${begins('a shorter')}`,
      `    END${
        money === undefined || money.ofBasket
          ? ''
          : `,
    CASE WHEN repeated > ${most.toFixed(4)} * purchases THEN ${twice} END`
      }) AS doubts`,
      '  FROM (',
      '    SELECT min(day) AS first_day, max(day) AS newest_day, count(*) AS purchases,',
      `      (${REPEATED}) AS repeated`,
      '    FROM bought WHERE customer IS NOT NULL AND is_purchase AND day <= current_date',
      '  ) AS whole_file',
      ')',
    ],
  };
}

/** What a program's query has beside its plan. */
interface Written {
  readonly wanted: (figure: Figure) => boolean;
  /** Whether a file of new rows only is set apart. */
  readonly checked: boolean;
  /** Whether a model was trained at the cut. */
  readonly trained: boolean;
  readonly firstFile: FirstFile;
}

/** The query of the program: whoever bought lately, as of the newest day of the file. */
export function transactionQuery(
  plan: TransactionPlan,
  cut: Cut,
  { wanted, checked, trained, firstFile }: Written,
): string {
  const reasons = [
    ...(checked ? ['file_check.reason'] : []),
    ...(hasFaults(readingPlan(plan)) ? [`sums.${REJECTED_BECAUSE}`] : []),
  ];
  const all = [
    ...items(plan, cut, wanted),
    ...(reasons.length === 0 ? [] : [{ sql: `concat_ws('; ', ${reasons.join(', ')}) AS ${REJECTED_BECAUSE}` }]),
    { sql: `file_doubts.doubts AS ${WARNED_BECAUSE}` },
  ];
  const orSetApart = hasFaults(readingPlan(plan)) ? ` OR sums.${REJECTED_BECAUSE} IS NOT NULL` : '';
  return [
    ...joined([
      ...boughtTables(plan),
      asOfNewest(cut, trained),
      ...(checked ? [fileCheck(cut)] : []),
      fileDoubts(plan, firstFile),
      ...customerTables(plan, cut),
    ]),
    ...select(all),
    `FROM sums JOIN as_of ON true${checked ? ' JOIN file_check ON true' : ''} JOIN file_doubts ON true LEFT JOIN rhythm ON rhythm.customer = sums.customer`,
    `-- Whoever bought nothing for ${cut.active} days has left long ago, and was not among those that the model learned from.`,
    `WHERE ${stillCustomer(cut)}${orSetApart}`,
  ].join('\n');
}

function asOfNewest({ cut, horizon, reason }: Cut, trained: boolean): CommonTable {
  return {
    comments: [
      'The day that the file is of: its newest purchase that has come.',
      ...(trained
        ? [
            `The model was trained with DATE '${cut}', the cut, in its place, to predict who buys nothing in the ${horizon} days after it:`,
            `${reason}.`,
          ]
        : []),
    ],
    lines: ['as_of AS (', `  ${AS_OF_NEWEST}`, ')'],
  };
}

/** Asks of a file what the program asks of each: a row with a reason, or none. */
export function checkQuery(plan: TransactionPlan, cut: Cut): string {
  return [
    ...joined([...boughtTables(plan), asOfNewest(cut, false), fileCheck(cut)]),
    'SELECT reason FROM file_check',
  ].join('\n');
}

/** Share of what would be there if purchases were spread evenly, below which a part of the file is missing. */
const LEAST_EVEN = 0.1;
/** Days at the end of a file in which there are purchases. */
const LEAST_END = 7;

/** Why nobody's figures can be trusted: the file is of new rows only, or ends in a day that stands alone. */
function fileCheck({ lookback, horizon }: Cut): CommonTable {
  const least = leastDays(lookback);
  const last = Math.max(LEAST_END, Math.round(horizon / 3));
  const isPart = (days: number, of: string) => `${of} < ${((LEAST_EVEN * days) / lookback).toFixed(4)} * looked_back`;
  const alone = (days: number) =>
    `'hardly any purchase in the ${days} days up to ' || CAST(newest AS VARCHAR) || ', its newest: is that day wrong, or the file cut off?'`;
  return {
    comments: [
      'A file of the newest purchases only would make everybody look lost, or new: then all rows are set apart.',
    ],
    lines: [
      'file_check AS (',
      '  SELECT CASE',
      `    WHEN days < ${least} THEN 'only ' || CAST(days AS VARCHAR) || ' days of purchases, where ${lookback} are looked back on: give the whole history, not its newest rows'`,
      `    WHEN looked_back < ${LEAST_EVEN} * purchases * ${lookback} / days THEN ${alone(lookback)}`,
      ...(lookback > horizon
        ? [
            `    WHEN ${isPart(lookback - horizon, 'older')} THEN 'nearly all purchases are of the newest ${horizon} days: give the whole history, not its newest rows'`,
          ]
        : []),
      `    WHEN ${isPart(last, 'at_the_end')} THEN ${alone(last)}`,
      '    END AS reason',
      '  FROM (',
      '    SELECT as_of.holdfast_day AS newest, as_of.holdfast_day - min(day) + 1 AS days, count(*) AS purchases,',
      `      count(*) FILTER (WHERE day > as_of.holdfast_day - ${lookback}) AS looked_back,`,
      `      count(*) FILTER (WHERE day > as_of.holdfast_day - ${lookback} AND day <= as_of.holdfast_day - ${horizon}) AS older,`,
      `      count(*) FILTER (WHERE day > as_of.holdfast_day - ${last}) AS at_the_end`,
      '    FROM bought CROSS JOIN as_of WHERE is_purchase AND day <= as_of.holdfast_day GROUP BY as_of.holdfast_day',
      '  ) AS spread',
      ')',
    ],
  };
}

/** Rows as of a day of the past, with the label of the days after it. */
export function customersAt(plan: TransactionPlan, cut: Cut, day: string, only: string | undefined): string {
  const returned: CommonTable = {
    comments: [],
    lines: [
      'returned AS (',
      '  SELECT DISTINCT customer FROM bought CROSS JOIN as_of',
      `  WHERE customer IS NOT NULL AND is_purchase AND day > as_of.holdfast_day AND day <= as_of.holdfast_day + ${cut.horizon}`,
      ')',
    ],
  };
  const asOf: CommonTable = { comments: [], lines: [`as_of AS (SELECT DATE '${day}' AS holdfast_day)`] };
  return [
    ...joined([...boughtTables(plan, only), asOf, ...customerTables(plan, cut), returned]),
    ...select([
      ...items(plan, cut, () => true),
      { sql: `CASE WHEN returned.customer IS NULL THEN 1 ELSE 0 END AS ${LABEL_COLUMN}` },
      // Those of the past are learned from, not scored.
      { sql: `true AS ${LEFT_COLUMN}` },
    ]),
    'FROM sums JOIN as_of ON true JOIN rhythm ON rhythm.customer = sums.customer',
    '  LEFT JOIN returned ON returned.customer = sums.customer',
    `WHERE ${stillCustomer(cut)}`,
  ].join('\n');
}

/** Rows as of the newest day, as the program will see them. */
export function customersNow(plan: TransactionPlan, cut: Cut, newestDay: string, only: string | undefined): string {
  const asOf: CommonTable = { comments: [], lines: [`as_of AS (SELECT DATE '${newestDay}' AS holdfast_day)`] };
  return [
    ...joined([...boughtTables(plan, only), asOf, ...customerTables(plan, cut)]),
    ...select([
      ...items(plan, cut, () => true),
      { sql: `CAST(NULL AS INTEGER) AS ${LABEL_COLUMN}` },
      { sql: `false AS ${LEFT_COLUMN}` },
    ]),
    'FROM sums JOIN as_of ON true JOIN rhythm ON rhythm.customer = sums.customer',
    `WHERE ${stillCustomer(cut)}`,
  ].join('\n');
}

function select(all: readonly { readonly comment?: string; readonly sql: string }[]): string[] {
  return [
    'SELECT',
    ...all.flatMap(({ comment, sql }, index) => [
      ...(comment === undefined ? [] : [`  -- ${comment}`]),
      `  ${sql}${index === all.length - 1 ? '' : ','}`,
    ]),
  ];
}
