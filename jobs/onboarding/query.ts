import { identifier, literal } from '../columns/engine.ts';
import type { Dialect } from './dialect.ts';
import { asDay } from './expressions.ts';
import type { Feature } from './features.ts';
import type { Identity } from './identity.ts';
import type { Label } from './label.ts';
import type { Mapping } from './mapping.ts';
import type { ColumnProfile } from './profile.ts';
import { shown } from './words.ts';

/** What a query is made of. */
export interface QueryPlan {
  /** As SQL names it. */
  readonly table: string;
  readonly identity: Identity;
  readonly mappings: readonly Mapping[];
  readonly features: readonly Feature[];
  readonly label: Label | undefined;
  /** The marketplace of everybody, where no column says it. */
  readonly marketplace: string | undefined;
  /** Whether a customer may have several rows, of which one is taken. */
  readonly distinct: boolean;
  readonly dialect: Dialect;
}

/** Name of the column that says who left, in the rows that a model is trained on. */
export const LABEL_COLUMN = 'holdfast_label';

/** The query of the program: customers who have not left, under the candidate's names. */
export function programQuery(plan: QueryPlan): string {
  const { label } = plan;
  const where =
    label === undefined
      ? []
      : [
          `-- Those who have left cannot be kept. Where ${inComment(label.source.name)} says what happened after the other`,
          '-- columns were measured, everybody was still there: take this line away then.',
          `WHERE (${label.expression}) IS NOT TRUE`,
        ];
  return [...select(plan, []), ...where].join('\n');
}

/** The same of everybody, with the label as 0, 1 or NULL. */
export function trainingQuery(plan: QueryPlan): string {
  const label = plan.label === undefined ? 'NULL' : plan.label.expression;
  return select(plan, [`CAST(CAST(${label} AS INTEGER) AS ${plan.dialect.double}) AS ${LABEL_COLUMN}`]).join('\n');
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
    ...added.map((sql) => ({ sql })),
  ];
  const lines = items.flatMap(({ comment, sql }, index) => [
    ...(comment === undefined ? [] : [`  -- ${comment}`]),
    `  ${sql}${index === items.length - 1 ? '' : ','}`,
  ]);
  const dates = datesOf(plan);
  const from = dates.length === 0 ? rowsOf(plan) : `${rowsOf(plan)} CROSS JOIN as_of`;
  return [...(dates.length === 0 ? [] : asOf(plan, dates)), 'SELECT', ...lines, `FROM ${from}`];
}

/** `CustomerId, 0.97: named like a customer's id`. */
function commentOn({ source, confidence, reason }: Pick<Mapping, 'source' | 'confidence' | 'reason'>): string {
  return `${inComment(source.name)} (${confidence.toFixed(2)}): ${reason}`;
}

const inComment = shown;

/**
 * The day that the file is of: the newest day in it that has come. A file that lies about for a year is read as it
 * was on its own day, and the same file gives the same answer every time.
 */
function asOf({ table, dialect }: QueryPlan, dates: readonly ColumnProfile[]): string[] {
  const days = dates.map((source) => `SELECT ${asDay(source, dialect)} AS holdfast_day FROM ${table}`);
  return [
    '-- Days are counted to the newest day in the file. For a file that is written right before each run, put',
    '-- SELECT current_date AS holdfast_day in its place.',
    'WITH as_of AS (',
    '  SELECT max(holdfast_day) AS holdfast_day',
    `  FROM (${days.join(' UNION ALL ')}) AS days`,
    '  WHERE holdfast_day <= current_date',
    ')',
  ];
}

function datesOf({ mappings, features }: QueryPlan): ColumnProfile[] {
  const dated = [...mappings, ...features].filter((one) => one.dated);
  const activity = mappings.filter(({ column, dated: isDated }) => isDated && column.startsWith('days_since_'));
  const chosen = activity.length > 0 ? activity : dated;
  return [...new Map(chosen.map(({ source }) => [source.name, source])).values()];
}

/** Of the rows of one customer the one with the newest day, or the one that sorts first. */
function rowsOf(plan: QueryPlan): string {
  const { table, identity, distinct, dialect, mappings, features } = plan;
  if (!distinct) return table;
  const id = identifier(identity.source.name);
  const newest = datesOf(plan).map((source) => `${asDay(source, dialect)} DESC NULLS LAST`);
  const others = [...mappings, ...features].map(({ source }) => identifier(source.name));
  const order = [id, ...newest, ...new Set(others)].join(', ');
  return `(SELECT DISTINCT ON (${id}) * FROM ${table} ORDER BY ${order}) AS one_row_each`;
}
