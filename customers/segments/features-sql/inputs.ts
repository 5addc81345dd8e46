import { identifier } from '../../../base/duckdb/engine.ts';
import type { FeatureSource } from '../features.ts';
import type { SqlDialect } from './dialect.ts';

/** A query of the manifest, with the columns that the warehouse says it has. */
export interface InputQuery {
  /** One SELECT. */
  readonly query: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/**
 * Inputs of the features. `transactions` has `customer_id`, `at`, `amount`, and may have `invoice` (else every row is one) and
 * `kind`: purchase, refund or chargeback (else a negative amount is a refund). `sessions` and `tickets` have `customer_id`
 * and `at`, `customers` has `customer_id` and `since`.
 */
export type SegmentInputs = Readonly<Record<'transactions', InputQuery>> &
  Readonly<Partial<Record<FeatureSource, InputQuery>>>;

/** What a snapshot is taken of: events of days before its own, in the run's time zone. */
export interface Snapshot {
  /** Its day, such as `2011-04-01`: nothing of this day or later is seen. */
  readonly date: string;
  /** IANA name. An instant belongs to the day that it has there; a time without a zone is of there. */
  readonly timeZone: string;
}

/** The columns that an input needs. */
const NEEDED: Readonly<Record<FeatureSource, readonly string[]>> = {
  transactions: ['customer_id', 'at', 'amount'],
  sessions: ['customer_id', 'at'],
  tickets: ['customer_id', 'at'],
  customers: ['customer_id', 'since'],
};

/** Needed columns that a query does not have. */
export function missingColumns(source: FeatureSource, { columns }: InputQuery): string[] {
  return NEEDED[source].filter((name) => !columns.some((column) => column.name.toLowerCase() === name));
}

/** Types of which a bigint holds every value, as DuckDB and Postgres call them. */
const INTEGERS = /^(u?tinyint|u?smallint|u?integer|bigint|int[248])$/i;

/** Whether the ids of all inputs are whole numbers, which are joined as they are: several times as fast as texts. */
export function hasWholeIds(inputs: readonly InputQuery[]): boolean {
  return inputs.every(({ columns }) =>
    columns.some(({ name, type }) => name.toLowerCase() === 'customer_id' && INTEGERS.test(type)),
  );
}

/**
 * SQL of an input's rows under names of ours, whatever their types: what is no value is NULL.
 * @param wholeIds ids as numbers, where `hasWholeIds`; else as texts by the rule of ids
 */
export function inputRows(
  source: FeatureSource,
  input: InputQuery,
  { timeZone }: Snapshot,
  dialect: SqlDialect,
  wholeIds = false,
): string {
  const column = (name: string) => input.columns.find((one) => one.name.toLowerCase() === name);
  const time = column(source === 'customers' ? 'since' : 'at');
  const id = column('customer_id');
  if (id === undefined || time === undefined || missingColumns(source, input).length > 0) {
    throw new RangeError(`the query of ${source} has no ${missingColumns(source, input).join(' and no ')}`);
  }
  const local = dialect.localTime(identifier(time.name), time.type, timeZone);
  const selected = [
    `${wholeIds ? `CAST(${identifier(id.name)} AS bigint)` : dialect.customerId(identifier(id.name), id.type)} AS customer_id`,
    `CASE WHEN isfinite(${local}) THEN ${local} END AS local_time`,
  ];
  const amount = column('amount');
  if (source === 'transactions' && amount !== undefined) {
    const [kind, invoice] = [column('kind'), column('invoice')];
    const money = dialect.money(identifier(amount.name));
    const bySign = `coalesce(${money} < 0, false)`;
    selected.push(
      `${money} AS amount`,
      `${invoice === undefined ? 'NULL' : `NULLIF(CAST(${identifier(invoice.name)} AS text), '')`} AS invoice`,
      `${kind === undefined ? bySign : isRefund(`CAST(${identifier(kind.name)} AS text)`, bySign)} AS refunded`,
    );
  }
  return `SELECT ${selected.join(', ')}\nFROM (\n${input.query}\n) AS holdfast_input`;
}

/** SQL of whether a kind is a refund; NULL for a word that nobody knows. As most have it the word is found without a change. */
function isRefund(kind: string, bySign: string): string {
  const known = (word: string) =>
    `WHEN ${word} = 'purchase' THEN false WHEN ${word} IN ('refund', 'chargeback') THEN true`;
  return `CASE WHEN ${kind} IS NULL THEN ${bySign} ${known(kind)} ${known(`lower(trim(${kind}))`)} END`;
}
