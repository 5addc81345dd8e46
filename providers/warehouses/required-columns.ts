import { HoldfastError } from '../../base/errors.ts';

interface Named {
  readonly name: string;
}

/**
 * The column of a query that a completion is joined by.
 * @throws HF_COLUMN_MISSING
 */
export function customerColumn<Column extends Named>(columns: readonly Column[], connectorId: string): Column {
  const found = columns.find(({ name }) => name.toLowerCase() === 'customer_id');
  if (found !== undefined) return found;
  throw new HoldfastError('HF_COLUMN_MISSING', `Connector ${connectorId}: the query gives no customer_id.`);
}

/**
 * Columns of a table, in the order in which they are needed.
 * @param columns undefined where there is no such table
 * @throws HF_WAREHOUSE_UNREADABLE, HF_COLUMN_MISSING
 */
export function tableColumns<Column extends Named>(
  columns: readonly Column[] | undefined,
  needed: readonly string[],
  table: string,
  connectorId: string,
): readonly Column[] {
  if (columns === undefined) {
    throw new HoldfastError('HF_WAREHOUSE_UNREADABLE', `Connector ${connectorId}: there is no table ${table}.`);
  }
  const named = new Map(columns.toReversed().map((column) => [column.name.toLowerCase(), column]));
  const missing = needed.filter((column) => !named.has(column.toLowerCase()));
  if (missing.length === 0) return needed.flatMap((column) => named.get(column.toLowerCase()) ?? []);
  const sentence = `Connector ${connectorId}: the table ${table} has no column ${missing.join(', ')}.`;
  throw new HoldfastError('HF_COLUMN_MISSING', sentence);
}
