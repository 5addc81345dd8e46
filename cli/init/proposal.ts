import { type Engine, identifier } from '../../base/duckdb/engine.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import { readingFrom } from '../../providers/warehouses/duckdb/failure.ts';
import { isCountryName, MOST_COUNTRIES } from './countries.ts';
import { findDepartures, saysWhoLeft } from './departures.ts';
import { DUCKDB } from './dialect.ts';
import { type Feature, type LeftOut, proposeFeatures } from './features.ts';
import { countTotals, footWords } from './foot.ts';
import { columnNamed, findIdentity, type Identity, TOLERATED_SHARE } from './identity.ts';
import { findLabel, type Label, possibleLabels } from './label.ts';
import { isLeavingDateName, isLeavingDay, leavingDay } from './leaving.ts';
import { type Mapping, proposeMappings } from './mapping.ts';
import { isRefusalName, NAMING_RULES } from './naming-rules.ts';
import { personalIds } from './personal-ids.ts';
import { type ColumnProfile, profileColumns } from './profile.ts';
import { protectedCharacteristic } from './protected.ts';
import {
  asOfDoubts,
  datesOfSource,
  LABEL_COLUMN,
  LEFT_COLUMN,
  leavingCounts,
  type QueryPlan,
  rowsCount,
  summedColumns,
  trainingQuery,
} from './query.ts';
import { CONNECTOR_ID, columnsToLookAt, type Source, sampleRows } from './source.ts';
import { doubtfulWords, type TakenAsMissing, takenAsMissing } from './taken-as-missing.ts';
import type { CountRows } from './text-counts.ts';
import { proposeTransactions, type Transactions } from './transactions/propose.ts';
import { recognise } from './transactions/recognise.ts';
import { transactionWarnings } from './transactions/words.ts';
import { shown, wordsOf } from './words.ts';

/** What a person may say about a file. */
export interface Hints {
  readonly id?: string | undefined;
  /** The column that says who left, or `COLUMN=VALUE`. */
  readonly label?: string | undefined;
  /** Columns of protected characteristics that a model is given all the same. */
  readonly useProtected: readonly string[];
  /** Order of year, month and day, and the decimal mark, where the file cannot tell. */
  readonly dates?: 'ymd' | 'mdy' | 'dmy' | undefined;
  readonly decimal?: 'point' | 'comma' | undefined;
  /** Marketplace of everybody, where no column says it. */
  readonly marketplace: string;
  /** What a row is, where the file could be either; of transactions, where past and future part. */
  readonly rows?: 'customers' | 'transactions' | undefined;
  readonly cut?: string | undefined;
  readonly horizon?: number | undefined;
}

/** What the columns of a source could be. */
export interface Proposal {
  readonly identity: Identity;
  readonly label: Label | undefined;
  readonly mappings: readonly Mapping[];
  readonly features: readonly Feature[];
  readonly leftOut: readonly LeftOut[];
  /** The query over the rows at hand, and as the program has it. */
  readonly plan: QueryPlan;
  readonly written: QueryPlan;
  /** Rows at hand. */
  readonly inSample: number;
  /** Rows that the statistics are of. */
  readonly sampled: number;
  /** Columns that were not looked at, of very many. */
  readonly notLookedAt: number;
  /** What of its columns is not understood, for people. */
  readonly warnings: readonly string[];
  /** What its columns say that counts as missing, of the rows looked at. */
  readonly takenAsMissing: readonly TakenAsMissing[];
  /** How a person could say who left, where no column does for sure. */
  readonly possibleLabels: readonly string[];
  /** Where the rows are transactions. */
  readonly transactions?: Transactions;
}

const SAMPLE = 'holdfast_sample';
/** The rows that a model is trained on, and thresholds are taken from. */
export const PREPARED = 'holdfast_prepared';

/**
 * Looks at a source and proposes what its columns are.
 * @param progress is told the columns done so far
 * @throws HF_SOURCE_UNSUITABLE when it has no column that says who a customer is, HF_WAREHOUSE_UNREADABLE
 */
export async function propose(
  source: Source,
  hints: Hints,
  progress: (done: number, total: number) => void,
): Promise<Proposal> {
  const { engine } = source;
  const wanted = [hints.id, hints.label?.replace(/=.*$/, '')].map((name) => name?.toLowerCase());
  const speaks = (name: string) =>
    wanted.includes(name.toLowerCase()) ||
    saysWhoLeft(wordsOf(name)) ||
    NAMING_RULES.some(({ pattern }) => pattern.test(wordsOf(name)));
  const columns = columnsToLookAt(source.columns, speaks);
  const sampled = await sampleRows(source, columns, SAMPLE);
  const sampledProfiles = await readingFrom(CONNECTOR_ID, 'look at its columns', () =>
    profileColumns(engine, SAMPLE, columns, countRows(source), hints, progress),
  );
  await engine.run(`DROP TABLE ${SAMPLE}`);
  const profiles = await withCountries(source, sampledProfiles);
  const transactions = await recognise(source, profiles, hints);
  const looked = { inSample: source.rows, sampled, notLookedAt: source.columns.length - columns.length };
  if (transactions !== undefined) {
    const { plan, ...found } = await proposeTransactions(source, profiles, transactions, hints, PREPARED);
    return {
      ...found,
      ...looked,
      identity: { ...plan.identity, rows: found.transactions.survey.rows },
      label: plan.label,
      leftOut: [],
      plan,
      written: plan,
      warnings: [
        ...(await personalIds(source, plan.identity.source)),
        ...plan.mappings.flatMap(({ warning }) => warning ?? []),
        ...noCountry(profiles, plan),
        ...transactionWarnings(found.transactions, profiles),
        ...doubtfulWords(profiles),
      ],
      takenAsMissing: takenAsMissing(profiles),
      possibleLabels: [],
    };
  }
  refuseCut(hints);
  const label = findLabel(profiles, hints.label);
  const others = profiles.filter(({ name }) => name !== label?.source.name);
  const identity = await findIdentity((column) => source.countCustomers(column), others, hints.id);
  const read = readAs(profiles, identity, hints, { dialect: DUCKDB, table: source.table });
  const byLeaving = await isLaterThanItsDays(engine, read.plan, profiles);
  const totals = await countTotals(source, identity.source.name);
  const foot = totals === 0 ? [] : summedColumns(read.plan);
  const plan = { ...read.plan, dates: datesOfSource(read.plan, byLeaving), foot };
  const own = source.written && readAs(profiles.map(asItsOwn), identity, hints, source.written).plan;
  const written = own === undefined ? plan : { ...own, dates: datesOfSource(own, byLeaving), foot };
  return {
    identity,
    label,
    mappings: read.plan.mappings,
    features: read.plan.features,
    leftOut: read.leftOut,
    plan,
    written,
    ...looked,
    warnings: [
      ...(await personalIds(source, identity.source)),
      ...(await footWords(source, identity.source.name, totals, {
        all: rowsCount({ ...plan, foot: [] }),
        above: rowsCount(plan),
      })),
      ...(await doubtsOfDay(source, written)),
      ...protectedUsed(read.plan.features),
      ...read.plan.mappings.flatMap(({ warning }) => warning ?? []),
      ...noCountry(profiles, read.plan),
      ...notUnderstood(others, read.plan),
      ...doubtfulWords(others),
    ],
    takenAsMissing: takenAsMissing(profiles),
    possibleLabels: label === undefined ? possibleLabels(others) : [],
  };
}

/** What the program's query says is odd of the day that the source is of. */
async function doubtsOfDay(source: Source, written: QueryPlan): Promise<string[]> {
  const query = asOfDoubts(written);
  if (query === undefined) return [];
  await source.answer(query, 'holdfast_doubts');
  const [row] = await source.engine.rows<{ doubts: string | null }>('SELECT doubts FROM holdfast_doubts');
  return typeof row?.doubts === 'string' ? [row.doubts] : [];
}

/** A cut is of transactions. */
function refuseCut({ cut, horizon }: Hints): void {
  if (cut === undefined && horizon === undefined) return;
  throw unsuitable(
    `--${cut === undefined ? 'horizon' : 'cut'}: the rows look like customers, not like transactions (several rows of a customer, the day ` +
      'of a purchase, an amount or an invoice); if they are, say --rows transactions.',
  );
}

/** Protected characteristics that the model is given, since a person named them. */
function protectedUsed(features: readonly Feature[]): string[] {
  const names = new Set(features.map(({ source }) => source).filter(({ words }) => protectedCharacteristic(words)));
  return [...names].map(
    ({ name, words }) =>
      `the model is given ${shown(name)} (${protectedCharacteristic(words)}), a protected characteristic, by --use-protected.`,
  );
}

/** Everybody is in one marketplace, though a column is named like one: a person has to know. */
function noCountry(profiles: readonly ColumnProfile[], { marketplace, identity }: QueryPlan): string[] {
  if (marketplace === undefined) return [];
  const others = profiles.filter(({ name }) => name !== identity.source.name);
  const unread = others.find(({ words, kind }) => kind !== 'empty' && isCountryName(words));
  return unread === undefined
    ? []
    : [
        `${shown(unread.name)} holds no country that is known: ${marketplace} is taken for everybody. ` +
          'Map it to codes of two letters in the query, or give --marketplace CODE.',
      ];
}

/** Columns named like what leaves people out, whose values say nothing: a person has to know who is not left out. */
function notUnderstood(profiles: readonly ColumnProfile[], { identity, mappings, departures }: QueryPlan): string[] {
  const used = new Set([identity, ...departures].map(({ source }) => source.name));
  const unread = profiles.filter(({ name, kind }) => kind !== 'empty' && !used.has(name));
  const refusal = mappings.some(({ column }) => column === 'opted_out')
    ? undefined
    : unread.find(({ words }) => isRefusalName(words));
  const days = unread.filter(({ words, kind }) => kind !== 'date' && isLeavingDateName(words));
  return [
    ...(refusal === undefined
      ? []
      : [
          `${shown(refusal.name)} is named like a refusal of offers, and does not say Yes and No: whoever refused is offered ` +
            'something. Write it so, or make opted_out of it in the query.',
        ]),
    ...days.map(
      ({ name }) =>
        `${shown(name)} is named like the day on which somebody left, and holds no days that are known: whoever left by it ` +
        'is offered something. Write days like 2026-12-31, or leave these customers out in the query.',
    ),
  ];
}

/** Columns named like countries with every value of the whole source: a rare country must not be missed. */
async function withCountries(source: Source, profiles: readonly ColumnProfile[]): Promise<ColumnProfile[]> {
  const whole: ColumnProfile[] = [];
  for (const profile of profiles) {
    const { name, words, distinct } = profile;
    const isNamed = NAMING_RULES.some(({ reading, pattern }) => reading.as === 'country' && pattern.test(words));
    const looked = isNamed && distinct > 0 && distinct <= MOST_COUNTRIES;
    whole.push(looked ? { ...profile, values: await source.countValues(name, MOST_COUNTRIES + 1) } : profile);
  }
  return whole;
}

/** What a filter reads, or who has left, is not guessed at. */
function refuseOpen(used: readonly { readonly source: ColumnProfile }[]): void {
  const question = used.find(({ source }) => source.convention?.question !== undefined)?.source.convention?.question;
  if (question !== undefined) throw unsuitable(question);
}

/** Counts rows of the whole source by the text of a column. */
export function countRows(source: Source): CountRows {
  const dialect = source.written?.dialect ?? DUCKDB;
  return (questions) =>
    source.count(
      questions.map(({ column, figure }) =>
        figure(`trim(CAST(${identifier(column)} AS VARCHAR))`, (...test) => dialect.matches(...test)),
      ),
    );
}

/** Texts of a warehouse may be of types that are texts only to DuckDB: they are cast. */
function asItsOwn(profile: ColumnProfile): ColumnProfile {
  return profile.type === 'VARCHAR' ? { ...profile, type: 'TEXT' } : profile;
}

/** What the columns are, in one dialect of SQL. */
function readAs(
  profiles: readonly ColumnProfile[],
  identity: Identity,
  hints: Hints,
  { dialect, table }: Pick<QueryPlan, 'dialect' | 'table'>,
): { readonly plan: QueryPlan; readonly leftOut: readonly LeftOut[] } {
  const label = findLabel(profiles, hints.label, dialect);
  const taken = new Set([identity.source.name, ...(label === undefined ? [] : [label.source.name])]);
  const useProtected = hints.useProtected.map((name) => columnNamed(profiles, name, '--use-protected').name);
  const departures = findDepartures(profiles, taken, dialect);
  const mappings = proposeMappings(profiles, taken, identity.source.name, dialect);
  refuseOpen([...mappings, ...departures, ...(label === undefined ? [] : [label])]);
  const { features, leftOut } = proposeFeatures(profiles, mappings, { taken, departures, useProtected }, dialect);
  const found = { mappings, features, label, departures };
  const plan: QueryPlan = {
    ...found,
    table,
    identity,
    dates: datesOfSource(found, false),
    marketplace: mappings.some(({ column }) => column === 'marketplace') ? undefined : hints.marketplace,
    distinct: identity.duplicates > TOLERATED_SHARE * identity.rows,
    dialect,
  };
  return { plan, leftOut };
}

const MOST_ROWS = 50_000;
const MOST_VALUES = 12_000_000;

/**
 * Makes the table `PREPARED` of what the program's query will give, with the label, sampled by customer.
 * @throws HF_WAREHOUSE_UNREADABLE
 */
export async function prepareRows(
  engine: Engine,
  { plan, inSample, transactions }: Pick<Proposal, 'plan' | 'inSample' | 'transactions'>,
): Promise<number> {
  if (transactions !== undefined) return transactions.now;
  const most = Math.max(1000, Math.min(MOST_ROWS, Math.floor(MOST_VALUES / (plan.features.length + 1))));
  const every = Math.max(1, Math.ceil(inSample / most));
  return readingFrom(CONNECTOR_ID, 'run the proposed query', async () => {
    await engine.run(
      `CREATE TEMP TABLE ${PREPARED} AS SELECT * FROM (${trainingQuery(plan)}\n) AS rows_of_query
       WHERE customer_id IS NOT NULL AND hash(customer_id) % ${every} = 0`,
    );
    const [counted] = await engine.rows<{ count: string }>(`SELECT count(*) AS count FROM ${PREPARED}`);
    return Number(counted?.count ?? 0);
  });
}

/** Customers who have not left, among the prepared rows. */
export const STILL_HERE = `coalesce(${LABEL_COLUMN}, 0) = 0 AND NOT ${LEFT_COLUMN}`;

/** Customers who have left, or are about to, as one column says it. */
export interface Departed {
  readonly source: ColumnProfile;
  readonly left: number;
  /** They leave after the day that the source is of. */
  readonly notice: number;
  /** Of those, the ones whose day has come by now. */
  readonly come: number;
}

/** Counts, of the rows at hand, who has left by each column that says so, beside a label that is no day. */
export async function countDeparted(engine: Engine, { plan }: Pick<Proposal, 'plan'>): Promise<Departed[]> {
  const { label, departures, dialect } = plan;
  const columns = label?.dated === true ? [leavingDay(label.source, dialect), ...departures] : departures;
  if (columns.length === 0) return [];
  const [counts] = await readingFrom(CONNECTOR_ID, 'count those who have left', () =>
    engine.rows<Record<string, string>>(leavingCounts(plan, columns)),
  );
  return columns.map(({ source }, index) => {
    const number = (key: string) => Number(counts?.[`${key}_${index}`] ?? 0);
    return { source, left: number('left'), notice: number('notice'), come: number('come') };
  });
}

/**
 * Whether most of the days of leaving that have come are past all other days of the source: then it was written after
 * them, and says nothing of what its customers did in the meantime.
 */
async function isLaterThanItsDays(
  engine: Engine,
  plan: QueryPlan,
  profiles: readonly ColumnProfile[],
): Promise<boolean> {
  const days = profiles.filter(isLeavingDay);
  if (days.length === 0) return false;
  const columns = days.map((day) => leavingDay(day, plan.dialect));
  const [counts = {}] = await readingFrom(CONNECTOR_ID, 'compare its days', () =>
    engine.rows<Record<string, string>>(leavingCounts(plan, columns)),
  );
  return days.some((_, index) => Number(counts[`come_${index}`]) > Number(counts[`left_${index}`]));
}
