import { literal } from '../../../base/duckdb/engine.ts';
import { HoldfastError } from '../../../base/errors.ts';
import type { ConnectorWarehouse, FeatureStore } from '../feature-store.ts';
import type { WarehouseFeatures } from './parameters.ts';

/**
 * Features in a table or view of the same warehouse, keyed by `customer_id`: the join is pushed down to it.
 * @throws HF_COLUMN_MISSING when the table has no customer_id, HF_WAREHOUSE_UNREADABLE when there is no such table
 */
export async function open({ table }: WarehouseFeatures, warehouse: ConnectorWarehouse): Promise<FeatureStore> {
  const described = await warehouse.describeTable(table);
  if (described === undefined) {
    throw new HoldfastError(
      'HF_WAREHOUSE_UNREADABLE',
      `The featureStore names the table ${table}, which its connector does not have.`,
    );
  }
  const columns = described.map(({ name }) => name);
  if (!columns.some((name) => name.toLowerCase() === 'customer_id')) {
    throw new HoldfastError(
      'HF_COLUMN_MISSING',
      `The table ${table} of the featureStore has no column customer_id to join by.`,
    );
  }
  return {
    columns,
    table,
    async read(ids, wanted, file, options) {
      const rows = ids.map((id) => `(${literal(id)})`).join(', ');
      const asked = rows === '' ? "SELECT '' WHERE false" : `VALUES ${rows}`;
      const query = `SELECT customer_id FROM (${asked}) AS asked (customer_id)`;
      await warehouse.extract({ query, completion: { table, columns: wanted } }, file, options);
    },
  };
}
