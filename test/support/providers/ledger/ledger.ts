import type { WarehouseOptions } from '../../../../providers/warehouses/connector.ts';
import { open as openDuckdb } from '../../../../providers/warehouses/duckdb/duckdb.ts';
import type { Warehouse } from '../../../../providers/warehouses/warehouse.ts';
import type { LedgerConnector } from './parameters.ts';

/** A warehouse that has no more than a Parquet file for each of its books. */
export function open({ config, ...connector }: LedgerConnector, options: WarehouseOptions): Promise<Warehouse> {
  const path = `${config.book}.parquet`;
  return openDuckdb({ ...connector, config: { query: config.query, path, table: 'book' } }, options);
}
