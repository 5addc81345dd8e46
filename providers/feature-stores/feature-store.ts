import type { ExtractRequest } from '../warehouses/warehouse.ts';

/** Where columns come from that a connector's query does not select. One implementation per file. */
export interface FeatureStore {
  /** Columns that it could add, in their own order. */
  readonly columns: readonly string[];
  /** What to join to the query for the wanted columns that it has; undefined when it has none of them. */
  completion(wanted: readonly string[]): ExtractRequest['completion'];
}
