import { LEAST_OF_EACH } from '../../../customers/training/leaks.ts';
import { unsuitable } from '../../../customers/training/unsuitable.ts';
import { readingFrom } from '../../../providers/warehouses/duckdb/failure.ts';
import { DUCKDB } from '../dialect.ts';
import { asText } from '../expressions.ts';
import type { Feature } from '../features.ts';
import { currencyOfAmounts, type Mapping, proposeMappings } from '../mapping.ts';
import type { CandidateName } from '../naming-rules.ts';
import type { ColumnProfile } from '../profile.ts';
import { LABEL_COLUMN, type QueryPlan } from '../query.ts';
import { CONNECTOR_ID, type Source } from '../source.ts';
import { wordsOf } from '../words.ts';
import { type Figure, figuresOf } from './figures.ts';
import { type Cut, chooseCut } from './horizon.ts';
import { outcomeLabel } from './outcome-label.ts';
import type { TransactionPlan } from './plan.ts';
import { checkQuery, customersAt, customersNow, transactionQuery } from './query.ts';
import type { Recognised } from './recognise.ts';
import { type Survey, survey } from './survey.ts';

/** What a person may say of transactions. */
export interface TransactionHints {
  /** A day like 2026-12-31, and days after it. */
  readonly cut?: string | undefined;
  readonly horizon?: number | undefined;
  readonly marketplace: string;
}

/** Everything that is known of transactions, and the rows that a model is made from. */
export interface Transactions {
  readonly recognised: Recognised;
  readonly plan: TransactionPlan;
  readonly survey: Survey;
  readonly cut: Cut;
  /** Customers of the cut whom the model may learn from, and those of them who bought nothing after it. */
  readonly atCut: Outcome;
  /** The same one horizon earlier; undefined where the file does not reach back so far. */
  readonly atEarlier: Outcome | undefined;
  /** Customers as of the newest day, as far as they were looked at. */
  readonly now: number;
  /** Which part of the customers was looked at: one in so many. */
  readonly parts: number;
  /** Whether the program's check of a whole file lets this file pass. */
  readonly checked: boolean;
  readonly label: string;
  /** The query of the program. */
  query(features: readonly string[], trained: boolean): string;
}

export interface Outcome {
  readonly customers: number;
  readonly left: number;
}

/** What `proposeTransactions` finds, in the parts of a proposal. */
export interface TransactionProposal {
  readonly transactions: Transactions;
  readonly mappings: readonly Mapping[];
  readonly features: readonly Feature[];
  readonly plan: QueryPlan;
}

/** Customers of an earlier cut, to measure by. */
export const EARLIER = 'holdfast_earlier';
const MOST_CUSTOMERS = 50_000;
/** Columns of the candidate that are of the customer rather than of a purchase. */
const ATTRIBUTES: readonly string[] = ['marketplace', 'currency', 'timezone', 'locale', 'opted_out'];
/** Share of the baskets of several rows whose rows all have one amount, from which it is that of the basket. */
const NEARLY_ALL = 0.98;
const LEAST_BASKETS = 10;

/**
 * Proposes how transactions become customers, and makes the table `prepared` of customers at the cut, with their label, and
 * as of the newest day.
 * @throws HF_SOURCE_UNSUITABLE where nobody bought, or the file is too short
 */
export async function proposeTransactions(
  source: Source,
  profiles: readonly ColumnProfile[],
  found: Recognised,
  hints: TransactionHints,
  prepared: string,
): Promise<TransactionProposal> {
  const { dialect, table } = source.written ?? { dialect: DUCKDB, table: source.table };
  const first = planOf(profiles, found, hints, { dialect, table });
  const surveyed = await survey(source, first);
  refuseNothing(surveyed);
  const plan = {
    ...first,
    ...(first.money === undefined ? {} : { money: { ...first.money, ofBasket: isOfBasket(first, surveyed) } }),
  };
  const cut = chooseCut(surveyed, hints);
  if (typeof cut === 'string') throw unsuitable(`Too few days: ${cut}.`);
  const parts = Math.max(1, Math.ceil(surveyed.customers / MOST_CUSTOMERS));
  const only = parts === 1 ? undefined : dialect.inPart(asText(plan.customer.source), parts);
  const { engine } = source;
  const count = async (name: string, where: string): Promise<number> => {
    const [row] = await readingFrom(CONNECTOR_ID, 'count customers', () =>
      engine.rows<{ count: string }>(`SELECT count(*) AS count FROM ${name} WHERE ${where}`),
    );
    return Number(row?.count ?? 0);
  };
  const outcome = async (name: string): Promise<Outcome> => ({
    customers: await count(name, `${LABEL_COLUMN} IS NOT NULL`),
    left: await count(name, `${LABEL_COLUMN} = 1`),
  });
  await source.answer(customersAt(plan, cut, cut.cut, only), 'holdfast_at_cut');
  await source.answer(customersNow(plan, cut, surveyed.newest, only), 'holdfast_now');
  await engine.run(
    `CREATE TEMP TABLE ${prepared} AS SELECT * FROM holdfast_at_cut UNION ALL BY NAME SELECT * FROM holdfast_now`,
  );
  if (cut.earlier !== undefined) await source.answer(customersAt(plan, cut, cut.earlier, only), EARLIER);
  const atCut = await outcome('holdfast_at_cut');
  refuseTooFew(atCut, cut, hints);
  const now = await count('holdfast_now', 'true');
  if (now === 0)
    throw unsuitable(`Nobody bought in the ${cut.active} days before ${surveyed.newest}: nobody is left to keep.`);
  const label = outcomeLabel(cut);
  const figures = figuresOf(plan, cut);
  const mappings = mappingsOf(plan, figures);
  const features = figures.filter(({ forModel }) => forModel).map((figure) => featureOf(figure));
  const checked = await passesCheck(source, plan, cut);
  return {
    mappings,
    features,
    plan: asQueryPlan(plan, mappings, features, label),
    transactions: {
      recognised: found,
      plan,
      survey: surveyed,
      cut,
      atCut,
      atEarlier: cut.earlier === undefined ? undefined : await outcome(EARLIER),
      now,
      parts,
      checked,
      label,
      query: (wanted, trained) =>
        transactionQuery(plan, cut, {
          wanted: ({ name, mapped }) => mapped || wanted.includes(name),
          checked,
          trained,
          firstFile: surveyed,
        }),
    },
  };
}

function planOf(
  profiles: readonly ColumnProfile[],
  found: Recognised,
  { marketplace }: TransactionHints,
  { dialect, table }: Pick<TransactionPlan, 'dialect' | 'table'>,
): TransactionPlan {
  const { customer, day, basket, basketOfDay, money, kind, rowsPerCustomer } = found;
  // A row that cannot be read sets its whole customer apart, so that the share that is tolerated is one of customers.
  const ofCustomers = (source: ColumnProfile): ColumnProfile => ({
    ...own(source, dialect),
    rows: Math.ceil(source.rows / rowsPerCustomer),
  });
  const played = <One extends { readonly source: ColumnProfile }>(one: One): One => ({
    ...one,
    source: ofCustomers(one.source),
  });
  for (const { source } of [day, ...(money?.columns ?? [])]) {
    if (source.convention?.question !== undefined) throw unsuitable(source.convention.question);
  }
  const roles = [customer, day, basket, ...(money?.columns ?? []), kind?.played].flatMap(
    (one) => one?.source.name ?? [],
  );
  const others = profiles.filter(({ name }) => !roles.includes(name)).map((source) => own(source, dialect));
  const named = proposeMappings(others, new Set(roles), customer.source.name, dialect).filter(
    ({ column, dated }) => ATTRIBUTES.includes(column) && !dated,
  );
  const attributes = [...named, ...currencyOfAmounts(money?.columns.map(played) ?? [], named, dialect)];
  return {
    table,
    dialect,
    customer: played(customer),
    day: played(day),
    basket: basket && played(basket),
    basketOfDay,
    money: money && { ...money, columns: money.columns.map(played) },
    kind: kind && { ...kind, played: played(kind.played) },
    attributes,
    marketplace: attributes.some(({ column }) => column === 'marketplace') ? undefined : marketplace,
  };
}

/** Texts of a warehouse may be of types that are texts only to DuckDB: they are cast. */
function own(source: ColumnProfile, dialect: TransactionPlan['dialect']): ColumnProfile {
  return dialect !== DUCKDB && source.type === 'VARCHAR' ? { ...source, type: 'TEXT' } : source;
}

function isOfBasket({ money, basket }: TransactionPlan, { severalRows, sameAmount, purchases }: Survey): boolean {
  if (money === undefined || basket === undefined || money.columns.length > 1) return false;
  const saysSo = /total|order|invoice|basket|receipt|bill|rechnung|gesamt|bestell|summe|commande|facture/.test(
    money.columns[0]?.source.words ?? '',
  );
  return (
    saysSo && severalRows >= LEAST_BASKETS && severalRows >= purchases / 100 && sameAmount >= NEARLY_ALL * severalRows
  );
}

function refuseNothing({ rows, guests, purchases, refunds, free, withoutDay, days, first, future }: Survey): void {
  if (guests === rows) throw unsuitable('No row has a customer: all are guests. Name the column with --id COLUMN.');
  if (purchases === 0) {
    throw unsuitable(
      `No row is a purchase that has come: of ${rows} rows ${refunds} are refunds or cancellations, ${free} are for nothing, ` +
        `${guests} have no customer, ${withoutDay} have no day, ${future} are of a day that is yet to come.`,
    );
  }
  if (days === 1) {
    throw unsuitable(
      `All ${purchases} purchases are of one day, ${first}: who comes back can be told of months of purchases only. Export more days.`,
    );
  }
}

/** A person who said which cut is told; a cut that was chosen makes a scorecard. */
function refuseTooFew({ customers, left }: Outcome, { cut, horizon }: Cut, hints: TransactionHints): void {
  if (hints.cut === undefined && hints.horizon === undefined) return;
  if (Math.min(left, customers - left) >= LEAST_OF_EACH) return;
  throw unsuitable(
    `A cut at ${cut} with ${horizon} days after it has ${customers} customers, of whom ${left} did not come back: a model ` +
      `needs ${LEAST_OF_EACH} of each. Give another --cut or --horizon, or neither.`,
  );
}

/** Asks the program's own query whether it takes the file that it is made from. */
async function passesCheck(source: Source, plan: TransactionPlan, cut: Cut): Promise<boolean> {
  await source.answer(checkQuery(plan, cut), 'holdfast_check');
  const [row] = await source.engine.rows<{ reason: string | null }>('SELECT reason FROM holdfast_check');
  return row?.reason === null || row?.reason === undefined;
}

/** What the columns of the candidate are made of, for people and for the filters. */
function mappingsOf({ day, money, basket, attributes }: TransactionPlan, figures: readonly Figure[]): Mapping[] {
  const sourceOf = (name: string) =>
    name === 'lifetime_value' ? (money?.columns[0] ?? day) : name === 'purchase_frequency' ? (basket ?? day) : day;
  const made = figures
    .filter(({ mapped }) => mapped)
    .map(({ name, sql, meaning }): Mapping => {
      const { source, confidence } = sourceOf(name);
      return { column: name as CandidateName, source, expression: sql, confidence, reason: meaning, dated: false };
    });
  return [...attributes, ...made];
}

function featureOf({ name, sql, mapped }: Figure): Feature {
  return { name, expression: sql, source: figureProfile(name), dated: false, mapped };
}

/** A figure as if it were a column. */
function figureProfile(name: string): ColumnProfile {
  return {
    name,
    words: wordsOf(name),
    type: 'DOUBLE',
    kind: 'number',
    rows: 0,
    filled: 0,
    distinct: 0,
    minimum: 0,
    maximum: 0,
    whole: false,
    notFinite: 0,
    misfits: 0,
    values: [],
    personal: 0,
    missingWords: new Map(),
  };
}

/** What the rest of `init` asks of a plan, where the rows are customers already. */
function asQueryPlan(
  { table, dialect, customer, marketplace }: TransactionPlan,
  mappings: readonly Mapping[],
  features: readonly Feature[],
  label: string,
): QueryPlan {
  const { source, confidence, reason } = customer;
  return {
    table,
    dialect,
    identity: { source, expression: 'customer_id', confidence, reason, rows: 0, duplicates: 0, missing: 0 },
    mappings,
    features,
    label: {
      source: figureProfile(label),
      expression: LABEL_COLUMN,
      dated: false,
      confidence: 1,
      reason: 'made of the cut',
    },
    departures: [],
    dates: [],
    marketplace,
    distinct: false,
  };
}
