import { identifier, literal } from '../../base/duckdb/engine.ts';
import { REJECTED_BECAUSE, WARNED_BECAUSE } from '../../customers/columns/candidate.ts';
import { asOfTable, DOUBTS } from './as-of.ts';
import type { Departure } from './departures.ts';
import type { Dialect } from './dialect.ts';
import { asDay, isText, noWordOf } from './expressions.ts';
import type { Feature } from './features.ts';
import { ABOVE_FOOT, aboveFoot } from './foot.ts';
import type { Identity } from './identity.ts';
import type { Label } from './label.ts';
import { AS_OF, type Mapping } from './mapping.ts';
import type { OptionalSource } from './optional-source.ts';
import type { ColumnProfile } from './profile.ts';
import { hasFaults, joined, KNOWN, type Reading, readingTables } from './reading.ts';
import { shown } from './words.ts';

/** What a query is made of. */
export interface QueryPlan {
  /** As SQL names it. */
  readonly table: string;
  readonly identity: Identity;
  readonly mappings: readonly Mapping[];
  readonly features: readonly Feature[];
  readonly label: Label | undefined;
  /** Other columns that say who has left. */
  readonly departures: readonly Departure[];
  /** Columns whose newest day is that of the source. */
  readonly dates: readonly ColumnProfile[];
  /** The marketplace of everybody, where no column says it. */
  readonly marketplace: string | undefined;
  /** Whether a customer may have several rows, of which one is taken. */
  readonly distinct: boolean;
  readonly dialect: Dialect;
  /** Columns of numbers, where a row below the customers has their sums. */
  readonly foot?: readonly string[];
  /** Columns that a later source may lack. */
  readonly optional?: readonly OptionalSource[];
}

/** Name of the column that says who left, in the rows that a model is trained on. */
export const LABEL_COLUMN = 'holdfast_label';

/** Name of the column that is true of those who left before, by whatever column says so. */
export const LEFT_COLUMN = 'holdfast_left';

/** The query of the program: customers who have not left, under the candidate's names. */
export function programQuery(plan: QueryPlan): string {
  const { label, departures } = plan;
  const conditions = [
    ...(label === undefined
      ? []
      : [
          {
            comments: [
              `Those who have left cannot be kept. Where ${inComment(label.source.name)} says what happened after the other`,
              'columns were measured, everybody was still there: take this condition away then.',
            ],
            sql: `(${label.expression}) IS NOT TRUE`,
          },
        ]),
    ...departures.map(({ source, left, reason }) => ({
      comments: [`${inComment(source.name)}: ${reason}.`],
      sql: `(${left}) IS NOT TRUE`,
    })),
  ];
  const where = conditions.flatMap(({ comments, sql }, index) => [
    ...comments.map((line) => `-- ${line}`),
    `${index === 0 ? 'WHERE' : '  AND'} ${sql}`,
  ]);
  const doubts = datesOf(plan).length === 0 ? [] : [`as_of.${DOUBTS} AS ${WARNED_BECAUSE}`];
  return [...select(plan, doubts), ...where].join('\n');
}

/** Counts the rows of the program's query, and those of them that a run sets apart, as `total` and `rejected`. */
export function rejectedCounts(plan: QueryPlan): string {
  const written = hasFaults(readingOf(plan)) ? `${REJECTED_BECAUSE} <> ''` : 'false';
  return `SELECT count(*) AS total, count(*) FILTER (WHERE customer_id IS NULL OR ${written}) AS rejected
    FROM (${programQuery(plan)}\n) AS rows_of_query`;
}

/** The same of everybody, with the label as 0, 1 or NULL, and whether they left before. */
export function trainingQuery(plan: QueryPlan): string {
  const label = plan.label === undefined ? 'NULL' : plan.label.expression;
  const left = plan.departures.map((departure) => `(${departure.left})`).join(' OR ');
  return select(plan, [
    `CAST(CAST(${label} AS INTEGER) AS ${plan.dialect.double}) AS ${LABEL_COLUMN}`,
    `coalesce(${left === '' ? 'false' : left}, false) AS ${LEFT_COLUMN}`,
  ]).join('\n');
}

/**
 * Rows of the source whose customer has left, or leaves later, by each column that says so, as `left_0`, `notice_0` and so
 * on; `come_0` are those who leave later than the source is of, on a day that has come by now.
 */
export function leavingCounts(plan: QueryPlan, columns: readonly { left: string; notice?: string }[]): string {
  const counts = columns.flatMap(({ left, notice = 'false' }, index) => [
    `count(*) FILTER (WHERE ${left}) AS left_${index}`,
    `count(*) FILTER (WHERE ${notice}) AS notice_${index}`,
    `count(*) FILTER (WHERE (${notice}) AND NOT (${notice.replaceAll(AS_OF, 'current_date')})) AS come_${index}`,
  ]);
  return [...tablesOf(plan), `SELECT ${counts.join(', ')}`, `FROM ${fromOf(plan)}`].join('\n');
}

function select(plan: QueryPlan, added: readonly string[]): string[] {
  const { identity, mappings, features, marketplace } = plan;
  const items: { comment?: string; sql: string }[] = [
    { comment: commentOn(identity), sql: `${identity.expression} AS customer_id` },
    ...(marketplace === undefined
      ? []
      : [{ comment: 'Assumed: no column says it.', sql: `${literal(marketplace)} AS marketplace` }]),
    ...mappings.map((mapping) => ({
      comment: commentOn(mapping),
      sql: `${mapping.expression} AS ${mapping.column}`,
    })),
    ...features
      .filter(({ mapped }) => !mapped)
      .map(({ name, expression }, index) => ({
        ...(index === 0 ? { comment: 'For the model, and for rules of your own: not columns of the candidate.' } : {}),
        sql: `${expression} AS ${identifier(name)}`,
      })),
    ...(hasFaults(readingOf(plan)) ? [{ sql: REJECTED_BECAUSE }] : []),
    ...added.map((sql) => ({ sql })),
  ];
  const lines = items.flatMap(({ comment, sql }, index) => [
    ...(comment === undefined ? [] : [`  -- ${comment}`]),
    `  ${sql}${index === items.length - 1 ? '' : ','}`,
  ]);
  return [...tablesOf(plan), 'SELECT', ...lines, `FROM ${fromOf(plan)}`];
}

/** The tables that every query of a plan begins with. */
function tablesOf(plan: QueryPlan): string[] {
  const { foot = [] } = plan;
  return joined([
    ...readingTables(readingOf(plan)),
    ...(foot.length === 0 ? [] : [aboveFoot(plan.identity.source.name, foot)]),
    ...(datesOf(plan).length === 0 ? [] : [asOfTable(datesOf(plan), plan.dialect)]),
  ]);
}

function fromOf(plan: QueryPlan): string {
  return datesOf(plan).length === 0 ? rowsOf(plan) : `${rowsOf(plan)} CROSS JOIN as_of`;
}

/** Columns of numbers that a line of sums could be told by. */
export function summedColumns(plan: QueryPlan): string[] {
  const id = plan.identity.source.name;
  return sourcesOf(plan).flatMap(({ name, kind }) => (kind === 'number' && name !== id ? [name] : []));
}

/** Counts the rows that the query is made of, before any is left out for its customer. */
export function rowsCount(plan: QueryPlan): string {
  const rows = (plan.foot ?? []).length === 0 ? KNOWN : ABOVE_FOOT;
  return [...tablesOf(plan), `SELECT count(*) FROM ${rows}`].join('\n');
}

/** Columns that the query reads. */
function sourcesOf({ identity, mappings, features, label, departures, dates }: QueryPlan): ColumnProfile[] {
  const used = [identity, ...mappings, ...features, ...(label === undefined ? [] : [label]), ...departures];
  const all = [...used.map(({ source }) => source), ...dates];
  return [...new Map(all.map((source) => [source.name, source])).values()];
}

/** How the plan reads its table. */
function readingOf(plan: QueryPlan): Reading {
  const { table, dialect, identity, mappings, label } = plan;
  const past = mappings.filter(({ column }) => column.startsWith('days_since_')).map(({ source }) => source.name);
  const noWord = label?.closed === true && isText(label.source) ? [noWordOf(label.source)] : [];
  return {
    table,
    dialect,
    sources: sourcesOf(plan),
    ids: [identity.source.name],
    past,
    optional: plan.optional ?? [],
    faults: [...unlabelled(plan), ...noWord],
  };
}

/** Whether everybody's label was known: then a row without one may be of somebody who has left. */
export function needsLabel(label: Label | undefined): label is Label {
  return label !== undefined && !label.dated && label.source.filled >= label.source.rows;
}

function unlabelled({ label }: QueryPlan): string[] {
  if (!needsLabel(label)) return [];
  const reason = `${shown(label.source.name)} missing, so that nobody knows who left`.replaceAll(';', ',');
  return [`CASE WHEN ${identifier(label.source.name)} IS NULL THEN ${literal(reason)} END`];
}

/** `CustomerId, 0.97: named like a customer's id`. */
function commentOn({ source, confidence, reason }: Pick<Mapping, 'source' | 'confidence' | 'reason'>): string {
  return `${inComment(source.name)} (${confidence.toFixed(2)}): ${reason}`;
}

const inComment = shown;

/** SELECT of what is odd of the day that the source is of, as `doubts`; undefined where its days are not counted to one. */
export function asOfDoubts(plan: QueryPlan): string | undefined {
  return datesOf(plan).length === 0 ? undefined : [...tablesOf(plan), `SELECT ${DOUBTS} FROM as_of`].join('\n');
}

/** Columns whose newest day is that of the source, where the query counts to it. */
export function datesOf({ mappings, features, label, departures, dates }: QueryPlan): readonly ColumnProfile[] {
  const counts = [...mappings, ...features, ...(label === undefined ? [] : [label]), ...departures];
  return counts.some(({ dated }) => dated) ? dates : [];
}

/**
 * Columns whose newest day is taken for that of the source: of activity where there are any, else all. Days of leaving
 * may be still to come: they count only where nothing else does, or `byLeaving`.
 */
export function datesOfSource(
  { mappings, features, label, departures }: Pick<QueryPlan, 'mappings' | 'features' | 'label' | 'departures'>,
  byLeaving: boolean,
): readonly ColumnProfile[] {
  const leaving = [...(label === undefined ? [] : [label]), ...departures].filter(({ dated }) => dated);
  const activity = mappings.filter(({ column, dated }) => dated && column.startsWith('days_since_'));
  const dated = activity.length > 0 ? activity : [...mappings, ...features].filter((one) => one.dated);
  const chosen = dated.length === 0 || byLeaving ? [...dated, ...leaving] : dated;
  return [...new Map(chosen.map(({ source }) => [source.name, source])).values()];
}

/** Of the rows of one customer the one with the newest day, or one that says that they left, or the one that sorts first. */
function rowsOf(plan: QueryPlan): string {
  const { identity, distinct, dialect, mappings, features, label, departures } = plan;
  const rows = (plan.foot ?? []).length === 0 ? KNOWN : ABOVE_FOOT;
  if (!distinct) return rows;
  const id = dialect.customerId(identifier(identity.source.name), identity.source.type);
  const newest = datesOf(plan).map((source) => `${asDay(source, dialect)} DESC NULLS LAST`);
  const others = [...mappings, ...features].map(({ source }) => identifier(source.name));
  const left = [
    ...(label === undefined || label.dated ? [] : [label.expression]),
    ...departures.flatMap((departure) => (departure.dated ? [] : [departure.left])),
  ];
  const order = [id, ...newest, ...left.map((sql) => `(${sql}) IS TRUE DESC`), ...new Set(others)].join(', ');
  return `(SELECT DISTINCT ON (${id}) * FROM ${rows} ORDER BY ${order}) AS one_row_each`;
}
